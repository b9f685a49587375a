"""Analytics: the viewer's rows and no others, in a DuckDB that reaches nothing, within bounds."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, StatementError

from cloud.kernel import analytics
from cloud.kernel.analytics import (
    TEXT,
    WHOLE,
    AnalysisTimedOut,
    Analytics,
    Extract,
    FiguresAway,
    Kept,
    TooManyRows,
)
from cloud.kernel.db import make_engine, make_sessions
from tests.kit.database import TestDatabase
from tests.kit.world import NOW, World

UNITS = Extract("units", "SELECT id::text FROM organization_unit", {"id": TEXT})
MANY = Extract("many", "SELECT generate_series(1, :n)", {"n": WHOLE})


def of(world: World) -> Analytics:
    return Analytics(world.sessions, world.bus)


class TestReading:
    async def test_sees_what_the_viewer_sees(self, world: World) -> None:
        async with of(world).reading(world.headquarters()) as reading:
            await reading.load(UNITS)
            everything = await reading.rows("SELECT count(*) AS n FROM units")
        async with of(world).reading(world.at_site()) as reading:
            own = {row["id"] for row in (await reading.load(UNITS)).to_pylist()}

        assert everything == [{"n": 4}]
        assert str(world.alpha.other_site_id) not in own
        assert str(world.alpha.site_id) in own

    async def test_cannot_write(self, world: World) -> None:
        with pytest.raises(DBAPIError, match="read-only"):
            async with of(world).reading(world.headquarters()) as reading:
                await reading.ctx.session.execute(text("UPDATE organization_unit SET name = 'x'"))

    async def test_refuses_more_rows_than_it_can_hold(self, world: World) -> None:
        async with of(world).reading(world.headquarters()) as reading:
            with pytest.raises(TooManyRows):
                await reading.load(MANY, n=analytics.ROWS_MAX + 1)

    @pytest.mark.parametrize(
        "attempt",
        [
            "SELECT * FROM read_csv('/etc/hostname')",
            "SET memory_limit = '8GB'",
            "INSTALL postgres",
            "COPY (SELECT 1) TO '/tmp/out.csv'",
        ],
    )
    async def test_its_duckdb_reaches_nothing(self, world: World, attempt: str) -> None:
        async with of(world).reading(world.headquarters()) as reading:
            with pytest.raises(duckdb.Error):
                await reading.rows(attempt)

    async def test_says_that_the_database_is_away(self, world: World) -> None:
        nowhere = make_engine("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
        lost = Analytics(make_sessions(nowhere), world.bus)

        with pytest.raises(FiguresAway):
            async with lost.reading(world.headquarters()) as reading:
                await reading.load(UNITS)

    @pytest.mark.parametrize(
        ("statement", "complaint"),
        [
            ("SELECT 1 / 0", DBAPIError),  # the server's, with a state
            ("SELECT CAST(:value AS text)", DBAPIError),  # the driver's, without one
            ("SELECT :unbound", StatementError),  # SQLAlchemy's own
        ],
    )
    async def test_does_not_call_our_own_mistake_a_database_that_is_away(
        self, world: World, statement: str, complaint: type[Exception]
    ) -> None:
        given = {"value": object()} if ":value" in statement else {}
        with pytest.raises(complaint):
            async with of(world).reading(world.headquarters()) as reading:
                await reading.ctx.session.execute(text(statement), given)

    async def test_says_that_it_was_told_to_hang_up(
        self, committed: World, own_database: TestDatabase
    ) -> None:
        async def hung_up() -> None:
            async with of(committed).reading(committed.headquarters()) as reading:
                found = await reading.ctx.session.execute(text("SELECT pg_backend_pid()"))
                with psycopg.connect(own_database.owner_url) as owner:
                    owner.execute("SELECT pg_terminate_backend(%s)", [found.scalar_one()])
                await reading.load(UNITS)

        with pytest.raises(FiguresAway):
            await hung_up()

    async def test_says_that_a_query_took_too_long(self, world: World) -> None:
        slow = Extract("slow", "SELECT pg_sleep(5)::text", {"slept": TEXT})

        async def wait_too_long() -> None:
            async with of(world).reading(world.headquarters()) as reading:
                await reading.ctx.session.execute(text("SET LOCAL statement_timeout = 50"))
                await reading.load(slow)

        with pytest.raises(AnalysisTimedOut):
            await wait_too_long()


class TestKept:
    def test_forgets_the_oldest_and_the_stale(self) -> None:
        kept: Kept[int] = Kept(most=2, age=timedelta(minutes=1))
        for key in range(3):
            kept.put(key, key * 10, now=NOW)

        assert [kept.get(key, now=NOW) for key in range(3)] == [None, 10, 20]
        assert kept.get(2, now=NOW + timedelta(minutes=2)) is None
