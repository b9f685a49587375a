"""Reads of the books: balances, entries, and the entries of a document."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Date, Uuid, and_, bindparam, case, cast, distinct, func, or_, select, tuple_
from sqlmodel import col

from cloud.kernel import numbering
from cloud.kernel.choices import Choices, fetch_choices
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, NotFound
from cloud.kernel.hot import Hot
from cloud.kernel.listing import Listing, Sorting, Statement, contains, fetch_page
from cloud.kernel.money import ZERO
from cloud.modules.accounts.models import User
from cloud.modules.ledger.models import Account, Entry, Line, PeriodLock
from cloud.modules.ledger.rules import said_summary, words_like
from cloud.modules.ledger.schemas import (
    AccountRead,
    EntryDetail,
    EntryLineRead,
    EntryOfDocument,
    EntryRead,
    MonthRead,
    MonthState,
    NumberRuleRead,
    NumberRuleState,
)
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit

KIND_LABELS = {
    numbering.DocumentKind.receipt: "Receipt",
    numbering.DocumentKind.bill: "Bill",
    numbering.DocumentKind.payout: "Refund",
    numbering.DocumentKind.entry: "Voucher",
    numbering.DocumentKind.run: "Bill run",
}
LINES_SHOWN_MAX = 200


class AccountMissing(Conflict):
    message = "The chart has no account {code}. Add it before posting."


async def account_ids(ctx: Ctx, *codes: str) -> dict[str, UUID]:
    """Account ids by code. Raises AccountMissing."""
    found = await ctx.session.execute(
        select(col(Account.code), col(Account.id)).where(col(Account.code).in_(codes))
    )
    ids = {row.code: row.id for row in found}
    for code in codes:
        if code not in ids:
            raise AccountMissing(code=code)
    return ids


async def account_choices(ctx: Ctx, q: str) -> Choices:
    """Accounts by code or name; what is chosen is the code."""
    wanted = contains(q)
    return await fetch_choices(
        ctx,
        select(col(Account.code), func.concat(col(Account.code), " ", col(Account.name)))
        .where(or_(col(Account.code).like(wanted), col(Account.name).like(wanted)))
        .order_by(col(Account.code)),
    )


async def balance(ctx: Ctx, code: str) -> Decimal:
    """Debit less credit of an account over the viewer's scope."""
    found = await ctx.session.execute(
        select(func.coalesce(func.sum(col(Line.debit) - col(Line.credit)), 0))
        .join(Account, col(Account.id) == col(Line.account_id))
        .where(col(Account.code) == code)
    )
    return Decimal(found.scalar_one())


async def entries_of_bill(ctx: Ctx, bill_id: UUID) -> list[EntryOfDocument]:
    """The entries that moved a bill, each cut to the lines of that bill."""
    return _grouped(ctx, await _OF_BILL.all(ctx.session, bill_id=bill_id))


async def entries_of_source(ctx: Ctx, kind: str, source_id: UUID) -> list[EntryOfDocument]:
    """The entry of one document, for example a receipt."""
    return await _entries(
        ctx, (col(Entry.source_kind) == kind) & (col(Entry.source_id) == source_id)
    )


class _EntryLine(NamedTuple):
    """The lines of an entry on one account and side, summed."""

    id: UUID
    number: str
    business_on: date
    summary: str
    source_kind: str
    source_id: UUID
    created_at: datetime
    posted_by: str | None
    code: str
    name: str
    debit: Decimal
    credit: Decimal


def _lines_where(condition: Any) -> Statement:
    return (
        select(
            col(Entry.id),
            col(Entry.number),
            col(Entry.business_on),
            col(Entry.summary),
            col(Entry.source_kind),
            col(Entry.source_id),
            col(Entry.created_at),
            col(User.name).label("posted_by"),
            col(Account.code),
            col(Account.name),
            func.sum(col(Line.debit)).label("debit"),
            func.sum(col(Line.credit)).label("credit"),
        )
        .select_from(Line)
        .join(Entry, col(Entry.id) == col(Line.entry_id))
        .join(Account, col(Account.id) == col(Line.account_id))
        .outerjoin(User, col(User.id) == col(Entry.created_by))
        .where(condition)
        .group_by(
            col(Entry.id),
            col(User.name),
            col(Account.code),
            col(Account.name),
            (col(Line.debit) > ZERO).label("is_debit"),
        )
        .order_by(
            col(Entry.business_on),
            col(Entry.created_at),
            col(Entry.id),
            func.sum(col(Line.debit)).desc(),
            col(Account.code),
        )
        .limit(LINES_SHOWN_MAX)
    )


