"""The statement of a room: what was charged and paid, line by line, with a running balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import FieldError, NotFound, Unprocessable
from cloud.kernel.listing import Expression
from cloud.kernel.money import ZERO
from cloud.kernel.periods import EmptyPeriod, Period, add_months
from cloud.modules.charging.models import Bill, Item
from cloud.modules.charging.queries.runs import closed
from cloud.modules.organization.models import Unit
from cloud.modules.receiving.models import (
    Allocation,
    Deposit,
    DepositMove,
    MoveKind,
    Payout,
    PayoutKind,
    PrepaidAccount,
    PrepaidMove,
    Receipt,
)
from cloud.modules.receiving.queries.methods import names_of_methods
from cloud.modules.receiving.rules import LineKind
from cloud.modules.receiving.schemas import RoomStatement, StatementLine
from cloud.modules.resources import queries as resources

LINES_MAX = 1_000
MONTHS_SHOWN = 12


class StatementPeriodEmpty(Unprocessable):
    message = "The end of the statement is before its start."


class StatementTooLong(Unprocessable):
    message = "The statement has more than {lines} lines. Choose a shorter period."


@dataclass(frozen=True)
class _Movement:
    """A line before its balances are known: what the room owes more, and what we hold more."""

    on: date
    at: datetime
    kind: LineKind
    number: str
    summary: str
    owed: Decimal = ZERO
    prepaid: Decimal = ZERO
    deposit: Decimal = ZERO


@dataclass(frozen=True)
class _Balances:
    owed: Decimal
    prepaid: Decimal
    deposits: Decimal


async def read_statement(
    ctx: Ctx, room_id: UUID, *, first: date | None, last: date | None
) -> RoomStatement:
    """The last twelve months up to today unless a period is given, closed at both ends.

    Raises NotFound, StatementPeriodEmpty and StatementTooLong.
    """
    room = await resources.get_room(ctx, room_id)
    site = await ctx.find(Unit, room.site_id)
    if site is None:
        raise NotFound
    last = last or ctx.business_on
    first = first or add_months(last.replace(day=1), 1 - MONTHS_SHOWN)
    try:
        period = Period.closed(first, last)
    except EmptyPeriod:
        raise StatementPeriodEmpty(
            fields=(FieldError("period_to", "statement-period-empty"),)
        ) from None
    opening = await _before(ctx, room_id, period.start)
    movements = [
        *await _bills(ctx, room_id, period),
        *await _receipts(ctx, room_id, period),
        *await _payouts(ctx, room_id, period),
        *await _deductions(ctx, room_id, period),
    ]
    if len(movements) > LINES_MAX:
        raise StatementTooLong(lines=LINES_MAX)
    lines = _lines(opening, sorted(movements, key=lambda line: (line.on, line.at, line.number)))
    return RoomStatement(
        id=room.id,
        room_name=room.full_name,
        room_code=room.path,
        site_name=site.name,
        period=closed(period.start, period.end),
        opening=opening.owed,
        charged=sum((line.charge or ZERO for line in lines), ZERO),
        paid=sum((line.payment or ZERO for line in lines), ZERO),
        closing=lines[-1].balance if lines else opening.owed,
        prepaid=lines[-1].prepaid_balance if lines else opening.prepaid,
        deposits=lines[-1].deposit_balance if lines else opening.deposits,
        lines=lines,
    )


def _lines(opening: _Balances, movements: list[_Movement]) -> list[StatementLine]:
    owed, prepaid, deposits = opening.owed, opening.prepaid, opening.deposits
    lines = []
    for moved in movements:
        owed += moved.owed
        prepaid += moved.prepaid
        deposits += moved.deposit
        is_charge = moved.kind is LineKind.bill
        lines.append(
            StatementLine(
                on=moved.on,
                kind=moved.kind.value,
                number=moved.number,
                summary=moved.summary,
                charge=moved.owed if is_charge else None,
                payment=None if is_charge or not moved.owed else -moved.owed,
                balance=owed,
                prepaid=moved.prepaid or None,
                prepaid_balance=prepaid,
                deposit=moved.deposit or None,
                deposit_balance=deposits,
            )
        )
    return lines


async def _before(ctx: Ctx, room_id: UUID, day: date) -> _Balances:
    def total(column: Expression, *wanted: Any, through: Any = None) -> Any:
        statement = select(func.coalesce(func.sum(column), ZERO)).where(*wanted)
        if through is not None:
            statement = statement.join(*through)
        return statement.scalar_subquery()

    found = await ctx.session.execute(
        select(
            total(col(Bill.amount), col(Bill.room_id) == room_id, col(Bill.issued_on) < day),
            total(
                col(Allocation.amount),
                col(Receipt.room_id) == room_id,
                col(Receipt.business_on) < day,
                through=(Receipt, col(Receipt.id) == col(Allocation.receipt_id)),
            ),
            total(
                col(PrepaidMove.amount),
                col(PrepaidAccount.room_id) == room_id,
                col(PrepaidMove.business_on) < day,
                through=(PrepaidAccount, col(PrepaidAccount.id) == col(PrepaidMove.account_id)),
            ),
            total(
                col(DepositMove.amount),
                col(Deposit.room_id) == room_id,
                col(DepositMove.business_on) < day,
                through=(Deposit, col(Deposit.id) == col(DepositMove.deposit_id)),
            ),
        )
    )
    charged, paid, prepaid, deposits = (Decimal(value) for value in found.one())
    return _Balances(charged - paid, prepaid, deposits)


async def _bills(ctx: Ctx, room_id: UUID, period: Period) -> list[_Movement]:
    found = await ctx.session.execute(
        select(Bill, col(Item.name))
        .join(Item, col(Item.id) == col(Bill.item_id))
        .where(
            col(Bill.room_id) == room_id,
            col(Bill.issued_on) >= period.start,
            col(Bill.issued_on) < period.end,
        )
        .limit(LINES_MAX + 1)
    )
    return [
        _Movement(
            on=bill.issued_on,
            at=bill.created_at,
            kind=LineKind.bill,
            number=bill.number,
            summary=f"{item} {bill.period_from} ~ {Period(bill.period_from, bill.period_to).last}",
            owed=bill.amount,
        )
        for bill, item in found
    ]


async def _receipts(ctx: Ctx, room_id: UUID, period: Period) -> list[_Movement]:
    names = await names_of_methods(ctx)
    found = await ctx.session.execute(
        select(
            Receipt,
            _of_receipt(col(Allocation.amount), col(Allocation.receipt_id)),
            _of_receipt(col(PrepaidMove.amount), col(PrepaidMove.receipt_id)),
            _of_receipt(col(DepositMove.amount), col(DepositMove.receipt_id)),
        )
        .where(
            col(Receipt.room_id) == room_id,
            col(Receipt.business_on) >= period.start,
            col(Receipt.business_on) < period.end,
        )
        .limit(LINES_MAX + 1)
    )
    return [
        _Movement(
            on=receipt.business_on,
            at=receipt.created_at,
            kind=LineKind.reversal if receipt.reverses_id else LineKind.receipt,
            number=receipt.number,
            summary=receipt.reason or names.get(receipt.method, receipt.method),
            owed=-paid,
            prepaid=prepaid,
            deposit=deposit,
        )
        for receipt, paid, prepaid, deposit in found
    ]


def _of_receipt(amount: Expression, receipt_id: Expression) -> Any:
    return (
        select(func.coalesce(func.sum(amount), ZERO))
        .where(receipt_id == col(Receipt.id))
        .correlate(Receipt)
        .scalar_subquery()
    )


async def _payouts(ctx: Ctx, room_id: UUID, period: Period) -> list[_Movement]:
    found = await ctx.session.execute(
        select(Payout)
        .where(
            col(Payout.room_id) == room_id,
            col(Payout.business_on) >= period.start,
            col(Payout.business_on) < period.end,
        )
        .limit(LINES_MAX + 1)
    )
    return [
        _Movement(
            on=payout.business_on,
            at=payout.created_at,
            kind=LineKind.refund,
            number=payout.number,
            summary=payout.reason,
            prepaid=-payout.amount if payout.kind == PayoutKind.prepaid else ZERO,
            deposit=-payout.amount if payout.kind == PayoutKind.deposit else ZERO,
        )
        for payout in found.scalars()
    ]


async def _deductions(ctx: Ctx, room_id: UUID, period: Period) -> list[_Movement]:
    """What was kept of a deposit has no document but its move."""
    found = await ctx.session.execute(
        select(DepositMove)
        .join(Deposit, col(Deposit.id) == col(DepositMove.deposit_id))
        .where(
            col(Deposit.room_id) == room_id,
            col(DepositMove.kind) == MoveKind.deducted,
            col(DepositMove.business_on) >= period.start,
            col(DepositMove.business_on) < period.end,
        )
        .limit(LINES_MAX + 1)
    )
    return [
        _Movement(
            on=move.business_on,
            at=move.created_at,
            kind=LineKind.deduction,
            number="",
            summary=move.reason,
            deposit=move.amount,
        )
        for move in found.scalars()
    ]
