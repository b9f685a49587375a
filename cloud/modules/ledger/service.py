"""Posting: every event of money becomes one balanced entry on one business date.

Lock order: the order of a community's months (by who closes or reopens), the month (shared by who
posts, by advisory lock), then the number series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import bindparam, func, insert, literal, select, text
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.kernel.errors import Conflict
from cloud.kernel.hot import Hot
from cloud.kernel.listing import Statement
from cloud.kernel.numbering import DocumentKind, Reset, next_number, set_rule
from cloud.kernel.periods import add_months
from cloud.modules.ledger import queries
from cloud.modules.ledger.events import MonthClosing
from cloud.modules.ledger.models import Account, AccountKind, Entry, Line, PeriodLock
from cloud.modules.ledger.schemas import MonthClosed, NumberRuleChanged
from cloud.modules.organization import queries as organization

SERIES = "JZ"

_SHARE_MONTH = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:key, 0))")
_LOCK = Hot(
    select(col(PeriodLock.id)).where(
        col(PeriodLock.org_id) == bindparam("site_id"), col(PeriodLock.month) == bindparam("month")
    ),
    lambda lock_id: lock_id,
)


class PeriodClosed(Conflict):
    message = "{month} is closed for this community. Post into the open month instead."


class PeriodAlreadyClosed(Conflict):
    message = "{month} is already closed."


class PeriodNotOver(Conflict):
    message = "{month} is not over yet. Close it from {day} on."


class EarlierPeriodOpen(Conflict):
    message = "{earlier} is still open. Close the months in their order."


class PeriodNotClosed(Conflict):
    message = "{month} is not closed."


class LaterPeriodClosed(Conflict):
    message = "{later} is closed after it. Reopen that one first."


@dataclass(frozen=True)
class Source:
    """The document that an entry comes from; each is posted once."""

    kind: str
    id: UUID


@dataclass(frozen=True)
class Posting:
    """One line to be posted: exactly one of `debit` and `credit` is not zero."""

    account_id: UUID
    legal_entity_id: UUID
    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)
    room_id: UUID | None = None
    party_id: UUID | None = None
    item_id: UUID | None = None
    bill_id: UUID | None = None
    cashier_id: UUID | None = None
    channel: str | None = None


_WRITTEN = TypeAdapter(list[Posting])
# One statement with many rows: executemany would be a statement, and a check, for each.
_LINES = text("""
    INSERT INTO ledger_line (company_id, org_id, entry_id, account_id, legal_entity_id, debit,
      credit, room_id, party_id, item_id, bill_id, cashier_id, channel)
    SELECT :company_id, :org_id, :entry_id, account_id, legal_entity_id, debit, credit,
      room_id, party_id, item_id, bill_id, cashier_id, channel
    FROM jsonb_to_recordset(CAST(:postings AS jsonb))
      AS posting (account_id uuid, legal_entity_id uuid, debit numeric, credit numeric,
      room_id uuid, party_id uuid, item_id uuid, bill_id uuid, cashier_id uuid, channel text)
""")


async def add_account(ctx: Ctx, *, code: str, name: str, kind: AccountKind) -> Account:
    """An account of the company's chart; a code that is taken answers 409."""
    account = Account(**ctx.stamp(ctx.principal.company_id), code=code, name=name, kind=kind)
    ctx.session.add(account)
    return account


async def change_number_rule(
    ctx: Ctx, *, series: DocumentKind, version: int, pattern: str, reset: Reset, reason: str
) -> NumberRuleChanged:
    """Raises the refusals of numbering.set_rule."""
    rule = await set_rule(
        ctx, series=series, version=version, pattern=pattern, reset=reset, reason=reason
    )
    return NumberRuleChanged(
        id=rule.id, version=rule.version, preview=queries.preview_of(ctx, pattern)
    )


async def post_entry(
    ctx: Ctx,
    *,
    site_id: UUID,
    business_on: date,
    summary: str,
    source: Source,
    postings: Sequence[Posting],
) -> Entry:
    """Post one entry. Raises PeriodClosed; the database refuses lines that do not balance."""
    entry = await _open_entry(
        ctx, site_id=site_id, business_on=business_on, summary=summary, source=source
    )
    await ctx.session.execute(
        _LINES,
        {
            "company_id": ctx.principal.company_id,
            "org_id": site_id,
            "entry_id": entry.id,
            "postings": _WRITTEN.dump_json(list(postings)).decode(),
        },
    )
    return entry


async def post_set(
    ctx: Ctx,
    *,
    site_id: UUID,
    business_on: date,
    summary: str,
    source: Source,
    lines: Statement,
) -> Entry:
    """Post one entry whose lines a query yields, in one statement.

    `lines` selects the columns of Posting, in its order. Raises PeriodClosed.
    """
    entry = await _open_entry(
        ctx, site_id=site_id, business_on=business_on, summary=summary, source=source
    )
    rows = lines.subquery()
    selected = select(
        literal(ctx.principal.company_id).label("company_id"),
        literal(site_id).label("org_id"),
        literal(entry.id).label("entry_id"),
        *rows.c,
    )
    columns = ["company_id", "org_id", "entry_id", *Posting.__dataclass_fields__]
    await ctx.session.execute(insert(Line).from_select(columns, selected))
    return entry


async def _open_entry(
    ctx: Ctx, *, site_id: UUID, business_on: date, summary: str, source: Source
) -> Entry:
    await check_open(ctx, site_id=site_id, business_on=business_on)
    entry = Entry(
        **ctx.stamp(site_id),
        id=uuid7(),
        number=await next_number(ctx, org_id=site_id, series=SERIES),
        business_on=business_on,
        summary=summary,
        source_kind=source.kind,
        source_id=source.id,
    )
    ctx.session.add(entry)
    await ctx.session.flush()  # the lines go in as one statement that needs the entry
    return entry


