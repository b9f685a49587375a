"""Timers: the one worker that holds the advisory lock defers each periodic job when it is due."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from cloud.kernel.clock import utc_now
from cloud.kernel.db import Sessions
from cloud.kernel.jobs import Job, defer_plain
from cloud.kernel.records import Timer

log = structlog.get_logger()

TICK_S = 5.0
LEADER_KEY = 7_309_311
ZONE = ZoneInfo("Asia/Shanghai")

_LEAD = text("SELECT pg_try_advisory_xact_lock(:key)")


async def run_timers(sessions: Sessions, jobs: Sequence[Job]) -> None:
    """Until cancelled. Every worker runs this; in each tick at most one of them fires."""
    periodic = [job for job in jobs if job.cron is not None]
    while True:
        try:
            await fire_due(sessions, periodic, now=utc_now())
        except DBAPIError as error:
            log.warning("timers.tick.failed", error=str(error.orig))
        await asyncio.sleep(TICK_S)


async def fire_due(sessions: Sessions, jobs: Sequence[Job], *, now: datetime) -> list[str]:
    """Defer what is due and set its next time, in one transaction; answers the names.

    After an outage a timer fires once, not once for each time that was missed.
    """
    fired = []
    async with sessions() as session, session.begin():
        if not (await session.execute(_LEAD, {"key": LEADER_KEY})).scalar_one():
            return []
        known = {
            timer.name: timer
            for timer in (await session.execute(select(Timer).with_for_update())).scalars()
        }
        for job in jobs:
            assert job.cron is not None
            timer = known.get(job.name)
            if timer is None or timer.cron != job.cron:
                next_at = next_fire(job.cron, after=now)
                if timer is None:
                    session.add(Timer(name=job.name, cron=job.cron, next_at=next_at))
                else:
                    timer.cron, timer.next_at = job.cron, next_at
            elif timer.next_at <= now:
                if await defer_plain(session, job.name, key=f"timer:{job.name}"):
                    fired.append(job.name)
                timer.last_at, timer.next_at = now, next_fire(job.cron, after=now)
    return fired


def next_fire(cron: str, *, after: datetime) -> datetime:
    """The next time of a five-field cron line, read in Asia/Shanghai."""
    trigger = CronTrigger.from_crontab(cron, timezone=ZONE)
    found = trigger.get_next_fire_time(after, after)
    assert isinstance(found, datetime)
    return found if found > after else after


__all__ = ["fire_due", "next_fire", "run_timers"]
