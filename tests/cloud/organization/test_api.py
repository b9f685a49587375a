"""The lists of units and legal entities: filtered, sorted, and never silently empty."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from cloud.kernel.db import uuid7
from tests.cloud.kernel.test_http import assert_refused
from tests.kit.world import World

UNITS = "/api/v1/organization/units"
Clients = Callable[..., httpx.AsyncClient]


async def codes(client: httpx.AsyncClient, query: str) -> list[str]:
    response = await client.get(f"{UNITS}?{query}")
    return [row["code"] for row in response.json()["items"]]


class TestListUnits:
    async def test_of_headquarters_shows_the_company(self, client: Clients, world: World) -> None:
        answer = (await client(world.headquarters()).get(UNITS)).json()

        assert [row["code"] for row in answer["items"]] == ["A", "AR", "AS1", "AS2"]
        assert answer["total"] == 4
        assert answer["items"][2]["parent_name"] == "AR"

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("sort=-code", ["AS2", "AS1", "AR", "A"]),
            ("q=S1", ["AS1"]),
            ("q=%25", []),
            ("q=A_1", []),
            ("size=2&page=2", ["AS1", "AS2"]),
            ("size=2&page=9", []),
        ],
    )
    async def test_follows_the_question(
        self, client: Clients, world: World, query: str, found: list[str]
    ) -> None:
        assert await codes(client(world.headquarters()), query) == found

    async def test_of_a_region_shows_what_is_below(self, client: Clients, world: World) -> None:
        found = await codes(client(world.headquarters()), f"site_id={world.alpha.region_id}")

        assert found == ["AR", "AS1", "AS2"]

    async def test_refuses_an_order_that_it_has_not(self, client: Clients, world: World) -> None:
        response = await client(world.headquarters()).get(f"{UNITS}?sort=secret")

        problem = assert_refused(response, 422, "sort-unknown")
        assert problem.params["allowed"] == "code, name, kind, opened_on"
        assert problem.errors[0].path == "sort"

    async def test_says_so_when_the_community_is_not_yours(
        self, client: Clients, world: World
    ) -> None:
        response = await client(world.at_site()).get(f"{UNITS}?site_id={world.alpha.other_site_id}")

        assert_refused(response, 403, "project-not-yours")

    @pytest.mark.parametrize("whose", ["beta", "nobody"])
    async def test_hides_another_companys(self, client: Clients, world: World, whose: str) -> None:
        site_id: UUID = world.beta.site_id if whose == "beta" else uuid7()

        response = await client(world.headquarters()).get(f"{UNITS}?site_id={site_id}")

        assert_refused(response, 404, "not-found")

    async def test_needs_the_permission(self, client: Clients, world: World) -> None:
        response = await client(world.at_site(permissions=())).get(UNITS)

        assert_refused(response, 403, "permission-missing")


class TestListLegalEntities:
    async def test_shows_the_companys_to_everybody_below(
        self, client: Clients, world: World
    ) -> None:
        answer = await client(world.at_site()).get("/api/v1/organization/legal-entities?q=公司A")

        assert [row["name"] for row in answer.json()["items"]] == ["公司A物业"]


class TestPages:
    @pytest.mark.parametrize(("language", "title"), [("zh-CN", "组织架构"), ("en", "Organization")])
    async def test_are_in_the_viewers_language(
        self, client: Clients, world: World, language: str, title: str
    ) -> None:
        page = await client(world.headquarters()).get(
            "/api/v1/ui/pages/organization.units", headers={"Accept-Language": language}
        )

        assert page.json()["title"] == title
        assert page.json()["source"] == UNITS

    @pytest.mark.parametrize("code", ["organization.units", "organization.nothing"])
    async def test_are_unknown_to_who_may_not_see_them(
        self, client: Clients, world: World, code: str
    ) -> None:
        viewer = client(world.at_site(permissions=()))

        assert_refused(await viewer.get(f"/api/v1/ui/pages/{code}"), 404, "page-unknown")
