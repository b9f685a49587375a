"""Reads of bills: the list, one bill explained, and what is open for a room."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Uuid, and_, bindparam, case, func, or_, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.hot import Hot
from cloud.kernel.listing import (
    Expression,
    Listing,
    Sorting,
    Statement,
    contains,
    count,
    fetch_page,
)
from cloud.kernel.money import ZERO
from cloud.kernel.ui.language import Tone
from cloud.modules.charging.models import Bill, Item, Settlement
from cloud.modules.charging.queries.explain import basis_text, explain
from cloud.modules.charging.queries.runs import closed
from cloud.modules.charging.rules import from_snapshot
from cloud.modules.charging.schemas import BillDetail, BillRead, TimelineEvent
from cloud.modules.ledger import queries as ledger
from cloud.modules.ledger.schemas import EntryOfDocument
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit
from cloud.modules.resources import queries as resources

OPEN_BILLS_MAX = 500


class BillFilter(StrEnum):
    unpaid = "unpaid"
    partial = "partial"
    paid = "paid"
    overdue = "overdue"


@dataclass(frozen=True)
class OpenBill:
    """A bill that is not settled, as the counter shows and receives it."""

    id: UUID
    number: str
    room_id: UUID
    item_id: UUID
    item_name: str
    legal_entity_id: UUID
    priority: int
    note: str
    period_from: date
    period_to: date
    amount: Decimal
    paid: Decimal
    due_on: date
    version: int

    @property
    def open(self) -> Decimal:
        return self.amount - self.paid


_OPEN: Expression = col(Settlement.amount) - col(Settlement.paid)
_STATE: Expression = case(
    (col(Settlement.paid) >= col(Settlement.amount), "paid"),
    (col(Settlement.paid) > ZERO, "partial"),
    else_="unpaid",
)


def _rows(today: Any) -> Statement:
    late = case((_OPEN > ZERO, func.greatest(today - col(Bill.due_on), 0)), else_=0)
    return (
        select(
            col(Bill.id).label("id"),
            col(Bill.number).label("number"),
            col(Bill.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(Bill.room_id).label("room_id"),
            col(Bill.room_name).label("room_name"),
            col(Bill.payer_name).label("payer_name"),
            col(Item.name).label("item_name"),
            col(Bill.period_from).label("period_from"),
            col(Bill.period_to).label("period_to"),
            col(Bill.amount).label("amount"),
            col(Settlement.paid).label("paid"),
            _OPEN.label("open"),
            col(Bill.due_on).label("due_on"),
            late.label("overdue_days"),
            _STATE.label("state"),
            col(Settlement.version).label("version"),
        )
        .select_from(Bill)
        .join(Settlement, col(Settlement.id) == col(Bill.id))
        .join(Item, col(Item.id) == col(Bill.item_id))
        .join(Unit, col(Unit.id) == col(Bill.org_id))
    )


def _read(ctx: Ctx, row: Any) -> dict[str, Any]:
    days = row["overdue_days"]
    return {
        **row,
        "period": closed(row["period_from"], row["period_to"]),
        "is_overdue": days > 0,
        "overdue_note": ctx.say("+{days} days", days=days) if days else None,
    }


async def list_bills(
    ctx: Ctx,
    listing: Listing,
    *,
    state: BillFilter | None,
    item_id: UUID | None,
    period_from: date | None,
    period_to: date | None,
    issued: str | None,
) -> dict[str, Any]:
    """Bills of the scope with the sums of the filter, and how many each view holds."""
    today = ctx.business_on
    statement = _rows(today)
    statement = await organization.within(ctx, statement, col(Bill.org_id), listing.site_id)
    views = {
        "all": await count(ctx, statement),
        "month": await count(ctx, statement.where(_issued_in(today))),
        "overdue": await count(ctx, statement.where(_in_state(BillFilter.overdue, today))),
    }
    if state is not None:
        statement = statement.where(_in_state(state, today))
    if issued is not None:
        statement = statement.where(_issued_in(today))
    if item_id is not None:
        statement = statement.where(col(Bill.item_id) == item_id)
    if period_from is not None:
        statement = statement.where(col(Bill.period_to) > period_from)
    if period_to is not None:
        statement = statement.where(col(Bill.period_from) <= period_to)
    rooms = resources.rooms_at(listing.q)
    if rooms is not None:
        statement = statement.where(col(Bill.room_id).in_(rooms))
    elif listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(
                col(Bill.room_name).like(wanted),
                col(Bill.payer_name).like(wanted),
                col(Bill.number).like(wanted),
            )
        )
    sorting = Sorting(
        by={
            "number": col(Bill.number),
            "room_name": col(Bill.room_name),
            "amount": col(Bill.amount),
            "open": _OPEN,
            "due_on": col(Bill.due_on),
        },
        default="-number",
        tie=col(Bill.id).desc(),
    )
    sums: dict[str, Expression] = {
        "amount": col(Bill.amount),
        "paid": col(Settlement.paid),
        "open": _OPEN,
    }
    page = await fetch_page(ctx, statement, listing, sorting=sorting, sums=sums, views=views)
    page["items"] = [BillRead.model_validate(_read(ctx, row)) for row in page["items"]]
    return page


def _in_state(state: BillFilter, today: date) -> Expression:
    if state is BillFilter.overdue:
        return (_OPEN > ZERO) & (col(Bill.due_on) < today)
    return _STATE.in_([state.value])


def _issued_in(today: date) -> Expression:
    return col(Bill.issued_on) >= today.replace(day=1)


def _one() -> Statement:
    more = (Bill.issued_on, Bill.snapshot, Bill.quantity, Bill.tax)
    return (
        _rows(bindparam("today", type_=Date()))
        .add_columns(col(Item.code).label("item_code"), *map(col, more))
        .where(col(Bill.id) == bindparam("bill_id", type_=Uuid()))
    )


_NAMES = [str(column.key) for column in _one().selected_columns]
_Detailed = namedtuple("_Detailed", _NAMES)  # type: ignore[misc]
_DETAILED = Hot(_one(), _Detailed)


async def read_bill(ctx: Ctx, bill_id: UUID) -> BillDetail:
    """One bill, computed again from its own basis, with the entries that moved it.

    Raises NotFound.
    """
    bill: Any = await _DETAILED.one_or_none(ctx.session, today=ctx.business_on, bill_id=bill_id)
    if bill is None:
        raise NotFound
    entries = await ledger.entries_of_bill(ctx, bill_id)
    return BillDetail.model_validate(
        {
            **_read(ctx, bill._asdict()),
            "explanation": explain(ctx, bill),
            "entries": entries,
            "timeline": _timeline(entries),
        }
    )


def _timeline(entries: list[EntryOfDocument]) -> list[TimelineEvent]:
    """What happened to a bill, newest first: each entry that moved it."""
    events = []
    for entry in reversed(entries):
        # A receipt's debits are not of one bill: of its entry only the credit is this bill's.
        debit = sum((line.debit or ZERO for line in entry.lines), ZERO)
        credit = sum((line.credit or ZERO for line in entry.lines), ZERO)
        events.append(
            TimelineEvent(
                at=entry.posted_at,
                title=f"{entry.summary} {max(debit, credit):,.2f}",
                text=entry.number,
                who=entry.posted_by,
                tone=Tone.info if entry is entries[0] else Tone.ok,
                opens=_opened_by(entry),
            )
        )
    return events


def _opened_by(entry: EntryOfDocument) -> str | None:
    """Where the document behind an entry is shown; a run's own entry is the bill itself."""
    if entry.source_kind == "receiving.receipt":
        return f"/p/receiving.receipts?id={entry.source_id}"
    return None


