"""Lists and searches of parties, also over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import httpx
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.records import AuditRow
from cloud.modules.customers import queries
from tests.cloud.customers.builders import add_party, own
from tests.cloud.resources.builders import add_room
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]


async def _owner(world: World) -> UUID:
    async with world.unit() as ctx:
        room = await add_room(ctx, world.alpha.site_id)
        party = await add_party(ctx, world.alpha.site_id)
        await own(ctx, room.id, party.id)
    return room.id


async def test_rooms_are_found_by_the_beginning_of_a_name_or_a_phone(world: World) -> None:
    room_id = await _owner(world)
    async with world.unit() as ctx:
        assert await queries.find_rooms_of(ctx, "张", by="name") == [room_id]
        assert await queries.find_rooms_of(ctx, "138057", by="phone") == [room_id]
        assert await queries.find_rooms_of(ctx, "5512", by="phone") == []
        assert await queries.find_rooms_of(ctx, "_", by="name") == []
        payers = await queries.payers_of_rooms(ctx, [room_id])
    assert payers == {room_id: ("张伟", "138****5512")}


async def test_the_list_shows_rooms_and_never_a_whole_phone(world: World, client: Client) -> None:
    await _owner(world)
    async with world.unit() as ctx:
        await add_party(ctx, world.alpha.site_id, name="王总", phone="80885")
    answer = await client(world.at_site()).get(
        "/api/v1/customers/parties", params={"sort": "-name"}
    )
    assert "13805765512" not in answer.text
    assert [(row["name"], row["phone_masked"], row["rooms"]) for row in answer.json()["items"]] == [
        ("王总", "****85", ""),
        ("张伟", "138****5512", "1幢1单元101"),
    ]


async def test_a_party_gets_a_room_over_http(world: World, client: Client) -> None:
    room_id = await _owner(world)
    caller = client(world.at_site())
    body = {"site_id": str(world.alpha.site_id), "name": " 李静 ", "kind": "person"}
    made = await caller.post("/api/v1/customers/parties", json=body)
    assert (made.status_code, made.json()["name"]) == (201, "李静")
    path = f"/api/v1/customers/parties/{made.json()['id']}/rooms"
    wanted = {"room_id": str(room_id), "role": "tenant", "valid_from": "2026-03-01"}
    held = await caller.post(path, json=wanted)
    assert (held.status_code, held.json()["is_payer"]) == (201, False)
    end = f"/api/v1/customers/roles/{held.json()['id']}/end"
    assert (await caller.post(end, json={"ends_on": "2026-09-01"})).json()[
        "valid_to"
    ] == "2026-09-01"
    second = await caller.post(path, json={**wanted, "valid_from": "2026-10-01", "is_payer": True})
    assert (second.status_code, second.json()["code"]) == (409, "payer-already-set")
    wrong = await caller.post(path, json={**wanted, "share": "100.1", "valid_from": "soon"})
    assert {field["path"] for field in wrong.json()["errors"]} == {"share", "valid_from"}


async def test_the_list_is_the_viewers_scope_only(world: World, client: Client) -> None:
    await _owner(world)
    at_other = client(world.at_other_site())
    assert (await at_other.get("/api/v1/customers/parties")).json()["total"] == 0
    named = {"site_id": str(world.alpha.site_id)}
    refused = await at_other.get("/api/v1/customers/parties", params=named)
    assert (refused.status_code, refused.json()["code"]) == (403, "project-not-yours")
    beta = client(world.at_site(world.beta))
    assert (await beta.get("/api/v1/customers/parties", params=named)).status_code == 404
    nobody = client(world.at_site(permissions=()))
    assert (await nobody.get("/api/v1/customers/parties")).status_code == 403


async def test_a_phone_is_shown_in_full_to_who_may_and_leaves_a_trace(
    world: World, client: Client
) -> None:
    async with world.unit() as ctx:
        party = await add_party(ctx, world.alpha.site_id)
    path = f"/api/v1/customers/parties/{party.id}/phone"
    reader = client(world.at_site(permissions=("customers.party:read",)))
    assert (await reader.post(path)).status_code == 403
    assert (await client(world.at_other_site()).post(path)).status_code == 404
    assert (await client(world.at_site()).post(path)).json() == {"number": "13805765512"}
    async with world.unit() as ctx:
        rows = await ctx.session.execute(
            select(AuditRow).where(col(AuditRow.action) == "customers.phone.revealed")
        )
        assert [row.subject_id for row in rows.scalars()] == [party.id]


async def test_a_form_offers_the_people_of_its_community(world: World, client: Client) -> None:
    async with world.unit(world.headquarters()) as ctx:
        await add_party(ctx, world.alpha.site_id)
        await add_party(ctx, world.alpha.other_site_id, name="李静")
    lookup = "/api/v1/customers/lookup/parties"
    here = {"site_id": str(world.alpha.site_id)}

    everybody = (await client(world.headquarters()).get(lookup)).json()["items"]
    of_it = (await client(world.headquarters()).get(lookup, params=here)).json()["items"]

    assert len(everybody) == 2
    assert [item["label"] for item in of_it] == ["张伟 138****5512"]
