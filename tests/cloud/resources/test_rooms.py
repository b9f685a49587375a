"""Changing rooms: facts, areas over time, states, closing, and taking out what was a mistake."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import httpx
import pytest

from cloud.kernel.db import uuid7
from cloud.kernel.errors import NotFound, StaleVersion
from cloud.modules.resources import queries, service
from cloud.modules.resources.models import RoomState, RoomUsage
from cloud.modules.resources.service import (
    AreaNotPositive,
    Areas,
    CloseByClosing,
    LaterAreaKnown,
    RoomAlreadyClosed,
    RoomStateUnchanged,
    SpaceNotEmpty,
    SpaceStillUsed,
)
from tests.cloud.resources.builders import add_room
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]
MAY = date(2026, 5, 1)
LATER = date(2027, 1, 1)


def areas(building: str | None, chargeable: str | None = None) -> Areas:
    return Areas(
        building_area=Decimal(building) if building else None,
        inner_area=None,
        chargeable_area=Decimal(chargeable) if chargeable else None,
    )


class TestChangeRoom:
    async def test_changes_facts_and_the_name_everywhere(self, world: World) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
        async with world.unit() as ctx:
            room = await service.change_room(
                ctx,
                room_id=space.id,
                version=1,
                name="101甲",
                usage=RoomUsage.office,
                coefficient=Decimal("1.2"),
                floor=3,
            )
            assert room.version == 2
            found = await queries.get_room(ctx, space.id)
        assert (found.full_name, found.path) == ("1幢1单元101甲", "1-1-101")
        assert (found.usage, found.floor) == (RoomUsage.office, 3)

    async def test_refuses_a_version_that_is_old(self, world: World) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            with pytest.raises(StaleVersion):
                await service.change_room(
                    ctx,
                    room_id=space.id,
                    version=7,
                    name="x",
                    usage=RoomUsage.office,
                    coefficient=Decimal(1),
                )

    async def test_hides_rooms_of_others(self, world: World) -> None:
        async with world.unit() as ctx:
            mine = await add_room(ctx, world.alpha.site_id)
        for stranger in (world.at_other_site(), world.at_site(world.beta)):
            async with world.unit(stranger) as ctx:
                with pytest.raises(NotFound):
                    await service.change_areas(
                        ctx, room_id=mine.id, version=1, areas=areas("90"), valid_from=MAY
                    )
                with pytest.raises(NotFound):
                    await service.change_room_state(
                        ctx, room_id=mine.id, version=1, state=RoomState.vacant
                    )
                with pytest.raises(NotFound):
                    await service.close_room(ctx, room_id=mine.id, reason="x")
                with pytest.raises(NotFound):
                    await service.take_out_room(ctx, room_id=mine.id, reason="x")
                assert await queries.areas_of_rooms(ctx, [mine.id]) == {}
                assert await queries.events_of_room(ctx, mine.id) == []


class TestChangeAreas:
    async def test_keeps_what_held_before(self, world: World) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            await service.change_areas(
                ctx, room_id=space.id, version=1, areas=areas("92.10"), valid_from=MAY
            )
        async with world.unit() as ctx:
            held = (await queries.areas_of_rooms(ctx, [space.id]))[space.id]
            room = await queries.get_room(ctx, space.id)
            events = await queries.events_of_room(ctx, space.id)
        assert [(part.start, part.end, part.chargeable_area) for part in held] == [
            (None, MAY, Decimal("89.53")),
            (MAY, None, Decimal("92.10")),
        ]
        assert room.building_area == Decimal("92.10")
        assert events[0].note == "89.53 → 92.10 ㎡"

    async def test_of_a_day_to_come_is_shown_from_that_day(self, world: World) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            await service.change_areas(
                ctx, room_id=space.id, version=1, areas=areas("95"), valid_from=LATER
            )
            assert await service.apply_due_areas(ctx) == 0
            assert (await queries.get_room(ctx, space.id)).building_area == Decimal("89.53")
        async with world.unit(now=world.now.replace(year=2027, month=1, day=1)) as ctx:
            assert await service.apply_due_areas(ctx) == 1
            assert (await queries.get_room(ctx, space.id)).building_area == Decimal(95)

    async def test_refuses_a_day_before_the_last_change(self, world: World) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            await service.change_areas(
                ctx, room_id=space.id, version=1, areas=areas("92"), valid_from=LATER
            )
            with pytest.raises(LaterAreaKnown) as refused:
                await service.change_areas(
                    ctx, room_id=space.id, version=2, areas=areas("93"), valid_from=MAY
                )
        assert refused.value.params == {"valid_from": LATER}

    @pytest.mark.parametrize("area", ["0", "-3"])
    async def test_refuses_an_area_that_is_not_positive(self, world: World, area: str) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            with pytest.raises(AreaNotPositive):
                await service.change_areas(
                    ctx, room_id=space.id, version=1, areas=areas(area), valid_from=MAY
                )


class TestChangeRoomState:
    async def test_keeps_the_day_with_the_history(self, world: World) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            await service.change_room_state(
                ctx, room_id=space.id, version=1, state=RoomState.delivered, on=MAY
            )
            await service.change_room_state(
                ctx, room_id=space.id, version=2, state=RoomState.decorating, note="备案"
            )
        async with world.unit() as ctx:
            events = await queries.events_of_room(ctx, space.id)
            room = await queries.get_room(ctx, space.id)
        assert [(event.kind, event.happened_on, event.note) for event in events] == [
            ("decorating", date(2026, 11, 24), "备案"),
            ("delivered", MAY, ""),
        ]
        assert room.state == RoomState.decorating

    async def test_refuses_the_same_state_and_closing(self, world: World) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            with pytest.raises(RoomStateUnchanged):
                await service.change_room_state(
                    ctx, room_id=space.id, version=1, state=RoomState.occupied
                )
            with pytest.raises(CloseByClosing):
                await service.change_room_state(
                    ctx, room_id=space.id, version=1, state=RoomState.closed
                )


class TestCloseRoom:
    async def test_puts_it_out_of_use_and_back(self, world: World, client: Client) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            await service.close_room(ctx, room_id=space.id, reason="合并到 102")
            with pytest.raises(RoomAlreadyClosed):
                await service.close_room(ctx, room_id=space.id, reason="again")
        caller = client(world.at_site())
        closed = (await caller.get("/api/v1/resources/rooms?state=closed")).json()
        assert (closed["total"], closed["views"]["closed"]) == (1, 1)
        lookup = (await caller.get("/api/v1/resources/lookup/rooms")).json()
        assert lookup["items"] == []
        path = f"/api/v1/resources/rooms/{space.id}/state"
        again = await caller.patch(path, json={"version": 2, "state": "vacant", "note": None})
        assert again.json() == {"id": str(space.id), "state": "vacant", "version": 3}


class TestTakeOut:
    async def test_a_mistake_goes_with_its_unit_and_building(self, world: World) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            assert space.parent_id is not None
            unit_id = space.parent_id
            with pytest.raises(SpaceNotEmpty) as refused:
                await service.close_unit(ctx, unit_id=unit_id, reason="x")
            assert refused.value.params == {"full_name": "1幢1单元", "rooms": 1}
            await service.take_out_room(ctx, room_id=space.id, reason="录错")
            found = (await ctx.session.get_one(type(space), unit_id)).parent_id
            assert found is not None
            await service.close_building(ctx, building_id=found, reason="录错")
        async with world.unit() as ctx:
            with pytest.raises(NotFound):
                await queries.get_room(ctx, space.id)
            with pytest.raises(NotFound):
                await service.close_unit(ctx, unit_id=unit_id, reason="gone")
            assert await add_room(ctx, world.alpha.site_id)  # its codes are free again

    async def test_refuses_a_room_with_a_history(self, world: World) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            await service.change_room_state(
                ctx, room_id=space.id, version=1, state=RoomState.vacant
            )
        with pytest.raises(SpaceStillUsed):
            async with world.unit() as ctx:
                await service.take_out_room(ctx, room_id=space.id, reason="x")
        async with world.unit() as ctx:
            assert await queries.get_room(ctx, space.id)

    async def test_a_room_is_no_building(self, world: World) -> None:
        async with world.unit() as ctx:
            space = await add_room(ctx, world.alpha.site_id)
            with pytest.raises(NotFound):
                await service.close_building(ctx, building_id=space.id, reason="x")
            with pytest.raises(NotFound):
                await service.rename_unit(ctx, unit_id=space.id, version=1, name="x")


class TestRename:
    async def test_reaches_every_room_below_and_no_other(self, world: World) -> None:
        async with world.unit() as ctx:
            room = await add_room(ctx, world.alpha.site_id, building="1")
            other = await add_room(ctx, world.alpha.site_id, building="11")
            unit = await ctx.session.get_one(type(room), room.parent_id)
            assert unit.parent_id is not None
            building_id = unit.parent_id
            with pytest.raises(StaleVersion):
                await service.rename_building(ctx, building_id=building_id, version=9, name="x")
            await service.rename_building(ctx, building_id=building_id, version=1, name="一号楼")
        async with world.unit() as ctx:
            assert (await queries.get_room(ctx, room.id)).full_name == "一号楼1单元101"
            assert (await queries.get_room(ctx, other.id)).full_name == "11幢1单元101"


async def test_rooms_are_changed_over_http(world: World, client: Client) -> None:
    async with world.unit() as ctx:
        space = await add_room(ctx, world.alpha.site_id, area=None)
    caller = client(world.at_site())
    row = (await caller.get("/api/v1/resources/rooms?has_area=false")).json()["items"][0]
    assert (row["id"], row["floor"], row["version"]) == (str(space.id), 1, 1)
    path = f"/api/v1/resources/rooms/{space.id}"
    body = {"version": 1, "building_area": "80", "valid_from": "2026-05-01", "reason": None}
    assert (await caller.patch(f"{path}/areas", json=body)).status_code == 200
    stale = await caller.patch(f"{path}/areas", json=body)
    assert (stale.status_code, stale.json()["code"]) == (409, "stale-version")
    wrong = await caller.patch(f"{path}/areas", json={**body, "version": 2, "building_area": "0"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "area-not-positive")
    assert wrong.json()["errors"][0]["path"] == "building_area"
    reading = client(world.at_site(permissions=("resources.room:read",)))
    for method, end, sent in (
        ("PATCH", "", {"version": 2, "name": "x", "usage": "office", "coefficient": "1"}),
        ("POST", "/close", {"reason": "x"}),
        ("POST", "/take-out", {"reason": "x"}),
    ):
        refused = await reading.request(method, f"{path}{end}", json=sent)
        assert refused.json()["code"] == "permission-missing", end
    units = (await caller.get("/api/v1/resources/units")).json()["items"]
    assert [(unit["path"], unit["rooms"]) for unit in units] == [("1-1", 1)]
    missing = await caller.patch(f"/api/v1/resources/rooms/{uuid7()}/areas", json=body)
    assert missing.status_code == 404
