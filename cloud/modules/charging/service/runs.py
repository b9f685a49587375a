"""The life of a run: created and previewed here, accepted and ended as turns of its site.

Long work never sits in the site's mailbox: a turn accepts it and defers a job in the same
transaction, the job works in chunks, and a second turn records how it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound, Unprocessable
from cloud.kernel.jobs import defer
from cloud.kernel.listing import count
from cloud.kernel.money import ZERO
from cloud.kernel.numbering import next_number
from cloud.kernel.periods import EmptyPeriod, Period
from cloud.modules.charging.events import BillsPublished
from cloud.modules.charging.models import Bill, Draft, Item, Run, RunState, Skip, SkipReason
from cloud.modules.charging.rules import TRANSITIONS
from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.ledger import service as ledger
from cloud.modules.organization import queries as organization

SERIES = "CZ"
RUN_MONTHS_MAX = 12


class PeriodBackwards(Unprocessable):
    message = "The last day is before the first. Choose a last day on or after {first}."


class PeriodTooLong(Unprocessable):
    message = "A run covers at most {months} months. Split it into several runs."


class RunNotInState(Conflict):
    message = "Run {number} is {state}: it cannot become {wanted} now."


class NothingToBill(Conflict):
    message = (
        "There is nothing to bill in {period}: all {billed} charges are already billed,"
        " {skipped} are skipped for other reasons. Look at the skipped list of the preview."
    )


class DraftsAlreadyBilled(Conflict):
    message = (
        "{count} drafts of run {number} were billed by another run in the meantime."
        " Cancel this run and generate again: only what is missing will be billed."
    )


class AnotherRunPublishing(Conflict):
    message = "Run {number} of this community is being published. Wait until it has finished."


async def create_run(
    ctx: Ctx, *, site_id: UUID, item_ids: Sequence[UUID], period: ClosedPeriod
) -> Run:
    """A draft run. Raises PeriodBackwards, PeriodTooLong, NotFound for an item out of scope."""
    site = await organization.get_site(ctx, site_id)
    try:
        dates = Period.closed(period.first, period.last)
    except EmptyPeriod:
        raise PeriodBackwards(
            first=period.first, fields=(FieldError("period", "period-backwards"),)
        ) from None
    if len(list(dates.months())) > RUN_MONTHS_MAX:
        raise PeriodTooLong(
            months=RUN_MONTHS_MAX, fields=(FieldError("period", "period-too-long"),)
        )
    known = set(
        (
            await ctx.session.execute(select(col(Item.id)).where(col(Item.id).in_(item_ids)))
        ).scalars()
    )
    if known != set(item_ids):
        raise NotFound(fields=(FieldError("item_ids", "not-found"),))
    run = Run(
        **ctx.stamp(site.id),
        number=await next_number(ctx, org_id=site.id, series=SERIES),
        period_from=dates.start,
        period_to=dates.end,
        item_ids=sorted(known),
        state=RunState.draft,
        amount=ZERO,
    )
    ctx.session.add(run)
    return run


async def cancel_run(ctx: Ctx, *, run_id: UUID) -> Run:
    """Drop a run that is not published, with its drafts. Raises RunNotInState."""
    run = await ctx.get(Run, run_id, lock=True)
    move(run, RunState.cancelled)
    await ctx.session.execute(delete(Draft).where(col(Draft.run_id) == run.id))
    await audit.record(
        ctx,
        action="charging.run.cancelled",
        subject_kind="charging.run",
        subject_id=run.id,
        org_id=run.org_id,
        after={"number": run.number},
    )
    return run


async def accept_generation(ctx: Ctx, *, run_id: UUID) -> Run:
    """Take a previewed run to be generated. Raises RunNotInState, NothingToBill."""
    run = await ctx.get(Run, run_id, lock=True)
    if run.state == RunState.previewed and run.bills == 0:
        billed = await _count_billed(ctx, run)
        raise NothingToBill(
            period=f"{run.period_from:%Y-%m-%d}", billed=billed, skipped=run.skipped - billed
        )
    move(run, RunState.generating)
    run.work_done = 0
    run.failure = ""
    await _defer(ctx, "charging.drafts.write", run)
    return run


async def accept_publication(ctx: Ctx, *, run_id: UUID) -> Run:
    """Take a generated run to be published.

    Raises RunNotInState, PeriodClosed, and, as the site's turns come one by one, also
    AnotherRunPublishing and DraftsAlreadyBilled before anything is posted.
    """
    run = await ctx.get(Run, run_id, lock=True)
    move(run, RunState.publishing)
    await ledger.check_open(ctx, site_id=run.org_id, business_on=ctx.business_on)
    other = await ctx.session.execute(
        select(col(Run.number)).where(
            col(Run.org_id) == run.org_id,
            col(Run.state) == RunState.publishing,
            col(Run.id) != run.id,
        )
    )
    busy = other.scalars().first()
    if busy is not None:
        raise AnotherRunPublishing(number=busy)
    overtaken = await count(
        ctx,
        select(col(Draft.id)).where(
            col(Draft.run_id) == run.id,
            exists().where(
                col(Bill.binding_id) == col(Draft.binding_id),
                col(Bill.cycle_from) == col(Draft.cycle_from),
            ),
        ),
    )
    if overtaken:
        raise DraftsAlreadyBilled(count=overtaken, number=run.number)
    run.failure = ""
    await _defer(ctx, "charging.bills.issue", run)
    return run


async def finish_run(ctx: Ctx, *, run_id: UUID, failure: str) -> Run:
    """Record how a run's job ended. Recording the same end twice changes nothing."""
    run = await ctx.get(Run, run_id, lock=True)
    ended = {
        RunState.generating: RunState.previewed if failure else RunState.generated,
        RunState.publishing: RunState.generated if failure else RunState.published,
    }.get(RunState(run.state))
    if ended is None:
        return run
    move(run, ended)
    run.failure = failure
    if ended is RunState.published:
        await ctx.announce(BillsPublished(run_id=run.id, site_id=run.org_id))
    return run


def move(run: Run, wanted: RunState) -> None:
    """Raises RunNotInState, naming the state it is in."""
    if wanted not in TRANSITIONS[RunState(run.state)]:
        raise RunNotInState(number=run.number, state=RunState(run.state).value, wanted=wanted.value)
    run.state = wanted
    run.version += 1


async def _defer(ctx: Ctx, job: str, run: Run) -> None:
    assert ctx.principal.id is not None
    await defer(
        ctx,
        job,
        key=f"{job}:{run.id}",
        lock=f"charging.site:{run.org_id}",
        args={
            "company_id": str(run.company_id),
            "site_id": str(run.org_id),
            "run_id": str(run.id),
            "user_id": str(ctx.principal.id),
        },
    )


async def _count_billed(ctx: Ctx, run: Run) -> int:
    return await count(
        ctx,
        select(col(Skip.id)).where(
            col(Skip.run_id) == run.id, col(Skip.reason) == SkipReason.already_billed
        ),
    )
