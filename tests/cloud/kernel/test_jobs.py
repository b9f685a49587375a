"""Jobs run after the commit and vanish with a roll-back; timers fire once, by one leader."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from cloud.kernel.db import Sessions
from cloud.kernel.errors import NotFound
from cloud.kernel.jobs import Job, Work, defer, make_worker, rescue_stalled
from cloud.kernel.records import Timer
from cloud.kernel.timers import LEADER_KEY, ZONE, fire_due, next_fire, run_timers
from cloud.modules.accounts.queries import AccountsAuthenticator
from cloud.modules.organization.models import Unit
from tests.cloud.kernel.probe import Abandoned, abandoned
from tests.kit.database import TestDatabase
from tests.kit.world import NOW, World

RENAME = "sample.unit.rename"


async def waiting(sessions: Sessions) -> list[str]:
    async with sessions() as session:
        statement = text("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo'")
        return list((await session.execute(statement)).scalars())


async def ended(sessions: Sessions) -> dict[str, int]:
    """The status of each job and how often it was tried."""
    async with sessions() as session:
        statement = text("SELECT status::text, attempts FROM procrastinate_jobs")
        return {row.status: row.attempts for row in await session.execute(statement)}


async def rename(work: Work, *, company_id: str, site_id: str, name: str) -> None:
    """What a real job does: one step, in the scope of one site."""
    async with work.site(company_id=UUID(company_id), site_id=UUID(site_id)) as ctx:
        unit = await ctx.get(Unit, UUID(site_id), lock=True)
        unit.name = name


async def run_waiting(database: TestDatabase, world: World, jobs: Sequence[Job]) -> None:
    """A real worker on its own connections, until nothing waits."""
    work = Work(world.sessions, world.bus, AccountsAuthenticator(world.sessions))
    app = make_worker(database.app_url, work, jobs)
    async with app.open_async(), asyncio.timeout(20):
        await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)


class TestDefer:
    async def test_runs_after_the_commit(
        self, own_database: TestDatabase, committed: World
    ) -> None:
        site_id = committed.alpha.site_id
        args = {"company_id": str(committed.alpha.id), "site_id": str(site_id), "name": "兰庭"}
        async with committed.unit() as ctx:
            await defer(ctx, RENAME, key="rename:1", args=args)

        await run_waiting(own_database, committed, [Job(RENAME, run=rename)])

        async with committed.unit() as ctx:
            assert (await ctx.get(Unit, site_id)).name == "兰庭"
        assert "succeeded" in await ended(committed.sessions)

    async def test_vanishes_with_a_roll_back(self, committed: World) -> None:
        async with abandoned(committed) as ctx:
            await defer(ctx, RENAME, key="rename:1", args={})

        assert await waiting(committed.sessions) == []

    async def test_is_not_seen_before_the_commit(self, committed: World) -> None:
        async with committed.unit() as ctx:
            await defer(ctx, RENAME, key="rename:1", args={})
            seen = await waiting(committed.sessions)

        assert seen == []
        assert await waiting(committed.sessions) == [RENAME]

    async def test_the_same_key_waits_once(self, committed: World) -> None:
        async with committed.unit() as ctx:
            await defer(ctx, RENAME, key="rename:1", args={})

        with pytest.raises(IntegrityError):
            async with committed.unit() as ctx:
                await defer(ctx, RENAME, key="rename:1", args={})

        assert await waiting(committed.sessions) == [RENAME]

    async def test_a_job_may_not_leave_its_site(
        self, own_database: TestDatabase, committed: World
    ) -> None:
        async def trespass(work: Work) -> None:
            company = committed.alpha
            async with work.site(company_id=company.id, site_id=company.site_id) as ctx:
                with pytest.raises(NotFound):
                    await ctx.get(Unit, company.other_site_id)

        async with committed.unit() as ctx:
            await defer(ctx, "sample.unit.trespass", key="trespass", args={})

        await run_waiting(own_database, committed, [Job("sample.unit.trespass", run=trespass)])

        assert "succeeded" in await ended(committed.sessions)

    async def test_tries_again_later_when_it_fails(
        self, own_database: TestDatabase, committed: World
    ) -> None:
        async def fail(work: Work) -> None:
            del work
            raise Abandoned

        async with committed.unit() as ctx:
            await defer(ctx, "sample.unit.fail", key="fail", args={})

        await run_waiting(own_database, committed, [Job("sample.unit.fail", run=fail)])

        assert await ended(committed.sessions) == {"todo": 1}


async def nothing(work: Work) -> None:
    del work


HOURLY = Job("sample.hourly", run=nothing, cron="0 * * * *")
DAILY = Job("sample.daily", run=nothing, cron="30 2 * * *")


class TestTimers:
    async def test_a_new_timer_waits_for_its_time(self, sessions: Sessions) -> None:
        assert await fire_due(sessions, [HOURLY], now=NOW) == []
        assert await fire_due(sessions, [HOURLY], now=NOW + timedelta(minutes=27)) == []
        assert await fire_due(sessions, [HOURLY], now=NOW + timedelta(minutes=28)) == [HOURLY.name]

    async def test_fires_once_for_each_time(self, sessions: Sessions) -> None:
        await fire_due(sessions, [HOURLY], now=NOW)
        due = NOW + timedelta(minutes=30)

        assert await fire_due(sessions, [HOURLY], now=due) == [HOURLY.name]
        assert await fire_due(sessions, [HOURLY], now=due) == []

    async def test_fires_once_after_an_outage(self, sessions: Sessions) -> None:
        await fire_due(sessions, [HOURLY], now=NOW)
        back = NOW + timedelta(days=3)

        assert await fire_due(sessions, [HOURLY], now=back) == [HOURLY.name]
        assert await fire_due(sessions, [HOURLY], now=back + timedelta(seconds=5)) == []
        async with sessions() as session:
            timer = (await session.execute(select(Timer))).scalar_one()
        assert timer.last_at == back
        assert back < timer.next_at <= back + timedelta(hours=1)

    async def test_does_not_pile_up_behind_a_worker_that_is_away(self, sessions: Sessions) -> None:
        await fire_due(sessions, [HOURLY], now=NOW)

        first = await fire_due(sessions, [HOURLY], now=NOW + timedelta(hours=1))
        second = await fire_due(sessions, [HOURLY], now=NOW + timedelta(hours=2))

        assert (first, second) == ([HOURLY.name], [])
        assert await waiting(sessions) == [HOURLY.name]

    async def test_follows_a_changed_line(self, sessions: Sessions) -> None:
        await fire_due(sessions, [HOURLY], now=NOW)
        earlier = Job(HOURLY.name, run=nothing, cron="40 * * * *")
        await fire_due(sessions, [earlier], now=NOW)

        assert await fire_due(sessions, [earlier], now=NOW + timedelta(minutes=9)) == [HOURLY.name]

    async def test_is_fired_by_one_leader(self, committed: World) -> None:
        await fire_due(committed.sessions, [HOURLY], now=NOW)
        due = NOW + timedelta(hours=1)

        async with committed.sessions() as leader, leader.begin():
            lock = text("SELECT pg_advisory_xact_lock(:key)")
            await leader.execute(lock, {"key": LEADER_KEY})
            other = await fire_due(committed.sessions, [HOURLY], now=due)
        after = await fire_due(committed.sessions, [HOURLY], now=due)

        assert (other, after) == ([], [HOURLY.name])

    async def test_run_until_they_are_cancelled(self, committed: World) -> None:
        running = asyncio.create_task(run_timers(committed.sessions, [HOURLY, DAILY]))
        async with asyncio.timeout(10):
            while not await names(committed.sessions):  # noqa: ASYNC110 - only the table tells
                await asyncio.sleep(0.05)
        running.cancel()

        with pytest.raises(asyncio.CancelledError):
            await running
        assert await names(committed.sessions) == [DAILY.name, HOURLY.name]


async def names(sessions: Sessions) -> list[str]:
    async with sessions() as session:
        return sorted(timer.name for timer in (await session.execute(select(Timer))).scalars())


class TestNextFire:
    def test_is_read_in_shanghai(self) -> None:
        found = next_fire(str(DAILY.cron), after=datetime(2026, 11, 24, 1, 0, tzinfo=UTC))

        assert found.astimezone(ZONE).isoformat() == "2026-11-25T02:30:00+08:00"

    @given(
        st.integers(0, 4 * 365 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds)),
        st.sampled_from(["* * * * *", "0 * * * *", "30 2 * * *", "0 0 1 * *", "*/7 3 * * 1"]),
    )
    def test_is_later_and_on_its_line(self, after: datetime, cron: str) -> None:
        found = next_fire(cron, after=after)

        assert found > after
        assert next_fire(cron, after=found - timedelta(microseconds=1)) == found


class TestRescueStalled:
    async def test_queues_again_what_a_killed_worker_left(
        self, own_database: TestDatabase, committed: World
    ) -> None:
        async with committed.unit() as ctx:
            await defer(ctx, "sample.nothing", key="nothing", args={})
        with psycopg.connect(own_database.owner_url) as owner:
            owner.execute(
                "WITH gone AS (INSERT INTO procrastinate_workers (last_heartbeat)"
                " VALUES (now() - interval '1 hour') RETURNING id)"
                " UPDATE procrastinate_jobs SET status = 'doing', worker_id = gone.id FROM gone"
            )
        work = Work(committed.sessions, committed.bus, AccountsAuthenticator(committed.sessions))
        app = make_worker(own_database.app_url, work, [Job("sample.nothing", run=nothing)])

        async with app.open_async(), asyncio.timeout(20):
            rescuing = asyncio.create_task(rescue_stalled(app))
            while not await waiting(committed.sessions):  # noqa: ASYNC110 - only the table tells
                await asyncio.sleep(0.05)
            rescuing.cancel()

        assert await waiting(committed.sessions) == ["sample.nothing"]
