"""Rooms by the thousand: counted out by a rule, or given as rows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from cloud.kernel.errors import NotFound
from cloud.modules.resources import queries, service
from cloud.modules.resources.rules import NumberingRule
from cloud.modules.resources.service import (
    AreaNotPositive,
    HyphenInCode,
    NewRoom,
    NoRooms,
    PatternUnclear,
    RoomFacts,
    RoomsAlreadyExist,
    RoomsTwice,
    SpaceClosedToKind,
    TooManyRooms,
)
from tests.cloud.resources.builders import add_room
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]


def rule(**changes: Any) -> NumberingRule:
    wanted: dict[str, Any] = {
        "units": ("1", "2"),
        "floors_from": 1,
        "floors_to": 15,
        "rooms_per_floor": 4,
        "pattern": "{floor}{seq:02}",
        "skip_floors": frozenset({4, 13, 14}),
        "skip_sequences": frozenset({4}),
        "areas": (Decimal("89.5"), Decimal("120")),
    }
    return NumberingRule(**{**wanted, **changes})


async def _building(world: World, code: str = "8") -> UUID:
    async with world.unit() as ctx:
        made = await service.add_building(
            ctx, site_id=world.alpha.site_id, code=code, name=f"{code}幢"
        )
    return made.id


class TestNumberingRule:
    def test_skips_floors_and_sequences_and_stacks_areas(self) -> None:
        rooms = list(rule().rooms())
        first_floor = [(room.code, room.area) for room in rooms[:4]]
        assert first_floor == [
            ("101", Decimal("89.5")), ("102", Decimal("120")), ("103", None), ("105", None),
        ]  # fmt: skip
        assert len(rooms) == 2 * 12 * 4
        assert {room.floor for room in rooms}.isdisjoint({0, 4, 13, 14})

    def test_counts_cellars_without_a_floor_zero(self) -> None:
        rooms = list(rule(floors_from=-2, floors_to=1, pattern="B{floor}{seq:02}").rooms())
        assert sorted({room.floor for room in rooms}) == [-2, -1, 1]


class TestPlanRooms:
    async def test_says_what_it_would_do_and_does_nothing(self, world: World) -> None:
        building_id = await _building(world)
        async with world.unit() as ctx:
            plan = await service.plan_rooms(ctx, building_id=building_id, rule=rule())
            assert await queries.room_counts(ctx) == {}
        assert (plan.count, plan.first, plan.last) == (96, "8幢1单元101", "8幢2单元1505")
        assert plan.new_units == ("8幢1单元", "8幢2单元")

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"floors_from": 5, "floors_to": 1}, NoRooms),
            ({"pattern": "{floor}"}, PatternUnclear),
            ({"pattern": "{floor}{seq}{oops}"}, PatternUnclear),
            ({"pattern": "{floor}-{seq}"}, HyphenInCode),
            ({"pattern": "{seq:02}"}, RoomsTwice),
            ({"floors_to": 190, "rooms_per_floor": 200}, TooManyRooms),
            ({"areas": (Decimal(0),)}, AreaNotPositive),
        ],
    )
    async def test_refuses_a_rule_that_cannot_be(
        self, world: World, changes: dict[str, Any], refusal: type[Exception]
    ) -> None:
        building_id = await _building(world)
        async with world.unit() as ctx:
            with pytest.raises(refusal):
                await service.plan_rooms(ctx, building_id=building_id, rule=rule(**changes))

    async def test_hides_buildings_of_others_and_wants_a_building(self, world: World) -> None:
        building_id = await _building(world)
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(NotFound):
                await service.plan_rooms(ctx, building_id=building_id, rule=rule())
        async with world.unit() as ctx:
            room = await add_room(ctx, world.alpha.site_id)
            with pytest.raises(SpaceClosedToKind):
                await service.plan_rooms(ctx, building_id=room.id, rule=rule())


class TestGenerateRooms:
    async def test_adds_units_and_rooms_in_counting_order(self, world: World) -> None:
        building_id = await _building(world)
        async with world.unit() as ctx:
            await service.generate_rooms(
                ctx, building_id=building_id, rule=rule(), facts=RoomFacts()
            )
        async with world.unit() as ctx:
            rooms = await queries.rooms_of_site(ctx, world.alpha.site_id)
        assert len(rooms) == 96
        assert [room.full_name for room in rooms[:2]] == ["8幢1单元101", "8幢1单元102"]
        assert rooms[0].chargeable_area == Decimal("89.5")
        assert rooms[-1].floor == 15

    async def test_refuses_all_when_some_exist_and_names_them(self, world: World) -> None:
        async with world.unit() as ctx:
            room = await add_room(ctx, world.alpha.site_id, building="8")
            unit = await ctx.session.get_one(type(room), room.parent_id)
            assert unit.parent_id is not None
            building_id = unit.parent_id
        async with world.unit() as ctx:
            plan = await service.plan_rooms(ctx, building_id=building_id, rule=rule())
            assert plan.taken == ("8幢1单元101",)
            with pytest.raises(RoomsAlreadyExist) as refused:
                await service.generate_rooms(
                    ctx, building_id=building_id, rule=rule(), facts=RoomFacts()
                )
            assert refused.value.params == {"count": 1, "names": "8幢1单元101"}
        async with world.unit() as ctx:
            assert await queries.room_counts(ctx) == {world.alpha.site_id: 1}


class TestAddRooms:
    async def test_a_thousand_with_duplicates_gives_one_message(self, world: World) -> None:
        building_id = await _building(world)
        rows = [
            NewRoom(parent_id=building_id, code=str(number), facts=RoomFacts())
            for number in [*range(1, 1000), 7, 8]
        ]
        async with world.unit() as ctx:
            with pytest.raises(RoomsTwice) as refused:
                await service.add_rooms(ctx, site_id=world.alpha.site_id, rows=rows)
            assert refused.value.params == {"names": "8-7、8-8"}
            ids = await service.add_rooms(ctx, site_id=world.alpha.site_id, rows=rows[:999])
        async with world.unit() as ctx:
            assert (await queries.get_room(ctx, ids[41])).path == "8-42"
            with pytest.raises(RoomsAlreadyExist) as taken:
                await service.add_rooms(ctx, site_id=world.alpha.site_id, rows=rows[:999])
        assert taken.value.params["count"] == 999
        assert str(taken.value.params["names"]).endswith("8幢20 …")

    async def test_refuses_a_parent_of_another_site(self, world: World) -> None:
        building_id = await _building(world)
        row = NewRoom(parent_id=building_id, code="1", facts=RoomFacts())
        async with world.unit(world.headquarters()) as ctx:
            with pytest.raises(NotFound):
                await service.add_rooms(ctx, site_id=world.alpha.other_site_id, rows=[row])


async def test_rooms_are_generated_over_http(world: World, client: Client) -> None:
    building_id = str(await _building(world))
    body = {
        "building_id": building_id, "units": ["1"], "floors_from": 1, "floors_to": 3,
        "rooms_per_floor": 2, "pattern": "{floor}{seq:02}", "skip_floors": [2],
        "areas": ["88.8", None],
    }  # fmt: skip
    caller = client(world.at_site())
    preview = (await caller.post("/api/v1/resources/rooms/generation/preview", json=body)).json()
    assert (preview["count"], preview["last"], preview["taken"]) == (4, "8幢1单元302", [])
    made = await caller.post("/api/v1/resources/rooms/generation", json=body)
    assert (made.status_code, made.json()["count"]) == (201, 4)
    again = await caller.post("/api/v1/resources/rooms/generation", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "rooms-already-exist")
    assert "8幢1单元101、8幢1单元102" in again.json()["title"]
    reading = client(world.at_site(permissions=("resources.room:read",)))
    refused = await reading.post("/api/v1/resources/rooms/generation", json=body)
    assert refused.json()["code"] == "permission-missing"


async def test_a_form_previews_what_it_types(world: World, client: Client) -> None:
    building_id = str(await _building(world))
    typed = {
        "building_id": building_id, "units": "1， 2", "floors_from": "-1", "floors_to": "3",
        "rooms_per_floor": 2, "pattern": "{floor}{seq:02}", "skip_floors": "-1、2",
        "skip_sequences": None, "areas": "88.8",
    }  # fmt: skip
    caller = client(world.at_site())
    tried = (await caller.post("/api/v1/resources/rooms/generation/trial", json=typed)).json()
    rooms, units = tried["lines"]
    assert rooms["label"] == "8幢1单元101 ~ 8幢2单元302"
    assert (rooms["text"], rooms["note"]) == ("101, 102, 301, 302, 101, 102, 301, 302", "8 rooms")
    assert (units["text"], units["note"]) == ("8幢1单元、8幢2单元", "2 units")
    made = await caller.post("/api/v1/resources/rooms/generation", json=typed)
    assert (made.status_code, made.json()["count"]) == (201, 8)

    typed["units"] = "2,3"
    tried = (await caller.post("/api/v1/resources/rooms/generation/trial", json=typed)).json()
    clash = tried["lines"][-1]
    assert (clash["tone"], clash["note"]) == ("bad", "4 rooms stand in the way")
    refused = await caller.post("/api/v1/resources/rooms/generation", json=typed)
    assert refused.json()["code"] == "rooms-already-exist"
    async with world.unit() as ctx:
        assert len(await queries.rooms_of_site(ctx, world.alpha.site_id)) == 8

    wrong = {**typed, "skip_floors": "4, oops"}
    told = (await caller.post("/api/v1/resources/rooms/generation", json=wrong)).json()
    assert [fault["path"] for fault in told["errors"]] == ["skip_floors.1"]
