"""Computing a run: the preview, and the drafts in chunks."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlmodel import col

from cloud.kernel.bulk import insert_rows
from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.kernel.money import ZERO
from cloud.modules.charging.models import Draft, Run, RunState, Skip, SkipReason
from cloud.modules.charging.queries.inputs import Charged, charges_of, count_bindings
from cloud.modules.charging.rules import Basis, compute, due_on, snapshot_text
from cloud.modules.charging.service.runs import move

CHUNK = 5_000
PREVIEW_MAX = 200_000

_RECORD = ("id", "company_id", "org_id", "created_at", "created_by", "version", "run_id")
_DRAFT = (
    *_RECORD,
    "binding_id",
    "room_id",
    "room_name",
    "payer_id",
    "payer_name",
    "item_id",
    "legal_entity_id",
    "cycle_from",
    "period_from",
    "period_to",
    "quantity",
    "unit_price",
    "raw_amount",
    "amount",
    "tax",
    "due_on",
    "snapshot",
)
_SKIP = (*_RECORD, "binding_id", "cycle_from", "room_name", "item_id", "reason")

Row = tuple[object, ...]


async def preview_run(ctx: Ctx, *, run_id: UUID) -> Run:
    """Compute the whole run without writing a charge: totals, and who is skipped and why.

    May be repeated; each time replaces the last. Raises RunNotInState once it is generated.
    """
    run = await ctx.get(Run, run_id, lock=True)
    move(run, RunState.previewed)
    run.work_total = await count_bindings(ctx, run)
    run.bills, run.amount = 0, ZERO
    await ctx.session.execute(delete(Skip).where(col(Skip.run_id) == run.id))
    after: UUID | None = None
    for _ in range(PREVIEW_MAX // CHUNK):
        charges, after = await charges_of(ctx, run, after=after, limit=CHUNK)
        amounts = [compute(c.outcome).amount for c in charges if isinstance(c.outcome, Basis)]
        run.bills += len(amounts)
        run.amount += sum(amounts, ZERO)
        await _write_skips(ctx, run, charges)
        if after is None:
            break
    run.skipped = await _count(ctx, run, Skip)
    return run


async def begin_drafts(ctx: Ctx, *, run_id: UUID) -> None:
    """Clear what a former attempt left, so that a retried job starts from the same place."""
    run = await ctx.get(Run, run_id, lock=True)
    if run.state != RunState.generating:
        return
    await ctx.session.execute(delete(Draft).where(col(Draft.run_id) == run.id))
    await ctx.session.execute(delete(Skip).where(col(Skip.run_id) == run.id))
    run.bills, run.amount, run.skipped, run.work_done = 0, ZERO, 0, 0
    run.work_total = await count_bindings(ctx, run)


async def generate_chunk(ctx: Ctx, *, run_id: UUID, after: UUID | None) -> UUID | None:
    """Write the drafts of the next chunk; answers where to go on, None when all are written.

    Written twice, a charge stays one: its key is the run, the binding and the cycle.
    """
    run = await ctx.get(Run, run_id, lock=True)
    if run.state != RunState.generating:
        return None
    charges, following = await charges_of(ctx, run, after=after, limit=CHUNK)
    await insert_rows(ctx, "charging_draft", _DRAFT, _draft_rows(ctx, run, charges))
    await _write_skips(ctx, run, charges)
    run.work_done = run.work_total if following is None else run.work_done + CHUNK
    if following is None:
        totals = await ctx.session.execute(
            select(func.count(), func.coalesce(func.sum(col(Draft.amount)), 0)).where(
                col(Draft.run_id) == run.id
            )
        )
        run.bills, run.amount = totals.one()
        run.skipped = await _count(ctx, run, Skip)
    return following


def _draft_rows(ctx: Ctx, run: Run, charges: Iterable[Charged]) -> Iterable[Row]:
    record, issued_on = _record(ctx, run), ctx.business_on
    for charge in charges:
        basis = charge.outcome
        if not isinstance(basis, Basis):
            continue
        assert charge.payer is not None
        computed = compute(basis)
        bound = charge.bound
        yield (
            uuid7(),
            *record,
            bound.binding_id,
            bound.room_id,
            bound.room_name,
            charge.payer.id,
            charge.payer.name,
            bound.item_id,
            bound.legal_entity_id,
            charge.cycle.start,
            charge.period.start,
            charge.period.end,
            basis.quantity,
            basis.segments[-1].unit_price,
            _plain(computed.raw),
            computed.amount,
            computed.tax,
            due_on(
                timing=bound.timing,
                cycle=charge.cycle,
                due_days=bound.due_days,
                issued_on=issued_on,
            ),
            snapshot_text(basis),
        )


def _plain(value: Decimal) -> str:
    return f"{value:f}"


async def _write_skips(ctx: Ctx, run: Run, charges: Iterable[Charged]) -> None:
    record = _record(ctx, run)
    await insert_rows(
        ctx,
        "charging_skip",
        _SKIP,
        (
            (
                uuid7(),
                *record,
                charge.bound.binding_id,
                charge.cycle.start,
                charge.bound.room_name,
                charge.bound.item_id,
                charge.outcome.value,
            )
            for charge in charges
            if isinstance(charge.outcome, SkipReason)
        ),
    )


def _record(ctx: Ctx, run: Run) -> Row:
    """What every row of a chunk has in common after its id, as text: written out only once."""
    by = ctx.principal.id
    common = (run.company_id, run.org_id, ctx.now, by, 1, run.id)
    return tuple(None if value is None else str(value) for value in common)


async def _count(ctx: Ctx, run: Run, model: type[Skip]) -> int:
    found = await ctx.session.execute(
        select(func.count()).select_from(model).where(col(model.run_id) == run.id)
    )
    return int(found.scalar_one())
