"""What a person keeps of a page is theirs alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.cloud.kernel.test_http import assert_refused
from tests.kit.world import World

Clients = Callable[..., httpx.AsyncClient]
OF_BILLS = "/api/v1/ui/preferences/charging.bills"
LAYOUT = {"order": ["number", "open"], "hidden": ["paid"], "height": "compact"}


def view(name: str = "逾期三个月", **change: Any) -> dict[str, Any]:
    return {
        "name": name,
        "filters": {"state": "overdue"},
        "sort": "-open",
        "layout": LAYOUT,
        **change,
    }


class TestPreferences:
    async def test_are_empty_at_first(self, client: Clients, world: World) -> None:
        answer = await client(world.at_site()).get(OF_BILLS)

        assert answer.json() == {"layout": None, "views": []}

    async def test_keep_the_last_layout_for_its_person(self, client: Clients, world: World) -> None:
        person, other = client(world.at_site()), client(world.at_site())
        await person.put(OF_BILLS, json={**LAYOUT, "height": "loose"})
        await person.put(OF_BILLS, json=LAYOUT)

        assert (await person.get(OF_BILLS)).json()["layout"] == LAYOUT
        assert (await other.get(OF_BILLS)).json()["layout"] is None

    async def test_keep_views_and_remove_them(self, client: Clients, world: World) -> None:
        person = client(world.at_site())
        saved = (await person.post(f"{OF_BILLS}/views", json=view())).json()["views"][0]

        assert (saved["filters"], saved["sort"]) == ({"state": "overdue"}, "-open")
        left = await person.delete(f"{OF_BILLS}/views/{saved['id']}")
        assert left.json()["views"] == []

    async def test_hide_anothers_view(self, client: Clients, world: World) -> None:
        person, other = client(world.at_site()), client(world.at_site())
        saved = (await person.post(f"{OF_BILLS}/views", json=view())).json()["views"][0]

        refused = await other.delete(f"{OF_BILLS}/views/{saved['id']}")

        assert_refused(refused, 404, "not-found")
        assert len((await person.get(OF_BILLS)).json()["views"]) == 1

    async def test_refuse_a_name_twice(self, client: Clients, world: World) -> None:
        person = client(world.at_site())
        await person.post(f"{OF_BILLS}/views", json=view())

        again = await person.post(f"{OF_BILLS}/views", json=view())

        assert_refused(again, 409, "view-name-taken")

    async def test_refuse_more_than_twenty(self, client: Clients, world: World) -> None:
        person = client(world.at_site())
        for number in range(20):
            await person.post(f"{OF_BILLS}/views", json=view(f"视图 {number}"))

        assert_refused(
            await person.post(f"{OF_BILLS}/views", json=view("多一个")), 409, "views-full"
        )

    @pytest.mark.parametrize(
        "wrong",
        [{"name": " "}, {"name": "长" * 31}, {"filters": {"q": "长" * 201}}, {"sort": "x" * 61}],
    )
    async def test_refuse_what_does_not_fit(
        self, client: Clients, world: World, wrong: dict[str, Any]
    ) -> None:
        person = client(world.at_site())

        response = await person.post(f"{OF_BILLS}/views", json=view(**wrong))

        assert response.status_code == 422
        assert (await person.get(OF_BILLS)).json()["views"] == []


class TestWhatCannotBeKept:
    async def test_is_refused_in_json_and_in_text(self, client: Clients, world: World) -> None:
        person = client(world.at_site())

        kept = await person.put(OF_BILLS, json={**LAYOUT, "hidden": ["a\0b"]})
        asked = await person.get("/api/v1/resources/rooms?q=a%00b")

        assert_refused(kept, 422, "text-not-storable")
        assert_refused(asked, 422, "text-not-storable")
