"""Reads of receipts: the list, and one of them with its bills and its entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import case, exists, func, or_, select
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
from cloud.kernel.money import ZERO
from cloud.kernel.ui.language import Tone
from cloud.modules.accounts.models import User
from cloud.modules.charging.models import Bill, Item
from cloud.modules.charging.queries.runs import closed
from cloud.modules.charging.schemas import TimelineEvent
from cloud.modules.ledger import queries as ledger
from cloud.modules.ledger.models import Account
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit
from cloud.modules.receiving.models import (
    OFFSETS,
    Allocation,
    Deposit,
    DepositItem,
    DepositMove,
    MethodLine,
    PrepaidAccount,
    PrepaidMove,
    Receipt,
    ReceiptState,
)
from cloud.modules.receiving.queries.methods import named, names_of_methods
from cloud.modules.receiving.schemas import (
    AllocationLine,
    HeldLine,
    MethodLineRead,
    ReceiptDetail,
    ReceiptRead,
)
from cloud.modules.resources import queries as resources
from cloud.modules.resources.models import Space

SOURCE = "receiving.receipt"


def is_reversed() -> Any:
    """Whether the receipt of the surrounding row has its linked opposite."""
    opposite = aliased(Receipt)
    return exists().where(col(opposite.reverses_id) == col(Receipt.id)).correlate(Receipt)


def _state() -> Expression:
    return case(
        (col(Receipt.reverses_id).is_not(None), ReceiptState.reversal.value),
        (is_reversed(), ReceiptState.reversed.value),
        else_=ReceiptState.received.value,
    )


def _offset() -> Expression:
    """What of a receipt was no money: paid out of a prepayment or a deposit."""
    return (
        select(func.coalesce(func.sum(col(MethodLine.amount)), ZERO))
        .where(col(MethodLine.receipt_id) == col(Receipt.id), col(MethodLine.kind).in_(OFFSETS))
        .correlate(Receipt)
        .scalar_subquery()
    )


def _rows(ctx: Ctx) -> Statement:
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
            named(ctx, col(Receipt.method)).label("method_name"),
            col(Receipt.amount).label("amount"),
            _offset().label("offset"),
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
    method: str | None,
    state: ReceiptState | None,
    period_from: date | None,
    period_to: date | None,
) -> dict[str, Any]:
    """Receipts and their reversals; the sum is what stayed."""
    statement = _rows(ctx)
    statement = await organization.within(ctx, statement, col(Receipt.org_id), listing.site_id)
    views = {
        "all": await count(ctx, statement),
        "reversal": await count(ctx, statement.where(col(Receipt.reverses_id).is_not(None))),
    }
    if method is not None:
        by_it = select(col(MethodLine.receipt_id)).where(col(MethodLine.code) == method)
        statement = statement.where(col(Receipt.id).in_(by_it))
    if state is not None:
        statement = statement.where(_state() == state.value)
    if period_from is not None:
        statement = statement.where(col(Receipt.business_on) >= period_from)
    if period_to is not None:
        statement = statement.where(col(Receipt.business_on) <= period_to)
    rooms = resources.rooms_at(listing.q)
    if rooms is not None:
        statement = statement.where(col(Receipt.room_id).in_(rooms))
    elif listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(
                col(Receipt.number).like(wanted),
                col(Receipt.payer_name).like(wanted),
                col(Space.full_name).like(wanted),
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
        sums={"amount": col(Receipt.amount), "offset": _offset()},
        views=views,
        row=ReceiptRead,
    )


async def read_receipt(ctx: Ctx, receipt_id: UUID) -> ReceiptDetail:
    """Raises NotFound."""
    found = await ctx.session.execute(_rows(ctx).where(col(Receipt.id) == receipt_id))
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
        method_name=row["method_name"],
        amount=receipt.amount,
        tendered=receipt.tendered,
        change=receipt.change,
        business_on=receipt.business_on,
        received_at=receipt.created_at,
        cashier_name=row["cashier_name"],
        state=row["state"],
        linked_number=opposite[0].number if opposite else "",
        lines=await _lines(ctx, receipt_id),
        allocations=await _allocations(ctx, receipt_id),
        held=await _held(ctx, receipt_id),
        entries=await ledger.entries_of_source(ctx, SOURCE, receipt_id),
        timeline=await _timeline(ctx, receipt, row["cashier_name"], opposite),
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


async def _lines(ctx: Ctx, receipt_id: UUID) -> list[MethodLineRead]:
    names = await names_of_methods(ctx)
    found = await ctx.session.execute(
        select(MethodLine, col(Account.code), col(Account.name))
        .join(Account, col(Account.id) == col(MethodLine.account_id))
        .where(col(MethodLine.receipt_id) == receipt_id)
        .order_by(col(MethodLine.place))
    )
    return [
        MethodLineRead(
            method_name=names.get(line.code, line.code),
            account=f"{code} {name}",
            amount=line.amount,
        )
        for line, code, name in found
    ]


async def _held(ctx: Ctx, receipt_id: UUID) -> list[HeldLine]:
    """What the receipt did to prepaid accounts and deposits."""
    prepaid = await ctx.session.execute(
        select(PrepaidMove, col(Item.name))
        .join(PrepaidAccount, col(PrepaidAccount.id) == col(PrepaidMove.account_id))
        .outerjoin(Item, col(Item.id) == col(PrepaidAccount.item_id))
        .where(col(PrepaidMove.receipt_id) == receipt_id)
        .order_by(col(PrepaidMove.id))
    )
    deposits = await ctx.session.execute(
        select(DepositMove, col(DepositItem.name))
        .join(Deposit, col(Deposit.id) == col(DepositMove.deposit_id))
        .join(DepositItem, col(DepositItem.id) == col(Deposit.item_id))
        .where(col(DepositMove.receipt_id) == receipt_id)
        .order_by(col(DepositMove.id))
    )
    ahead = ctx.say("Prepaid")
    moves: list[tuple[str, PrepaidMove | DepositMove]] = [
        (f"{ahead} · {name}" if name else ahead, move) for move, name in prepaid
    ]
    moves += [(name, move) for move, name in deposits]
    return [
        HeldLine(name=name, kind=move.kind, amount=move.amount, balance=move.balance)
        for name, move in moves
    ]


async def _timeline(
    ctx: Ctx, receipt: Receipt, cashier: str, opposite: tuple[Receipt, str] | None
) -> list[TimelineEvent]:
    """What happened to a receipt, newest first."""
    names = await names_of_methods(ctx)
    pair = [(receipt, cashier)] + ([opposite] if opposite else [])
    return [
        _event(ctx, document, who, names)
        for document, who in sorted(pair, key=lambda one: one[0].created_at, reverse=True)
    ]


def _event(ctx: Ctx, document: Receipt, who: str, names: Mapping[str, str]) -> TimelineEvent:
    is_reversal = document.reverses_id is not None
    method = names.get(document.method, document.method)
    return TimelineEvent(
        at=document.created_at,
        title=f"{ctx.say('Reversed' if is_reversal else 'Received')} {abs(document.amount):,.2f}",
        text=f"{document.number} · {document.reason if is_reversal else method}",
        who=who,
        tone=Tone.bad if is_reversal else Tone.ok,
    )
