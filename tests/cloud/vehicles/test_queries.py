"""The list of vehicles, the search and a room's page, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from cloud.main import vocabulary
from cloud.modules.vehicles.models import PlateType
from tests.cloud.customers.builders import add_party
from tests.cloud.resources.builders import add_room
from tests.cloud.vehicles.builders import add_vehicle
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]
VEHICLES = "/api/v1/vehicles/vehicles"


@pytest.fixture
async def room_id(world: World) -> UUID:
    """The room of 张伟's 粤B1O345; 粤BD67890 has no room, and one vehicle has no plate."""
    site_id = world.alpha.site_id
    async with world.unit() as ctx:
        room = await add_room(ctx, site_id)
        owner = await add_party(ctx, site_id)
        await add_vehicle(
            ctx, site_id, "粤B10345", room_id=room.id, party_id=owner.id, brand="大众"
        )
        await add_vehicle(ctx, site_id, "粤BD67890", plate_type=PlateType.new_energy)
        await add_vehicle(ctx, site_id, "", plate_type=PlateType.unlicensed, room_id=room.id)
    return room.id


async def plates(client: httpx.AsyncClient, **asked: Any) -> list[str]:
    answer = await client.get(VEHICLES, params=asked)
    assert answer.status_code == 200, answer.text
    return [row["plate"] for row in answer.json()["items"]]


async def found(client: httpx.AsyncClient, q: str) -> list[str]:
    answer = (await client.get("/api/v1/search", params={"q": q})).json()
    groups = {group["code"]: group["hits"] for group in answer["groups"]}
    return [hit["title"] for hit in groups.get("vehicles", [])]


@pytest.mark.usefixtures("room_id")
class TestList:
    @pytest.mark.parametrize("q", ["粤B10345", "b·io345", "0345", "张伟"])
    async def test_finds_a_vehicle_as_it_is_typed(
        self, client: Client, world: World, q: str
    ) -> None:
        assert await plates(client(world.at_site()), q=q) == ["粤B10345"]

    @pytest.mark.parametrize("q", ["1-1-101", "1幢1单元101", "1幢"])
    async def test_finds_those_of_a_room(self, client: Client, world: World, q: str) -> None:
        assert await plates(client(world.at_site()), q=q) == ["", "粤B10345"]

    @pytest.mark.parametrize("q", ["%", "_", "·", "李静"])
    async def test_takes_signs_as_they_are(self, client: Client, world: World, q: str) -> None:
        assert await plates(client(world.at_site()), q=q) == []

    async def test_counts_its_views(self, client: Client, world: World) -> None:
        answer = (await client(world.at_site()).get(VEHICLES, params={"state": "no_room"})).json()

        assert answer["views"] == {"in_use": 3, "no_room": 1, "closed": 0}
        assert [row["plate"] for row in answer["items"]] == ["粤BD67890"]

    @pytest.mark.parametrize("sort", ["plate", "-room_name", "party_name", "site_name"])
    async def test_is_sorted(self, client: Client, world: World, sort: str) -> None:
        assert len(await plates(client(world.at_site()), sort=sort)) == 3

    async def test_is_the_viewers_scope_only(self, client: Client, world: World) -> None:
        assert await plates(client(world.at_other_site())) == []
        assert await plates(client(world.at_site(world.beta))) == []

    async def test_writes_a_workbook_of_its_filter(self, client: Client, world: World) -> None:
        path = "/api/v1/ui/pages/vehicles.vehicles/export"
        answer = await client(world.at_site()).get(path, params={"q": "粤B"})

        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(b"PK")


@pytest.mark.usefixtures("room_id")
class TestSearch:
    @pytest.mark.parametrize("q", ["粤B10345", "粤b1o", "粤B·10345", "B1O345", "b10345", "i0345"])
    async def test_finds_a_plate_as_it_is_typed(self, client: Client, world: World, q: str) -> None:
        assert await found(client(world.at_site()), q) == ["粤B10345"]

    @pytest.mark.parametrize("q", ["A10345", "345", "沪B10345"])
    async def test_finds_no_other(self, client: Client, world: World, q: str) -> None:
        assert await found(client(world.at_site()), q) == []

    async def test_shows_nobody_a_plate_who_may_not_read_it(
        self, client: Client, world: World
    ) -> None:
        rest = [one for one in vocabulary() if one != "vehicles.vehicle:read"]

        assert await found(client(world.at_site(permissions=rest)), "粤B1") == []


class TestRoomPage:
    async def test_shows_its_vehicles_to_who_may_read_them(
        self, client: Client, world: World, room_id: UUID
    ) -> None:
        path = f"/api/v1/receiving/rooms/{room_id}"
        rest = [one for one in vocabulary() if one != "vehicles.vehicle:read"]

        shown = (await client(world.at_site()).get(path)).json()["vehicles"]
        hidden = (await client(world.at_site(permissions=rest)).get(path)).json()["vehicles"]

        assert [(one["plate"], one["party_name"], one["brand"]) for one in shown] == [
            ("", "", ""),
            ("粤B10345", "张伟", "大众"),
        ]
        assert hidden == []


class TestWriting:
    async def test_a_vehicle_is_added_changed_and_closed(
        self, client: Client, world: World
    ) -> None:
        caller = client(world.at_site())
        body = {"site_id": str(world.alpha.site_id), "plate_type": "fuel", "plate": "粤b·12345"}

        made = await caller.post(VEHICLES, json=body)
        again = await caller.post(VEHICLES, json=body)
        wrong = await caller.post(VEHICLES, json={**body, "plate": "12345"})
        path = f"{VEHICLES}/{made.json()['id']}"
        changed = await caller.patch(
            path, json={"version": 1, "plate_type": "new_energy", "plate": "粤BD12345"}
        )
        closed = await caller.post(f"{path}/close", json={"reason": "卖了"})

        assert (made.status_code, made.json()["plate"]) == (201, "粤B12345")
        assert (again.status_code, again.json()["code"]) == (409, "plate-taken")
        assert wrong.json()["errors"][0]["path"] == "plate"
        assert "粤B12345" in wrong.json()["errors"][0]["message"]
        assert (changed.status_code, changed.json()["plate"]) == (200, "粤BD12345")
        assert closed.status_code == 200, closed.text
        assert await plates(caller) == []
        assert await plates(caller, state="closed") == ["粤BD12345"]
