"""What is earned of a bill: its net amount, month by month of the time that it charges for."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import String, Uuid, case, cast, func, literal, null, select, union_all
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict
from cloud.kernel.listing import Expression, Statement
from cloud.kernel.money import ZERO
from cloud.kernel.periods import add_months
from cloud.modules.charging.models import Bill, Item, Run, RunState
from cloud.modules.ledger import service as ledger
from cloud.modules.ledger.events import MonthClosing
from cloud.modules.ledger.models import Line
from cloud.modules.ledger.rules import Occasion
from cloud.modules.ledger.service import Source

NET = col(Bill.amount) - col(Bill.tax)


class RunsUnpublished(Conflict):
    message = (
        "{count} bill runs of {month} or before are not published, {number} first. Publish or"
        " cancel them."
    )


def earned_by(day: date) -> Expression:
    """What of a bill's net amount is earned before a day, to the cent.

    Whole months are equal, and the days of a month are equal parts of it. Each month earns the
    difference to the month before, so that nothing is left at the end. What is collected for a
    utility is never ours, and stands on one account from the start.
    """
    until, start = col(Bill.period_to), col(Bill.period_from)
    parts = func.charging_month_parts
    passed, whole = parts(day) - parts(start), parts(until) - parts(start)
    earned: Expression = case(
        (col(Item.advance_id) == col(Item.revenue_id), NET),
        (until <= day, NET),
        (start >= day, literal(ZERO)),
        else_=func.round(NET * passed / whole, 2),
    )
    return earned


async def earn_month(ctx: Ctx, event: MonthClosing) -> None:
    """Move what the month has earned from the advance account to income, on its last day.

    Looks at what is left of each bill there, so it also earns what an earlier month has missed,
    and nothing twice when a month is closed anew. Raises RunsUnpublished.
    """
    end = add_months(event.month, 1)
    await _refuse_unpublished(ctx, event, end)
    moved = _moved(event, end).subquery()
    total = (await ctx.session.execute(select(func.sum(moved.c.amount)))).scalar_one()
    if not total:
        return
    await ledger.post_set(
        ctx,
        site_id=event.site_id,
        business_on=end - timedelta(days=1),
        summary=Occasion.earning.about(f"{event.month:%Y-%m}"),
        source=Source("charging.earning", event.closing_id),
        lines=_lines(event, end),
    )


async def _refuse_unpublished(ctx: Ctx, event: MonthClosing, end: date) -> None:
    found = await ctx.session.execute(
        select(func.count(), func.min(col(Run.number))).where(
            col(Run.org_id) == event.site_id,
            col(Run.period_from) < end,
            col(Run.state).not_in([RunState.published, RunState.cancelled]),
        )
    )
    count, number = found.one()
    if count:
        raise RunsUnpublished(count=count, number=number, month=f"{event.month:%Y-%m}")


def _moved(event: MonthClosing, end: date) -> Statement:
    """By bill, what stands on the advance account above what later months will earn."""
    left = (
        select(
            col(Line.bill_id).label("bill_id"),
            func.sum(col(Line.credit) - col(Line.debit)).label("left"),
        )
        .where(
            col(Line.org_id) == event.site_id,
            col(Line.account_id).in_(select(col(Item.advance_id))),
            col(Line.bill_id).is_not(None),
        )
        .group_by(col(Line.bill_id))
        .subquery()
    )
    amount = left.c.left - (NET - earned_by(end))
    return (
        select(
            col(Bill.id).label("bill_id"),
            col(Bill.legal_entity_id).label("legal_entity_id"),
            col(Bill.room_id).label("room_id"),
            col(Bill.payer_id).label("party_id"),
            col(Bill.item_id).label("item_id"),
            col(Item.advance_id).label("advance_id"),
            col(Item.revenue_id).label("revenue_id"),
            amount.label("amount"),
        )
        .select_from(left)
        .join(Bill, col(Bill.id) == left.c.bill_id)
        .join(Item, col(Item.id) == col(Bill.item_id))
        .where(amount > ZERO, col(Item.advance_id) != col(Item.revenue_id))
    )


def _lines(event: MonthClosing, end: date) -> Statement:
    moved = _moved(event, end).cte("moved")
    zero = literal(ZERO)

    def side(account: Expression, debit: Expression, credit: Expression) -> Statement:
        return select(
            account.label("account_id"),
            moved.c.legal_entity_id,
            debit.label("debit"),
            credit.label("credit"),
            moved.c.room_id,
            moved.c.party_id,
            moved.c.item_id,
            moved.c.bill_id,
            cast(null(), Uuid()).label("cashier_id"),
            cast(null(), String()).label("channel"),
        )

    return select(
        union_all(
            side(moved.c.advance_id, moved.c.amount, zero),
            side(moved.c.revenue_id, zero, moved.c.amount),
        ).subquery()
    )
