"""Reads by the driver: in the session's transaction, scope and types."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any

from sqlalchemy import ARRAY, String, Uuid, any_, bindparam, select, text
from sqlmodel import col

from cloud.kernel.hot import Hot, id_array
from cloud.modules.organization.models import Unit
from tests.kit.world import NOW, World

UNITS = Hot(
    select(col(Unit.id), col(Unit.name), col(Unit.created_at))
    .where(col(Unit.id) == any_(bindparam("ids", type_=ARRAY(Uuid()))))
    .order_by(col(Unit.name)),
    lambda *row: row,
)


async def units(world: World, *, at: Any = None) -> list[Any]:
    asked = (world.alpha.site_id, world.alpha.other_site_id, world.beta.site_id)
    async with world.unit(at) as ctx:
        return await UNITS.all(ctx.session, ids=id_array(asked))


class TestHot:
    async def test_sees_what_the_scope_sees(self, world: World) -> None:
        mine = await units(world)
        companys = await units(world, at=world.headquarters())

        assert [row[0] for row in mine] == [world.alpha.site_id]
        assert [row[0] for row in companys] == [world.alpha.site_id, world.alpha.other_site_id]

    async def test_answers_instants_in_utc(self, world: World) -> None:
        async with world.unit() as ctx:
            await ctx.session.execute(text("SET LOCAL TIME ZONE 'Asia/Shanghai'"))
            row = await UNITS.one_or_none(ctx.session, ids=id_array([world.alpha.site_id]))

        assert row is not None
        assert row[2] == NOW
        assert row[2].tzinfo is UTC

    async def test_sees_what_was_changed_and_not_yet_written(self, world: World) -> None:
        async with world.unit(world.headquarters()) as ctx:
            unit = await ctx.get(Unit, world.alpha.site_id)
            unit.name = "新名"
            row = await UNITS.one_or_none(ctx.session, ids=id_array([unit.id]))

        assert row is not None
        assert row[1] == "新名"

    async def test_finds_nothing_for_no_ids(self, world: World) -> None:
        async with world.unit() as ctx:
            assert await UNITS.one_or_none(ctx.session, ids=id_array([])) is None

    async def test_follows_its_session_from_transaction_to_transaction(
        self, committed: World
    ) -> None:
        names = Hot(select(bindparam("wanted", type_=String())), str)
        async with committed.sessions() as session:
            async with session.begin():
                assert await names.all(session, wanted="eins") == ["eins"]
            assert "driver" not in session.info
            async with session.begin():
                assert await names.all(session, wanted="zwei") == ["zwei"]

    async def test_reads_numbers_exactly(self, world: World) -> None:
        sums = Hot(select(text("1.10::amount")), Decimal)
        async with world.unit() as ctx:
            assert str((await sums.all(ctx.session))[0]) == "1.10"