_OF_BILL = Hot(
    _lines_where(col(Line.bill_id) == bindparam("bill_id", type_=Uuid())),
    _EntryLine,
)


async def _entries(ctx: Ctx, condition: Any) -> list[EntryOfDocument]:
    found = await ctx.session.execute(_lines_where(condition))
    return _grouped(ctx, [_EntryLine(*row) for row in found])


def _grouped(ctx: Ctx, rows: list[_EntryLine]) -> list[EntryOfDocument]:
    return [
        EntryOfDocument(
            number=group[0].number,
            business_on=group[0].business_on,
            summary=said_summary(ctx.say, group[0].summary),
            source_kind=group[0].source_kind,
            source_id=group[0].source_id,
            posted_at=group[0].created_at,
            posted_by=group[0].posted_by or ctx.say("The platform"),
            lines=[_line(row) for row in group],
        )
        for group in (list(rows) for _, rows in groupby(rows, key=lambda row: row.id))
    ]


def _line(row: Any) -> EntryLineRead:
    return EntryLineRead(
        side="debit" if row.debit else "credit",
        account=f"{row.code} {row.name}",
        debit=row.debit or None,
        credit=row.credit or None,
    )


async def list_accounts(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    """The chart with turnover in scope: the trial balance."""
    turnover = select(
        col(Line.account_id),
        func.sum(col(Line.debit)).label("debit"),
        func.sum(col(Line.credit)).label("credit"),
    ).group_by(col(Line.account_id))
    moved = (await organization.within(ctx, turnover, col(Line.org_id), listing.site_id)).subquery()
    debit = func.coalesce(moved.c.debit, 0)
    credit = func.coalesce(moved.c.credit, 0)
    statement: Statement = (
        select(
            col(Account.id).label("id"),
            col(Account.code).label("code"),
            col(Account.name).label("name"),
            col(Account.kind).label("kind"),
            debit.label("debit"),
            credit.label("credit"),
            (debit - credit).label("balance"),
        )
        .select_from(Account)
        .outerjoin(moved, moved.c.account_id == col(Account.id))
    )
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(Account.code).like(wanted), col(Account.name).like(wanted))
        )
    sorting = Sorting(by={"code": col(Account.code)}, default="code", tie=col(Account.id))
    return await fetch_page(
        ctx,
        statement,
        listing,
        sorting=sorting,
        sums={"debit": debit, "credit": credit, "balance": debit - credit},
        row=AccountRead,
    )


