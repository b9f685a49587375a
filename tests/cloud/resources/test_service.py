"""Adding buildings, units and rooms."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cloud.kernel.db import uuid7
from cloud.kernel.errors import NotFound
from cloud.modules.organization.queries import PickAProject, ProjectNotYours
from cloud.modules.resources import queries, service
from cloud.modules.resources.models import Space, SpaceKind
from cloud.modules.resources.service import (
    AreaNotPositive,
    HyphenInCode,
    RoomFacts,
    SpaceAlreadyExists,
    SpaceClosedToKind,
)
from tests.cloud.resources.builders import add_room
from tests.kit.world import World


async def test_a_room_gets_its_path_its_name_and_its_chargeable_area(world: World) -> None:
    async with world.unit() as ctx:
        space = await add_room(ctx, world.alpha.site_id, code="1202")
    async with world.unit() as ctx:
        room = await queries.get_room(ctx, space.id)
    assert (room.path, room.full_name) == ("1-1-1202", "1幢1单元1202")
    assert room.chargeable_area == Decimal("89.53")
    assert room.site_id == world.alpha.site_id


async def test_a_room_may_stand_in_a_building_without_a_unit(world: World) -> None:
    async with world.unit() as ctx:
        villa = await service.add_building(ctx, site_id=world.alpha.site_id, code="V1", name="V1幢")
        space = await service.add_room(ctx, parent_id=villa.id, code="1", facts=RoomFacts())
    assert space.path == "V1-1"


async def test_an_unknown_area_stays_unknown(world: World) -> None:
    async with world.unit() as ctx:
        space = await add_room(ctx, world.alpha.site_id, area=None)
        room = await queries.get_room(ctx, space.id)
    assert room.chargeable_area is None


async def test_a_code_is_taken_once_and_the_refusal_names_who_has_it(world: World) -> None:
    async with world.unit() as ctx:
        space = await add_room(ctx, world.alpha.site_id)
        assert space.parent_id is not None
        with pytest.raises(SpaceAlreadyExists) as refused:
            await service.add_room(ctx, parent_id=space.parent_id, code="101", facts=RoomFacts())
    assert refused.value.params == {"full_name": "1幢1单元101", "path": "1-1-101"}


@pytest.mark.parametrize("area", ["0", "-1"])
async def test_an_area_that_is_not_positive_is_refused(world: World, area: str) -> None:
    async with world.unit() as ctx:
        with pytest.raises(AreaNotPositive) as refused:
            await add_room(ctx, world.alpha.site_id, area=area)
    assert [field.path for field in refused.value.fields] == ["building_area"]


async def test_nodes_stand_only_where_they_may(world: World) -> None:
    async with world.unit() as ctx:
        room = await add_room(ctx, world.alpha.site_id)
        with pytest.raises(SpaceClosedToKind):
            await service.add_unit(ctx, building_id=room.id, code="2", name="2单元")
        with pytest.raises(SpaceClosedToKind):
            await service.add_room(ctx, parent_id=room.id, code="2", facts=RoomFacts())
        with pytest.raises(HyphenInCode):
            await service.add_building(ctx, site_id=world.alpha.site_id, code="1-2", name="1-2幢")
    async with world.unit(world.headquarters()) as ctx:
        with pytest.raises(PickAProject):
            await service.add_building(ctx, site_id=world.alpha.region_id, code="9", name="9幢")


async def test_rooms_of_others_are_absent_and_their_places_closed(world: World) -> None:
    async with world.unit() as ctx:
        mine = await add_room(ctx, world.alpha.site_id)
    for stranger in (world.at_other_site(), world.at_site(world.beta)):
        async with world.unit(stranger) as ctx:
            with pytest.raises(NotFound):
                await queries.get_room(ctx, mine.id)
            assert mine.parent_id is not None
            with pytest.raises(NotFound):
                await service.add_room(ctx, parent_id=mine.parent_id, code="102", facts=RoomFacts())
            assert await queries.rooms_of_site(ctx, world.alpha.site_id) == []
    async with world.unit(world.at_other_site()) as ctx:
        with pytest.raises(ProjectNotYours):
            await service.add_building(ctx, site_id=world.alpha.site_id, code="9", name="9幢")
    async with world.unit(world.at_site(world.beta)) as ctx:
        with pytest.raises(NotFound):
            await service.add_building(ctx, site_id=world.alpha.site_id, code="9", name="9幢")


async def test_the_database_itself_refuses_a_parent_in_another_site(world: World) -> None:
    async with world.unit() as ctx:
        mine = await add_room(ctx, world.alpha.site_id)
    with pytest.raises(Exception, match="fk_resources_space_parent_id"):
        async with world.unit(world.headquarters()) as ctx:
            ctx.session.add(
                Space(
                    **ctx.stamp(world.alpha.other_site_id),
                    id=uuid7(),
                    kind=SpaceKind.room,
                    parent_id=mine.parent_id,
                    code="1",
                    name="1",
                    path="1",
                    full_name="1",
                    sort_key="1",
                )
            )