async def check_open(ctx: Ctx, *, site_id: UUID, business_on: date) -> None:
    """Raises PeriodClosed. Holds the month open until the transaction ends."""
    month = business_on.replace(day=1)
    key = _key(site_id, month)
    held = _held(ctx)
    # A savepoint that is rolled back lets go of what it took, so it holds for itself only.
    session = ctx.session.sync_session
    mine = (session.get_nested_transaction() or session.get_transaction(), key)
    if mine[0] is not None and mine in held:
        return
    await ctx.session.execute(_SHARE_MONTH, {"key": key})
    # A statement of its own: one that waits for the lock would look at what was before it.
    if await _LOCK.one_or_none(ctx.session, site_id=site_id, month=month) is not None:
        raise PeriodClosed(month=f"{month:%Y-%m}")
    held.add((session.get_nested_transaction() or session.get_transaction(), key))


def _held(ctx: Ctx) -> set[tuple[object, str]]:
    """The months that are known to be open, each with the transaction that holds it so."""
    held: set[tuple[object, str]] = ctx.session.info.setdefault("ledger.months", set())
    return held


async def close_month(ctx: Ctx, *, site_id: UUID, month: date) -> MonthClosed:
    """Close the books of a month that is over, after those before it.

    Other modules post what the month has earned, or refuse. Waits for postings into it that are
    under way. Raises NotFound, ProjectNotYours, PeriodNotOver, PeriodAlreadyClosed,
    EarlierPeriodOpen, and what they raise.
    """
    site = await organization.get_site(ctx, site_id)
    month = month.replace(day=1)
    following = add_months(month, 1)
    if ctx.business_on < following:
        raise PeriodNotOver(month=f"{month:%Y-%m}", day=following)
    await ctx.take(_order_key(site.id))
    await ctx.take(_key(site.id, month))
    await _refuse_closed(ctx, site.id, month)
    earlier = await _first_open(ctx, site.id)
    if earlier is not None and earlier < month:
        raise EarlierPeriodOpen(earlier=f"{earlier:%Y-%m}")
    closing_id = uuid7()
    await ctx.announce(MonthClosing(site_id=site.id, month=month, closing_id=closing_id))
    await close_period(ctx, site_id=site.id, month=month, closing_id=closing_id)
    return MonthClosed(site_name=site.name, label=f"{month:%Y-%m}")


async def close_period(
    ctx: Ctx, *, site_id: UUID, month: date, closing_id: UUID | None = None
) -> PeriodLock:
    """Lock a month. Waits for postings into it that are under way. Raises PeriodAlreadyClosed."""
    month = month.replace(day=1)
    await ctx.take(_key(site_id, month))
    await _refuse_closed(ctx, site_id, month)
    lock = PeriodLock(
        **ctx.stamp(site_id), id=closing_id or uuid7(), month=month, locked_at=ctx.now
    )
    ctx.session.add(lock)
    _held(ctx).clear()
    await audit.record(
        ctx,
        action="ledger.period.closed",
        subject_kind="ledger.period",
        subject_id=lock.id,
        org_id=site_id,
        after={"month": f"{month:%Y-%m}"},
    )
    return lock


async def reopen_month(ctx: Ctx, *, site_id: UUID, month: date, reason: str) -> MonthClosed:
    """Take postings into the month that was closed last again; who closed it stays in the audit.

    Raises NotFound, ProjectNotYours, PeriodNotClosed, LaterPeriodClosed.
    """
    site = await organization.get_site(ctx, site_id)
    month = month.replace(day=1)
    await ctx.take(_order_key(site.id))
    found = await ctx.session.execute(
        select(PeriodLock)
        .where(col(PeriodLock.org_id) == site.id, col(PeriodLock.month) >= month)
        .order_by(col(PeriodLock.month).desc())
        .limit(1)
    )
    latest = found.scalar_one_or_none()
    if latest is None:
        raise PeriodNotClosed(month=f"{month:%Y-%m}")
    if latest.month > month:
        raise LaterPeriodClosed(later=f"{latest.month:%Y-%m}")
    await ctx.session.delete(latest)
    await audit.record(
        ctx,
        action="ledger.period.reopened",
        subject_kind="ledger.period",
        subject_id=latest.id,
        org_id=site.id,
        before={"month": f"{month:%Y-%m}", "closed_at": latest.locked_at.isoformat()},
        reason=reason,
    )
    return MonthClosed(site_name=site.name, label=f"{month:%Y-%m}")


async def _refuse_closed(ctx: Ctx, site_id: UUID, month: date) -> None:
    if await _LOCK.one_or_none(ctx.session, site_id=site_id, month=month) is not None:
        raise PeriodAlreadyClosed(month=f"{month:%Y-%m}")


async def _first_open(ctx: Ctx, site_id: UUID) -> date | None:
    """The first month with an entry after those that are closed."""
    newest = select(func.max(col(PeriodLock.month))).where(col(PeriodLock.org_id) == site_id)
    closed = (await ctx.session.execute(newest)).scalar_one()
    first = select(func.min(col(Entry.business_on))).where(col(Entry.org_id) == site_id)
    if closed is not None:
        first = first.where(col(Entry.business_on) >= add_months(closed, 1))
    day = (await ctx.session.execute(first)).scalar_one()
    return None if day is None else day.replace(day=1)


def _order_key(site_id: UUID) -> str:
    """Held by who closes or reopens: each looks at the months around its own."""
    return f"ledger-months:{site_id}"


def _key(site_id: UUID, month: date) -> str:
    return f"ledger-month:{site_id}:{month:%Y-%m}"
