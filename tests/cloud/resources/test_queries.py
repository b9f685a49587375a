"""Lists, searches and counts of rooms, also over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from cloud.modules.resources import queries, service
from cloud.modules.resources.service import RoomFacts
from tests.cloud.resources.builders import add_room
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]


async def _three_rooms(world: World) -> None:
    async with world.unit() as ctx:
        first = await add_room(ctx, world.alpha.site_id, code="1001", area="126.40")
        assert first.parent_id is not None
        await service.add_room(ctx, parent_id=first.parent_id, code="201", facts=RoomFacts())
    async with world.unit(world.at_other_site()) as ctx:
        await add_room(ctx, world.alpha.other_site_id, building="10")


async def test_rooms_of_a_site_come_in_counting_order(world: World) -> None:
    await _three_rooms(world)
    async with world.unit() as ctx:
        rooms = await queries.rooms_of_site(ctx, world.alpha.site_id)
        assert [room.path for room in rooms] == ["1-1-201", "1-1-1001"]
        assert await queries.room_counts(ctx) == {world.alpha.site_id: 2}
    async with world.unit(world.headquarters()) as ctx:
        counts = await queries.room_counts(ctx)
    assert counts == {world.alpha.site_id: 2, world.alpha.other_site_id: 1}


async def test_rooms_are_found_by_what_a_clerk_types(world: World) -> None:
    await _three_rooms(world)
    async with world.unit(world.headquarters()) as ctx:
        for typed in ("1-1-1001", "1001", "1幢1单元10", "1号楼 1单元 1001室", "1－1－10"):
            found = await queries.find_rooms(ctx, typed)
            assert [room.path for room in found] == ["1-1-1001"], typed
        assert await queries.find_rooms(ctx, "%") == []
        limited = await queries.find_rooms(ctx, "1", limit=1)
        assert len(limited) == 1


async def test_an_address_is_a_path_or_begins_with_the_name_of_a_building(world: World) -> None:
    async with world.unit() as ctx:
        north = await service.add_building(ctx, site_id=world.alpha.site_id, code="N3", name="3栋")
        room = await service.add_room(ctx, parent_id=north.id, code="301", facts=RoomFacts())
        for address in ("N3-301", "3栋301", "3栋 301"):
            rooms = queries.rooms_at(address)
            assert rooms is not None
            assert list(await ctx.session.scalars(rooms)) == [room.id], address
    assert queries.rooms_at("301") is None


async def test_the_room_list_filters_sums_and_refuses_a_wrong_scope(
    world: World, client: Client
) -> None:
    await _three_rooms(world)
    caller = client(world.headquarters())
    answer = (await caller.get("/api/v1/resources/rooms", params={"sort": "path"})).json()
    assert [row["path"] for row in answer["items"]] == ["1-1-201", "1-1-1001", "10-1-101"]
    assert answer["sums"] == {"building_area": "215.93", "chargeable_area": "215.93"}
    assert answer["items"][1]["building_name"] == "1幢"
    one = {"site_id": str(world.alpha.other_site_id)}
    narrowed = (await caller.get("/api/v1/resources/rooms", params=one)).json()
    assert narrowed["total"] == 1
    office = (await caller.get("/api/v1/resources/rooms?usage=office")).json()
    assert office["total"] == 0
    at_site = client(world.at_site())
    refused = await at_site.get("/api/v1/resources/rooms", params=one)
    assert (refused.status_code, refused.json()["code"]) == (403, "project-not-yours")
    assert (await at_site.get("/api/v1/resources/rooms")).json()["total"] == 2


async def test_the_room_list_takes_an_address_as_bills_do(world: World, client: Client) -> None:
    await _three_rooms(world)
    caller = client(world.headquarters())

    async def found(q: str) -> list[str]:
        answer = await caller.get("/api/v1/resources/rooms", params={"q": q, "sort": "path"})
        return [row["path"] for row in answer.json()["items"]]

    for address in ("1-1-1001", "1栋1单元1001室", "1－1－10", "1幢 1单元 10"):
        assert await found(address) == ["1-1-1001"], address
    assert await found("1-1") == ["1-1-201", "1-1-1001"]
    assert await found("1001") == ["1-1-1001"]
    assert await found("1-1-1%") == []


async def test_buildings_show_their_units_and_rooms(world: World, client: Client) -> None:
    await _three_rooms(world)
    answer = (await client(world.at_site()).get("/api/v1/resources/buildings")).json()
    assert [(row["code"], row["units"], row["rooms"]) for row in answer["items"]] == [("1", 1, 2)]


async def test_lookups_offer_the_sites_in_scope(world: World, client: Client) -> None:
    at_site, hq = client(world.at_site()), client(world.headquarters())
    path = "/api/v1/resources/lookup/sites"
    assert (await at_site.get(path)).json() == {
        "items": [{"value": str(world.alpha.site_id), "label": "AS1"}]
    }
    assert [item["label"] for item in (await hq.get(path, params={"q": "S2"})).json()["items"]] == [
        "AS2"
    ]


async def test_lookups_offer_the_spaces_of_one_community(world: World, client: Client) -> None:
    await _three_rooms(world)
    hq, here = client(world.headquarters()), {"site_id": str(world.alpha.other_site_id)}

    async def offered(kind: str, **asked: str) -> list[str]:
        answer = await hq.get(f"/api/v1/resources/lookup/{kind}", params=asked)
        return [item["label"] for item in answer.json()["items"]]

    assert len(await offered("rooms")) == 3
    assert await offered("rooms", **here) == ["AS2 10幢1单元101"]
    assert await offered("parents", **here) == ["AS2 10幢", "AS2 10幢1单元"]
    assert await offered("buildings", **here) == ["AS2 10幢"]
    assert await offered("rooms", q="1-1-1001") == ["AS1 1幢1单元1001"]
    refused = await client(world.at_site()).get("/api/v1/resources/lookup/rooms", params=here)
    assert (refused.status_code, refused.json()["code"]) == (403, "project-not-yours")


async def test_a_room_is_added_over_http_and_shape_mistakes_are_named(
    world: World, client: Client
) -> None:
    await _three_rooms(world)
    caller = client(world.at_site())
    parents = (await caller.get("/api/v1/resources/lookup/parents")).json()["items"]
    unit = next(item["value"] for item in parents if item["label"] == "AS1 1幢1单元")
    body = {"parent_id": unit, "code": "301", "usage": "residential", "state": "sold"}
    made = await caller.post("/api/v1/resources/rooms", json={**body, "building_area": "89.53"})
    assert (made.status_code, made.json()["full_name"]) == (201, "1幢1单元301")
    again = await caller.post("/api/v1/resources/rooms", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "space-already-exists")
    wrong = {**body, "code": "302", "building_area": "0.00001", "usage": "farm", "extra": 1}
    refused = await caller.post("/api/v1/resources/rooms", json=wrong)
    assert refused.status_code == 422
    assert {field["path"] for field in refused.json()["errors"]} == {
        "building_area", "usage", "extra",
    }  # fmt: skip


async def test_reading_needs_the_permission(world: World, client: Client) -> None:
    nobody = client(world.at_site(permissions=()))
    for path in ("rooms", "buildings", "room-counts", "lookup/sites", "lookup/parents"):
        answer = await nobody.get(f"/api/v1/resources/{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing"), path
