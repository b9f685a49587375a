"""Plain lists: entries of HQ and of a project, disabled and never deleted, without hooks."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable

import httpx
import pytest

from cloud.kernel import catalogue
from cloud.kernel.catalogue import Catalogue, CatalogueEntry, EntryNotOffered, EntryState
from cloud.kernel.errors import NotFound
from cloud.modules.resources.rules import ROOM_TYPES
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]
PATH = "/api/v1/resources/room-types"


def test_a_catalogue_takes_no_callables() -> None:
    kinds = typing.get_type_hints(Catalogue)

    assert {field.name for field in dataclasses.fields(Catalogue)} == kinds.keys()
    assert [name for name, kind in kinds.items() if not issubclass(kind, str)] == []


async def _entry(world: World, *, name: str = "两室", is_system: bool = False) -> CatalogueEntry:
    async with world.unit(world.headquarters()) as ctx:
        return await catalogue.add_entry(
            ctx, ROOM_TYPES, code=name, name=name, rank=1, is_system=is_system
        )


async def test_an_entry_is_added_changed_and_disabled(world: World, client: Client) -> None:
    caller = client(world.at_site())
    made = await caller.post(PATH, json={"code": "2b", "name": "两室", "rank": 5})
    assert made.status_code == 201
    again = await caller.post(PATH, json={"code": "2b", "name": "二室"})
    assert (again.status_code, again.json()["params"]) == (409, {"name": "两室", "code": "2b"})
    one = f"{PATH}/{made.json()['id']}"
    changed = await caller.patch(one, json={"version": 1, "name": "二室", "rank": 2})
    assert (changed.json()["name"], changed.json()["version"]) == ("二室", 2)
    stale = await caller.patch(one, json={"version": 1, "name": "x"})
    assert stale.json()["code"] == "stale-version"
    assert (await caller.get(f"{PATH}/choices")).json()["items"][0]["label"] == "二室"
    assert (await caller.post(f"{one}/disable")).json()["state"] == "disabled"
    assert (await caller.get(f"{PATH}/choices")).json()["items"] == []
    rows = (await caller.get(PATH)).json()["items"]
    assert [(row["origin"], row["state"]) for row in rows] == [("custom", "disabled")]
    assert (await caller.post(f"{one}/enable")).json()["state"] == "in_use"


async def test_what_hq_added_is_offered_below_and_changed_only_there(
    world: World, client: Client
) -> None:
    entry = await _entry(world)
    caller = client(world.at_site())
    assert [row["name"] for row in (await caller.get(PATH)).json()["items"]] == ["两室"]
    refused = await caller.patch(f"{PATH}/{entry.id}", json={"version": 1, "name": "x"})
    assert refused.status_code in {403, 404}
    beta = client(world.at_site(world.beta))
    assert (await beta.get(PATH)).json()["items"] == []


async def test_what_the_platform_brought_is_not_changed(world: World, client: Client) -> None:
    entry = await _entry(world, is_system=True)
    refused = await client(world.headquarters()).patch(
        f"{PATH}/{entry.id}", json={"version": 1, "name": "x"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-of-the-system")


async def test_a_record_takes_only_an_entry_on_offer_of_its_own_list(world: World) -> None:
    entry = await _entry(world)
    async with world.unit(world.headquarters()) as ctx:
        await catalogue.check_entry(ctx, ROOM_TYPES, entry.id)
        await catalogue.check_entry(ctx, ROOM_TYPES, None)
        with pytest.raises(NotFound):
            await catalogue.check_entry(ctx, "customers.types", entry.id)
        await catalogue.set_entry_state(ctx, ROOM_TYPES, entry.id, state=EntryState.disabled)
        with pytest.raises(EntryNotOffered):
            await catalogue.check_entry(ctx, ROOM_TYPES, entry.id)
    async with world.unit(world.at_site(world.beta)) as ctx:
        with pytest.raises(NotFound):
            await catalogue.check_entry(ctx, ROOM_TYPES, entry.id)
