"""Jobs: deferred inside the business transaction, run by the worker in transactions of their own.

A thin layer on Procrastinate: its tables hold ids only, `queueing_lock` is the natural key, and
retries and dead jobs are the library's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import procrastinate
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kernel.auth import Authenticator
from cloud.kernel.context import Ctx, Principal, system_principal
from cloud.kernel.db import Scope, Sessions
from cloud.kernel.events import Bus
from cloud.kernel.files import Files
from cloud.kernel.i18n import Texts
from cloud.kernel.sites import Sites
from cloud.kernel.ui.render import Pages
from cloud.kernel.uow import unit_of_work

log = structlog.get_logger()

HEARTBEAT_S = 5.0
SILENT_S = 15.0

_WAITING = text("SELECT id FROM procrastinate_jobs WHERE queueing_lock = :key AND status = 'todo'")
_DEFER = text("""
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        'default', :task, 0, :lock, :queueing_lock, CAST(:args AS jsonb), NULL
    )::procrastinate_job_to_defer_v1])
""")


@dataclass(frozen=True)
class Work:
    """What a running job stands on: it opens one unit of work for each of its steps."""

    sessions: Sessions
    bus: Bus
    authenticator: Authenticator
    sites: Sites | None = None
    texts: Texts = field(default_factory=Texts)
    files: Files | None = None
    pages: Pages | None = None

    def unit(self, principal: Principal) -> AbstractAsyncContextManager[Ctx]:
        return unit_of_work(self.sessions, principal, bus=self.bus)

    @asynccontextmanager
    async def site(self, *, company_id: UUID, site_id: UUID) -> AsyncIterator[Ctx]:
        """A unit of work of the system inside one site; it reads what the units above share."""
        ancestors = await self.authenticator.ancestors(company_id, site_id)
        scope = Scope(company_id=company_id, read_orgs=(*ancestors, site_id), write_orgs=(site_id,))
        principal = system_principal(company_id, org_id=site_id, scope=scope)
        async with self.unit(principal) as ctx:
            yield ctx


@dataclass(frozen=True)
class Job:
    """A named piece of work. `cron` makes it periodic; `retries` bounds its attempts."""

    name: str
    run: Callable[..., Awaitable[None]]
    cron: str | None = None
    retries: int = 8


async def defer(
    ctx: Ctx, job: str, *, key: str, args: dict[str, str], lock: str | None = None
) -> None:
    """Queue `job` in this transaction: it runs after COMMIT and vanishes with a roll-back.

    `key` is the natural key: while a job with it waits, a second one raises a unique violation.
    Jobs that share `lock` run one after the other.
    """
    await ctx.session.execute(
        _DEFER,
        {"task": job, "lock": lock, "queueing_lock": key, "args": json.dumps(args)},
    )


async def defer_plain(session: AsyncSession, job: str, *, key: str) -> bool:
    """Queue a periodic job without arguments; False when the last one still waits."""
    waiting = await session.execute(_WAITING, {"key": key})
    if waiting.scalar_one_or_none() is not None:
        return False
    await session.execute(_DEFER, {"task": job, "lock": None, "queueing_lock": key, "args": "{}"})
    return True


def make_worker(conninfo: str, work: Work, jobs: Sequence[Job]) -> procrastinate.App:
    """The Procrastinate application that runs `jobs`, each with `work` and its own arguments."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))
    for job in jobs:
        _register(app, work, job)
    return app


async def rescue_stalled(app: procrastinate.App) -> None:
    """Until cancelled: queue again what a killed worker left behind, found by its silence."""
    while True:
        stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_S)
        for job in stalled:
            log.warning("job.stalled", job=job.task_name, id=job.id)
            await app.job_manager.retry_job(job)
        await asyncio.sleep(HEARTBEAT_S)


def _register(app: procrastinate.App, work: Work, job: Job) -> None:
    async def run(**args: str) -> None:
        log.info("job.started", job=job.name, **args)
        try:
            await job.run(work, **args)
        except Exception:  # the job runner's boundary: the library retries or buries it
            log.exception("job.failed", job=job.name, **args)
            raise
        log.info("job.done", job=job.name, **args)

    retry = procrastinate.RetryStrategy(max_attempts=job.retries, exponential_wait=2)
    app.task(name=job.name, retry=retry)(run)
