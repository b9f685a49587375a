"""Targets: set once a month for a unit, changed by version, kept inside the company."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound, StaleVersion
from cloud.modules.headquarters import service
from cloud.modules.headquarters.models import Target
from cloud.modules.headquarters.service import TargetExists
from tests.kit.world import World

RATE = Decimal("0.95")


async def set_target(world: World, unit_id: UUID, month: date = date(2026, 11, 20)) -> Target:
    async with world.unit(world.headquarters()) as ctx:
        return await service.set_target(
            ctx,
            unit_id=unit_id,
            month=month,
            current_rate=RATE,
            old_rate=None,
            combined_rate=RATE,
        )


class TestSetTarget:
    async def test_holds_from_the_first_of_the_month(self, world: World) -> None:
        target = await set_target(world, world.alpha.region_id)

        assert (target.month, target.org_id) == (date(2026, 11, 1), world.alpha.region_id)

    async def test_refuses_a_second_one_for_the_month(self, world: World) -> None:
        await set_target(world, world.alpha.region_id)

        with pytest.raises(TargetExists, match="2026-11"):
            await set_target(world, world.alpha.region_id, date(2026, 11, 1))

    async def test_refuses_a_unit_that_is_only_read(self, world: World) -> None:
        async with world.unit(world.at_site()) as ctx:
            with pytest.raises(NotFound):
                await service.set_target(
                    ctx,
                    unit_id=world.alpha.region_id,
                    month=date(2026, 11, 1),
                    current_rate=RATE,
                    old_rate=None,
                    combined_rate=RATE,
                )

    async def test_hides_another_companys_units(self, world: World) -> None:
        with pytest.raises(NotFound):
            await set_target(world, world.beta.region_id)


class TestChangeTarget:
    async def test_takes_the_newest_version_only(self, world: World) -> None:
        target = await set_target(world, world.alpha.id)
        async with world.unit(world.headquarters()) as ctx:
            changed = await _change(ctx, target.id, version=1)
            assert (changed.version, changed.current_rate) == (2, Decimal("0.5"))

        async with world.unit(world.headquarters()) as ctx:
            with pytest.raises(StaleVersion):
                await _change(ctx, target.id, version=1)

    async def test_hides_another_companys_target(self, world: World) -> None:
        target = await set_target(world, world.alpha.id)

        async with world.unit(world.headquarters(world.beta)) as ctx:
            with pytest.raises(NotFound):
                await _change(ctx, target.id, version=1)

    async def test_refuses_the_target_of_a_unit_above(self, world: World) -> None:
        target = await set_target(world, world.alpha.region_id)

        async with world.unit(world.at_site()) as ctx:
            with pytest.raises(NotFound):
                await _change(ctx, target.id, version=1)


async def _change(ctx: Ctx, target_id: UUID, *, version: int) -> Target:
    return await service.change_target(
        ctx,
        target_id=target_id,
        version=version,
        current_rate=Decimal("0.5"),
        old_rate=Decimal("0.1"),
        combined_rate=Decimal("0.4"),
    )
