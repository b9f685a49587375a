"""Reads of receipts: the list, and one of them with its bills and its entry."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import (
    Expression,
    Listing,
    Sorting,
    Statement,
    contains,
    count,
    fetch_page,
)
from cloud.kernel.ui.language import Tone
from cloud.modules.accounts.models import User
from cloud.modules.charging.models import Bill, Item
from cloud.modules.charging.queries.runs import closed
from cloud.modules.charging.schemas import TimelineEvent
from cloud.modules.ledger import queries as ledger
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit
from cloud.modules.receiving.models import Allocation, Method, Receipt, ReceiptState
from cloud.modules.receiving.queries.counter import is_reversed
from cloud.modules.receiving.rules import METHOD_LABELS
from cloud.modules.receiving.schemas import AllocationLine, ReceiptDetail, ReceiptRead
from cloud.modules.resources.models import Space

SOURCE = "receiving.receipt"


def _state() -> Expression:
    return case(
        (col(Receipt.reverses_id).is_not(None), ReceiptState.reversal.value),
        (is_reversed(), ReceiptState.reversed.value),
        else_=ReceiptState.received.value,
    )


def _rows() -> Statement:
    return (
        select(
            col(Receipt.id).label("id"),
            col(Receipt.number).label("number"),
            col(Receipt.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(Receipt.room_id).label("room_id"),
            col(Space.full_name).label("room_name"),
            col(Receipt.payer_name).label("payer_name"),
            col(Receipt.method).label("method"),
            col(Receipt.amount).label("amount"),
            col(Receipt.business_on).label("business_on"),
            col(Receipt.created_at).label("received_at"),
            func.coalesce(col(User.name), "").label("cashier_name"),
            _state().label("state"),
        )
        .select_from(Receipt)
        .join(Unit, col(Unit.id) == col(Receipt.org_id))
        .join(Space, col(Space.id) == col(Receipt.room_id))
        .outerjoin(User, col(User.id) == col(Receipt.created_by))
    )


async def list_receipts(
    ctx: Ctx,
    listing: Listing,
    *,
    method: Method | None,
    state: ReceiptState | None,
    period_from: date | None,
    period_to: date | None,
) -> dict[str, Any]:
    """Receipts and their reversals; the sum is what stayed."""
    statement = _rows()
    orgs = await organization.scope_of(ctx, listing.site_id)
    if orgs is not None:
        statement = statement.where(col(Receipt.org_id).in_(orgs))
    views = {
        "all": await count(ctx, statement),
        "reversal": await count(ctx, statement.where(col(Receipt.reverses_id).is_not(None))),
    }
    if method is not None:
        statement = statement.where(col(Receipt.method) == method)
    if state is not None:
        statement = statement.where(_state() == state.value)
    if period_from is not None:
        statement = statement.where(col(Receipt.business_on) >= period_from)
    if period_to is not None:
        statement = statement.where(col(Receipt.business_on) <= period_to)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(
                col(Receipt.number).like(wanted),
                col(Receipt.payer_name).like(wanted),
                col(Space.full_name).like(wanted),
                col(Space.path).like(wanted),
            )
        )
    sorting = Sorting(
        by={
            "number": col(Receipt.number),
            "received_at": col(Receipt.created_at),
            "business_on": col(Receipt.business_on),
            "amount": col(Receipt.amount),
        },
        default="-received_at",
        tie=col(Receipt.id).desc(),
    )
    return await fetch_page(
        ctx,
        statement,
        listing,
        sorting=sorting,
        sums={"amount": col(Receipt.amount)},
        views=views,
        row=ReceiptRead,
    )


async def read_receipt(ctx: Ctx, receipt_id: UUID) -> ReceiptDetail:
    """Raises NotFound."""
    found = await ctx.session.execute(_rows().where(col(Receipt.id) == receipt_id))
    row = found.mappings().one_or_none()
    receipt = await ctx.get(Receipt, receipt_id)
    if row is None:
        raise NotFound
    opposite = await _opposite(ctx, receipt)
    return ReceiptDetail(
        id=receipt.id,
        number=receipt.number,
        site_name=row["site_name"],
        room_name=row["room_name"],
        payer_name=receipt.payer_name,
        method=receipt.method,
        amount=receipt.amount,
        tendered=receipt.tendered,
        change=receipt.change,
        business_on=receipt.business_on,
        received_at=receipt.created_at,
        cashier_name=row["cashier_name"],
        state=row["state"],
        linked_number=opposite[0].number if opposite else "",
        allocations=await _allocations(ctx, receipt_id),
        entries=await ledger.entries_of_source(ctx, SOURCE, receipt_id),
        timeline=_timeline(ctx, receipt, row["cashier_name"], opposite),
    )


async def _opposite(ctx: Ctx, receipt: Receipt) -> tuple[Receipt, str] | None:
    """The reversal of a receipt, or the receipt that a reversal takes back, and who made it."""
    other = aliased(Receipt)
    link = (
        col(other.reverses_id) == receipt.id
        if receipt.reverses_id is None
        else col(other.id) == receipt.reverses_id
    )
    found = await ctx.session.execute(
        select(other, func.coalesce(col(User.name), ""))
        .outerjoin(User, col(User.id) == col(other.created_by))
        .where(link)
    )
    row = found.one_or_none()
    return None if row is None else (row[0], row[1])


async def _allocations(ctx: Ctx, receipt_id: UUID) -> list[AllocationLine]:
    found = await ctx.session.execute(
        select(
            col(Bill.number),
            col(Item.name),
            col(Bill.period_from),
            col(Bill.period_to),
            col(Allocation.amount),
        )
        .select_from(Allocation)
        .join(Bill, col(Bill.id) == col(Allocation.bill_id))
        .join(Item, col(Item.id) == col(Bill.item_id))
        .where(col(Allocation.receipt_id) == receipt_id)
        .order_by(col(Bill.due_on), col(Item.allocation_priority), col(Bill.number))
    )
    return [
        AllocationLine(
            bill_number=number, item_name=item_name, period=closed(start, end), amount=amount
        )
        for number, item_name, start, end, amount in found
    ]


def _timeline(
    ctx: Ctx, receipt: Receipt, cashier: str, opposite: tuple[Receipt, str] | None
) -> list[TimelineEvent]:
    """What happened to a receipt, newest first."""
    pair = [(receipt, cashier)] + ([opposite] if opposite else [])
    return [
        _event(ctx, document, who)
        for document, who in sorted(pair, key=lambda one: one[0].created_at, reverse=True)
    ]


def _event(ctx: Ctx, document: Receipt, who: str) -> TimelineEvent:
    is_reversal = document.reverses_id is not None
    method = ctx.say(METHOD_LABELS[Method(document.method)][0])
    return TimelineEvent(
        at=document.created_at,
        title=f"{ctx.say('Reversed' if is_reversal else 'Received')} {abs(document.amount):,.2f}",
        text=f"{document.number} · {document.reason if is_reversal else method}",
        who=who,
        tone=Tone.bad if is_reversal else Tone.ok,
    )