async def list_number_rules(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    """Every kind with its rule; the preview counts on from nothing."""
    await organization.scope_of(ctx, listing.site_id)
    company_id = ctx.principal.company_id
    found_rules = await numbering.rules_of(ctx)
    rules = {rule.series: rule for rule in found_rules if rule.org_id == company_id}
    rows = []
    for kind, label in KIND_LABELS.items():
        rule = rules.get(kind)
        pattern = rule.pattern if rule else numbering.standard_pattern(kind)
        rows.append(
            NumberRuleRead(
                series=kind,
                kind=ctx.say(label),
                pattern=pattern,
                reset=numbering.Reset(rule.reset) if rule else numbering.Reset.month,
                preview=preview_of(ctx, pattern),
                state=NumberRuleState.own if rule else NumberRuleState.standard,
                version=rule.version if rule else 0,
            )
        )
    found = [row for row in rows if listing.q.lower() in f"{row.kind} {row.pattern}".lower()]
    first = (listing.page - 1) * listing.size
    return {
        "items": found[first : first + listing.size],
        "total": len(found),
        "sums": {},
        "views": {},
        "as_of": ctx.now,
    }


def preview_of(ctx: Ctx, pattern: str) -> str:
    """The first number of today; {PROJ} stands as the community's code would."""
    return numbering.example(numbering.read_pattern(pattern), ctx.business_on, "LT")


async def list_entries(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    amount = (
        select(func.coalesce(func.sum(col(Line.debit)), 0))
        .where(col(Line.entry_id) == col(Entry.id))
        .correlate(Entry)
        .scalar_subquery()
    )
    # As its page shows them: one for each account and side.
    lines = (
        select(func.count(distinct(tuple_(col(Line.account_id), col(Line.debit) > ZERO))))
        .select_from(Line)
        .where(col(Line.entry_id) == col(Entry.id))
        .correlate(Entry)
        .scalar_subquery()
    )
    statement: Statement = (
        select(
            col(Entry.id).label("id"),
            col(Entry.number).label("number"),
            col(Unit.name).label("site_name"),
            col(Entry.business_on).label("business_on"),
            col(Entry.summary).label("summary"),
            amount.label("amount"),
            lines.label("lines"),
            col(Entry.created_at).label("created_at"),
        )
        .select_from(Entry)
        .join(Unit, col(Unit.id) == col(Entry.org_id))
    )
    statement = await organization.within(ctx, statement, col(Entry.org_id), listing.site_id)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(
                col(Entry.number).like(wanted),
                col(Entry.summary).like(wanted),
                *(col(Entry.summary).startswith(word) for word in words_like(ctx.say, listing.q)),
            )
        )
    sorting = Sorting(
        by={"business_on": col(Entry.business_on), "number": col(Entry.number)},
        default="-business_on",
        tie=col(Entry.id).desc(),
    )
    page = await fetch_page(ctx, statement, listing, sorting=sorting)
    page["items"] = [
        EntryRead.model_validate({**row, "summary": said_summary(ctx.say, row["summary"])})
        for row in page["items"]
    ]
    return page


async def list_months(
    ctx: Ctx, listing: Listing, *, state: MonthState | None = None
) -> dict[str, Any]:
    """The months in which something was posted, or that are closed, newest first."""
    first = cast(func.date_trunc("month", col(Entry.business_on)), Date)
    posted = select(
        col(Entry.org_id), first.label("month"), func.count().label("entries")
    ).group_by(col(Entry.org_id), first)
    posted = await organization.within(ctx, posted, col(Entry.org_id), listing.site_id)
    locks = select(
        col(PeriodLock.org_id),
        col(PeriodLock.month),
        col(PeriodLock.locked_at),
        col(PeriodLock.created_by),
    )
    locks = await organization.within(ctx, locks, col(PeriodLock.org_id), listing.site_id)
    of, lock = posted.subquery(), locks.subquery()
    org_id = func.coalesce(of.c.org_id, lock.c.org_id)
    month = func.coalesce(of.c.month, lock.c.month)
    label = func.to_char(month, "YYYY-MM")
    standing = case(
        (lock.c.month.is_not(None), MonthState.closed.value),
        (month >= ctx.business_on.replace(day=1), MonthState.running.value),
        else_=MonthState.open.value,
    )
    statement: Statement = (
        select(
            func.concat(org_id, ":", label).label("id"),
            org_id.label("site_id"),
            col(Unit.name).label("site_name"),
            month.label("month"),
            label.label("label"),
            func.coalesce(of.c.entries, 0).label("entries"),
            standing.label("state"),
            lock.c.locked_at.label("closed_at"),
            col(User.name).label("closed_by"),
        )
        .select_from(of)
        .join(lock, and_(lock.c.org_id == of.c.org_id, lock.c.month == of.c.month), full=True)
        .join(Unit, col(Unit.id) == org_id)
        .outerjoin(User, col(User.id) == lock.c.created_by)
    )
    if state is not None:
        statement = statement.where(standing == state.value)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(or_(label.like(wanted), col(Unit.name).like(wanted)))
    sorting = Sorting(
        by={"label": month, "site_name": col(Unit.name)}, default="-label", tie=org_id
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=MonthRead)


async def read_entry(ctx: Ctx, entry_id: UUID) -> EntryDetail:
    """Raises NotFound."""
    entry = await ctx.get(Entry, entry_id)
    totals = (
        await ctx.session.execute(
            select(func.sum(col(Line.debit)), func.sum(col(Line.credit))).where(
                col(Line.entry_id) == entry_id
            )
        )
    ).one()
    site = await ctx.find(Unit, entry.org_id)
    if site is None:
        raise NotFound
    return EntryDetail(
        id=entry.id,
        number=entry.number,
        site_name=site.name,
        business_on=entry.business_on,
        summary=said_summary(ctx.say, entry.summary),
        debit=totals[0],
        credit=totals[1],
        entries=await _entries(ctx, col(Entry.id) == entry_id),
    )
