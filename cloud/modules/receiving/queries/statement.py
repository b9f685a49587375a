"""The statement of a room: what was charged and paid, line by line, with a running balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import FieldError, NotFound, Unprocessable
from cloud.kernel.money import ZERO
from cloud.kernel.periods import EmptyPeriod, Period, add_months
from cloud.modules.charging.models import Bill, Item
from cloud.modules.charging.queries.runs import closed
from cloud.modules.organization.models import Unit
from cloud.modules.receiving.models import Method, Receipt
from cloud.modules.receiving.rules import METHOD_LABELS, LineKind
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
    """A line before its balance is known. `amount` is what the room owes more, or less."""

    on: date
    at: datetime
    kind: LineKind
    number: str
    summary: str
    amount: Decimal


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
    opening = await _owed_before(ctx, room_id, period.start)
    movements = [
        *await _bills(ctx, room_id, period),
        *await _receipts(ctx, room_id, period),
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
        opening=opening,
        charged=sum((line.charge or ZERO for line in lines), ZERO),
        paid=sum((line.payment or ZERO for line in lines), ZERO),
        closing=lines[-1].balance if lines else opening,
        lines=lines,
    )


def _lines(opening: Decimal, movements: list[_Movement]) -> list[StatementLine]:
    balance = opening
    lines = []
    for moved in movements:
        balance += moved.amount
        is_charge = moved.kind is LineKind.bill
        lines.append(
            StatementLine(
                on=moved.on,
                kind=moved.kind.value,
                number=moved.number,
                summary=moved.summary,
                charge=moved.amount if is_charge else None,
                payment=None if is_charge else -moved.amount,
                balance=balance,
            )
        )
    return lines


async def _owed_before(ctx: Ctx, room_id: UUID, day: date) -> Decimal:
    charged = select(func.coalesce(func.sum(col(Bill.amount)), ZERO)).where(
        col(Bill.room_id) == room_id, col(Bill.issued_on) < day
    )
    paid = select(func.coalesce(func.sum(col(Receipt.amount)), ZERO)).where(
        col(Receipt.room_id) == room_id, col(Receipt.business_on) < day
    )
    found = await ctx.session.execute(select(charged.scalar_subquery(), paid.scalar_subquery()))
    charges, payments = found.one()
    return Decimal(charges) - Decimal(payments)


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
            amount=bill.amount,
        )
        for bill, item in found
    ]


async def _receipts(ctx: Ctx, room_id: UUID, period: Period) -> list[_Movement]:
    found = await ctx.session.execute(
        select(Receipt)
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
            summary=receipt.reason or ctx.say(METHOD_LABELS[Method(receipt.method)][0]),
            amount=-receipt.amount,
        )
        for receipt in found.scalars()
    ]