def _open_rows() -> Statement:
    return (
        select(Bill, Settlement, Item)
        .join(Settlement, col(Settlement.id) == col(Bill.id))
        .join(Item, col(Item.id) == col(Bill.item_id))
        .where(col(Settlement.paid) < col(Settlement.amount))
        .order_by(col(Bill.due_on), col(Item.allocation_priority), col(Bill.number))
    )


async def open_bills_of_room(ctx: Ctx, room_id: UUID) -> list[OpenBill]:
    """What a room owes, oldest due first; at most 500."""
    found = await ctx.session.execute(
        _open_rows().where(col(Bill.room_id) == room_id).limit(OPEN_BILLS_MAX)
    )
    return [
        OpenBill(
            id=bill.id,
            number=bill.number,
            room_id=bill.room_id,
            item_id=item.id,
            item_name=item.name,
            legal_entity_id=bill.legal_entity_id,
            priority=item.allocation_priority,
            note=basis_text(ctx, from_snapshot(bill.snapshot)),
            period_from=bill.period_from,
            period_to=bill.period_to,
            amount=settlement.amount,
            paid=settlement.paid,
            due_on=bill.due_on,
            version=settlement.version,
        )
        for bill, settlement, item in found.all()
    ]


async def overdue_by_site(ctx: Ctx) -> dict[UUID, Decimal]:
    """What is open and past its due day in each site in scope that has any of it."""
    found = await ctx.session.execute(
        select(col(Bill.org_id), func.sum(_OPEN))
        .join(
            Settlement,
            and_(col(Settlement.org_id) == col(Bill.org_id), col(Settlement.id) == col(Bill.id)),
        )
        .where(col(Settlement.paid) < col(Settlement.amount), col(Bill.due_on) < ctx.business_on)
        .group_by(col(Bill.org_id))
    )
    return {row[0]: row[1] for row in found}


async def open_by_room(ctx: Ctx, room_ids: list[UUID]) -> dict[UUID, tuple[Decimal, int]]:
    """Open amount and number of open bills of each room that owes something."""
    found = await ctx.session.execute(
        select(col(Bill.room_id), func.sum(_OPEN), func.count())
        .join(Settlement, col(Settlement.id) == col(Bill.id))
        .where(col(Bill.room_id).in_(room_ids), col(Settlement.paid) < col(Settlement.amount))
        .group_by(col(Bill.room_id))
    )
    return {room_id: (amount, bills) for room_id, amount, bills in found.all()}
