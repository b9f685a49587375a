"""Reads of runs: the list, one run with its drafts and skips, and its progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.listing import Listing, Sorting, Statement, contains, fetch_page
from cloud.kernel.periods import ONE_DAY, Period
from cloud.modules.charging.models import Bill, Draft, Item, Run, RunState, Skip
from cloud.modules.charging.queries.explain import basis_text
from cloud.modules.charging.queries.inputs import Charged, charges_of
from cloud.modules.charging.rules import Basis, compute, due_on, from_snapshot
from cloud.modules.charging.schemas import (
    ClosedPeriod,
    DraftLine,
    RunDetail,
    RunRead,
    SkipLine,
)
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit

LINES_SHOWN_MAX = 200


def _items() -> Any:
    return (
        select(func.string_agg(col(Item.name), "、"))
        .where(col(Item.id) == func.any(col(Run.item_ids)))
        .correlate(Run)
        .scalar_subquery()
    )


def _rows() -> Statement:
    return (
        select(Run, col(Unit.name).label("site_name"), _items().label("items"))
        .select_from(Run)
        .join(Unit, col(Unit.id) == col(Run.org_id))
    )


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    run: Run = row["Run"]
    return {
        "id": run.id,
        "number": run.number,
        "site_id": run.org_id,
        "site_name": row["site_name"],
        "period": closed(run.period_from, run.period_to),
        "items": row["items"] or "",
        "state": run.state,
        "bills": run.bills,
        "amount": run.amount,
        "skipped": run.skipped,
        "created_at": run.created_at,
        "failure": run.failure,
    }


def closed(start: Any, end: Any) -> ClosedPeriod:
    return ClosedPeriod.model_validate({"from": start, "to": end - ONE_DAY})


async def list_runs(ctx: Ctx, listing: Listing, *, state: RunState | None) -> dict[str, Any]:
    statement = _rows()
    statement = await organization.within(ctx, statement, col(Run.org_id), listing.site_id)
    if state is not None:
        statement = statement.where(col(Run.state) == state)
    if listing.q:
        statement = statement.where(col(Run.number).like(contains(listing.q)))
    sorting = Sorting(
        by={"number": col(Run.number), "created_at": col(Run.created_at)},
        default="-created_at",
        tie=col(Run.id),
    )
    page = await fetch_page(ctx, statement, listing, sorting=sorting)
    page["items"] = [RunRead.model_validate(_read(row)) for row in page["items"]]
    return page


async def read_run(ctx: Ctx, run_id: UUID) -> RunDetail:
    """One run with its first lines: computed anew while it is previewed. Raises NotFound."""
    run = await ctx.get(Run, run_id)
    found = await ctx.session.execute(_rows().where(col(Run.id) == run_id))
    row = found.mappings().one()
    names = await _item_names(ctx, run)
    match run.state:
        case RunState.draft | RunState.previewed:
            drafts = await _preview_lines(ctx, run, names)
        case RunState.published:
            drafts = await _kept_lines(ctx, Bill, run, names)
        case _:
            drafts = await _kept_lines(ctx, Draft, run, names)
    return RunDetail.model_validate(
        {
            **_read(dict(row)),
            "progress": run.progress,
            "drafts": drafts,
            "skips": await _skip_lines(ctx, run, names),
        }
    )


async def _item_names(ctx: Ctx, run: Run) -> dict[UUID, str]:
    found = await ctx.session.execute(
        select(col(Item.id), col(Item.name)).where(col(Item.id).in_(run.item_ids))
    )
    return {row.id: row.name for row in found}


async def _preview_lines(ctx: Ctx, run: Run, names: dict[UUID, str]) -> list[DraftLine]:
    charges, _ = await charges_of(ctx, run, after=None, limit=LINES_SHOWN_MAX)
    return [
        _preview_line(ctx, charge, charge.outcome, names)
        for charge in charges
        if isinstance(charge.outcome, Basis)
    ]


def _preview_line(ctx: Ctx, charge: Charged, basis: Basis, names: dict[UUID, str]) -> DraftLine:
    assert charge.payer is not None
    bound = charge.bound
    period: Period = charge.period
    return DraftLine(
        room_name=bound.room_name,
        item_name=names[bound.item_id],
        payer_name=charge.payer.name,
        period=closed(period.start, period.end),
        basis=basis_text(ctx, basis),
        amount=compute(basis).amount,
        due_on=due_on(
            timing=bound.timing,
            cycle=charge.cycle,
            due_days=bound.due_days,
            issued_on=ctx.business_on,
        ),
    )


async def _kept_lines(
    ctx: Ctx, kept: type[Bill | Draft], run: Run, names: dict[UUID, str]
) -> list[DraftLine]:
    found = await ctx.session.execute(
        select(kept)
        .where(col(kept.run_id) == run.id)
        .order_by(col(kept.room_name), col(kept.id))
        .limit(LINES_SHOWN_MAX)
    )
    return [
        DraftLine(
            room_name=line.room_name,
            item_name=names[line.item_id],
            payer_name=line.payer_name,
            period=closed(line.period_from, line.period_to),
            basis=basis_text(ctx, from_snapshot(line.snapshot)),
            amount=line.amount,
            due_on=line.due_on,
        )
        for line in found.scalars()
    ]


async def _skip_lines(ctx: Ctx, run: Run, names: dict[UUID, str]) -> list[SkipLine]:
    found = await ctx.session.execute(
        select(Skip)
        .where(col(Skip.run_id) == run.id)
        .order_by(col(Skip.reason), col(Skip.room_name), col(Skip.id))
        .limit(LINES_SHOWN_MAX)
    )
    return [
        SkipLine(
            room_name=skip.room_name, item_name=names.get(skip.item_id, ""), reason=skip.reason
        )
        for skip in found.scalars()
    ]
