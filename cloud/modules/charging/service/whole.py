"""A small run worked through in the caller's own transaction: for seeds, and single objects."""

from __future__ import annotations

from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.modules.charging.models import Run, RunState
from cloud.modules.charging.service.generate import begin_drafts, generate_chunk
from cloud.modules.charging.service.publish import publish_run
from cloud.modules.charging.service.runs import finish_run, move
from cloud.modules.ledger import service as ledger


async def work_through(ctx: Ctx, *, run_id: UUID) -> Run:
    """Generate and publish a previewed run at once. Raises RunNotInState, PeriodClosed."""
    run = await ctx.get(Run, run_id, lock=True)
    move(run, RunState.generating)
    await begin_drafts(ctx, run_id=run.id)
    after: UUID | None = None
    while True:
        after = await generate_chunk(ctx, run_id=run.id, after=after)
        if after is None:
            break
    await finish_run(ctx, run_id=run.id, failure="")
    await ledger.check_open(ctx, site_id=run.org_id, business_on=ctx.business_on)
    move(run, RunState.publishing)
    await publish_run(ctx, run_id=run.id)
    return await finish_run(ctx, run_id=run.id, failure="")
