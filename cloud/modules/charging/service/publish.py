"""Publishing a run: drafts become bills with settlements, and the journal, in one transaction."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import (
    String,
    Uuid,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    select,
    union_all,
)
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.listing import Expression, Statement
from cloud.kernel.money import ZERO
from cloud.kernel.numbering import reserve_block
from cloud.kernel.periods import add_months
from cloud.modules.charging.models import Bill, Charge, Draft, Item, Run, RunState, Settlement
from cloud.modules.charging.rules import NOTICE_DAYS
from cloud.modules.charging.service.earning import NET, earned_by
from cloud.modules.ledger import service as ledger
from cloud.modules.ledger.rules import Occasion
from cloud.modules.ledger.service import Source

SERIES = "YS"

_COPIED = tuple(name for name in Charge.model_fields if name not in {"created_at", "created_by"})


async def publish_run(ctx: Ctx, *, run_id: UUID) -> Run:
    """Issue every draft of the run. Publishing what is published changes nothing.

    Numbers come from one block under the locked row of the series, so a roll-back leaves no gap.
    A zero bill is issued and is settled at once; it posts no lines. Raises PeriodClosed.
    """
    run = await ctx.get(Run, run_id, lock=True)
    if run.state != RunState.publishing or run.posted_at is not None:
        return run
    if run.bills:
        await _issue(ctx, run)
        await _open_settlements(ctx, run)
    if run.amount > ZERO:
        await ledger.post_set(
            ctx,
            site_id=run.org_id,
            business_on=ctx.business_on,
            summary=Occasion.run.about(run.number),
            source=Source("charging.run", run.id),
            lines=_lines(ctx, run),
        )
    await ctx.session.execute(delete(Draft).where(col(Draft.run_id) == run.id))
    run.posted_at = ctx.now
    return run


async def _issue(ctx: Ctx, run: Run) -> None:
    block = await reserve_block(ctx, org_id=run.org_id, series=SERIES, count=run.bills)
    place = func.row_number().over(order_by=(col(Draft.room_id), col(Draft.item_id), col(Draft.id)))
    number = func.to_char(block.first - 1 + place, "FM" + "9" * 12 + "0" * block.width)
    earliest = literal(ctx.business_on) + NOTICE_DAYS
    selected = select(
        *(
            func.greatest(col(Draft.due_on), earliest) if name == "due_on" else _draft(name)
            for name in _COPIED
        ),
        literal(ctx.now).label("created_at"),
        literal(ctx.principal.id).label("created_by"),
        (literal(block.prefix) + number + literal(block.suffix)).label("number"),
        literal(ctx.business_on).label("issued_on"),
    ).where(col(Draft.run_id) == run.id)
    columns = [*_COPIED, "created_at", "created_by", "number", "issued_on"]
    await ctx.session.execute(insert(Bill).from_select(columns, selected))


def _draft(name: str) -> Expression:
    column: Expression = Draft.__table__.c[name]  # type: ignore[attr-defined]
    return column


async def _open_settlements(ctx: Ctx, run: Run) -> None:
    columns = [
        "id",
        "company_id",
        "org_id",
        "created_at",
        "created_by",
        "version",
        "amount",
        "paid",
    ]
    selected = select(
        col(Bill.id),
        col(Bill.company_id),
        col(Bill.org_id),
        literal(ctx.now),
        literal(ctx.principal.id),
        literal(1),
        col(Bill.amount),
        literal(ZERO),
    ).where(col(Bill.run_id) == run.id)
    await ctx.session.execute(insert(Settlement).from_select(columns, selected))


def _lines(ctx: Ctx, run: Run) -> Statement:
    """Up to four lines a bill: receivable; income, or what is owed to the utility; output tax; and
    what later months will earn, which waits on the advance account until they are closed."""
    earned = earned_by(add_months(ctx.business_on.replace(day=1), 1))
    return select(
        union_all(
            _side(run, col(Item.receivable_id), debit=col(Bill.amount)),
            _side(run, col(Item.revenue_id), credit=earned),
            _side(run, col(Item.advance_id), credit=NET - earned),
            _side(run, col(Item.tax_id), credit=col(Bill.tax)),
        ).subquery()
    )


def _side(
    run: Run,
    account: Expression,
    *,
    debit: Expression | None = None,
    credit: Expression | None = None,
) -> Statement:
    moved = debit if debit is not None else credit
    assert moved is not None
    return (
        select(
            account.label("account_id"),
            col(Bill.legal_entity_id),
            (debit if debit is not None else literal(ZERO)).label("debit"),
            (credit if credit is not None else literal(ZERO)).label("credit"),
            col(Bill.room_id),
            col(Bill.payer_id).label("party_id"),
            col(Bill.item_id),
            col(Bill.id).label("bill_id"),
            cast(null(), Uuid()).label("cashier_id"),
            cast(null(), String()).label("channel"),
        )
        .select_from(Bill)
        .join(Item, col(Item.id) == col(Bill.item_id))
        .where(col(Bill.run_id) == run.id, moved > ZERO)
    )
