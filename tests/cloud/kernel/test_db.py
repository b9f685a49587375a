"""Columns that refuse instead of rounding, records that refuse a stale version, bulk inserts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from cloud.kernel.bulk import insert_rows
from cloud.kernel.db import ExactNumeric, UtcDateTime, make_engine, uuid7
from cloud.kernel.errors import NotFound, StaleVersion
from cloud.modules.organization.models import Unit
from tests.kit.database import TestDatabase
from tests.kit.world import NOW, World


class TestPool:
    async def test_connects_anew_when_the_server_has_hung_up(
        self, own_database: TestDatabase
    ) -> None:
        engine = make_engine(own_database.app_url, pool_size=3)
        process = text("SELECT pg_backend_pid()")
        async with engine.connect() as one, engine.connect() as other:
            known = [(await each.execute(process)).scalar_one() for each in (one, other)]
        with psycopg.connect(own_database.owner_url) as owner:
            owner.execute("SELECT pg_terminate_backend(pid, 5000) FROM unnest(%s) pid", [known])

        async with engine.connect() as one, engine.connect() as other:
            found = [(await each.execute(process)).scalar_one() for each in (one, other)]
        await engine.dispose()

        assert set(found).isdisjoint(known)

    async def test_keeps_a_connection_that_lives(self, own_database: TestDatabase) -> None:
        engine = make_engine(own_database.app_url, pool_size=1)
        found = set()
        for _ in range(3):
            async with engine.connect() as connection:
                pid = await connection.execute(text("SELECT pg_backend_pid()"))
                found.add(pid.scalar_one())
        await engine.dispose()

        assert len(found) == 1


class TestExactNumeric:
    @pytest.mark.parametrize(
        ("domain", "value"),
        [("amount", "0.005"), ("unit_price", "0.0000001"), ("quantity", "1.00001")],
    )
    async def test_is_refused_twice_over(
        self, world: World, domain: Literal["amount", "unit_price", "quantity"], value: str
    ) -> None:
        check = ExactNumeric(domain).bind_processor(None)
        with pytest.raises(ValueError, match="places"):
            check(Decimal(value))

        with pytest.raises(IntegrityError, match="violates check constraint"):
            async with world.unit() as ctx:
                await ctx.session.execute(text(f"SELECT '{value}'::{domain}"))

    @pytest.mark.parametrize("value", ["NaN", "Infinity"])
    def test_takes_numbers_only(self, value: str) -> None:
        with pytest.raises(ValueError, match="places"):
            ExactNumeric("amount").bind_processor(None)(Decimal(value))

    @pytest.mark.parametrize("value", [None, Decimal("1.2"), Decimal("-1.20"), Decimal(100)])
    def test_passes_on_what_fits(self, value: Decimal | None) -> None:
        assert ExactNumeric("amount").bind_processor(None)(value) == value


class TestUtcDateTime:
    def test_refuses_a_time_without_a_zone(self) -> None:
        naive = datetime(2026, 11, 24, 9, 30)  # noqa: DTZ001 - the fault itself

        with pytest.raises(ValueError, match="no time zone"):
            UtcDateTime().process_bind_param(naive, None)

    async def test_answers_utc(self, world: World) -> None:
        async with world.unit() as ctx:
            unit = await ctx.get(Unit, world.alpha.site_id)

        assert unit.created_at == NOW
        assert unit.created_at.tzinfo is UTC


class TestGet:
    async def test_refuses_an_old_version(self, world: World) -> None:
        async with world.unit() as ctx:
            with pytest.raises(StaleVersion):
                await ctx.get(Unit, world.alpha.site_id, version=2)

    async def test_takes_the_current_one(self, world: World) -> None:
        async with world.unit() as ctx:
            unit = await ctx.get(Unit, world.alpha.site_id, version=1, lock=True)

        assert unit.version == 1

    async def test_hides_what_is_out_of_scope(self, world: World) -> None:
        async with world.unit() as ctx:
            with pytest.raises(NotFound):
                await ctx.get(Unit, world.alpha.other_site_id)


class TestNarrowed:
    def test_is_one_site_and_its_ancestors(self, world: World) -> None:
        narrowed = world.headquarters().narrowed(world.alpha.site_id, (world.alpha.id,))

        assert narrowed.scope.write_orgs == (world.alpha.site_id,)
        assert narrowed.scope.read_orgs == (world.alpha.id, world.alpha.site_id)
        assert not narrowed.scope.all

    def test_refuses_a_site_that_is_not_theirs(self, world: World) -> None:
        with pytest.raises(NotFound):
            world.at_site().narrowed(world.alpha.other_site_id, ())


COLUMNS = ("id", "company_id", "org_id", "created_at", "version", "name", "tax_number")


def entity(world: World, name: str, tax: str, *, foreign: bool = False) -> tuple[object, ...]:
    company = world.beta if foreign else world.alpha
    return (uuid7(), company.id, company.id, world.now, 1, name, tax)


class TestInsertRows:
    @pytest.mark.parametrize("name", ["tab\there", "line\nbreak\r", "back\\slash \\N", "“引号”'\""])
    async def test_keeps_every_character(self, world: World, name: str) -> None:
        async with world.unit(world.headquarters()) as ctx:
            rows = [entity(world, name, "T1")]
            added = await insert_rows(ctx, "organization_legal_entity", COLUMNS, rows)
            found = await ctx.session.execute(
                text("SELECT name FROM organization_legal_entity WHERE tax_number = 'T1'")
            )

            assert (added, found.scalar_one()) == (1, name)

    async def test_leaves_out_what_is_there(self, world: World) -> None:
        async with world.unit(world.headquarters()) as ctx:
            first = [entity(world, "一", "T1"), entity(world, "二", "T2")]
            again = [entity(world, "三", "T2"), entity(world, "四", "T3")]

            added = [
                await insert_rows(ctx, "organization_legal_entity", COLUMNS, rows)
                for rows in (first, again, [])
            ]

        assert added == [2, 1, 0]

    async def test_checks_every_row_against_the_scope(self, world: World) -> None:
        rows = [entity(world, "一", "T1"), entity(world, "二", "T2", foreign=True)]

        with pytest.raises(ProgrammingError, match="row-level security"):
            async with world.unit(world.headquarters()) as ctx:
                await insert_rows(ctx, "organization_legal_entity", COLUMNS, rows)
