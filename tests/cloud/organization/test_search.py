"""The search over everything: what it finds, for whom, and what it says to odd questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from sqlalchemy import event, text

from cloud.kernel.bulk import insert_records
from cloud.kernel.context import Ctx
from cloud.kernel.hot import driver_of
from cloud.kernel.initials import initials
from cloud.kernel.search import Source, Wanted
from cloud.main import MODULES
from cloud.modules.accounts.models import User
from cloud.modules.customers import service as customers
from cloud.modules.customers.models import PartyKind
from cloud.modules.resources import service as resources
from cloud.modules.resources.models import RoomState, RoomUsage
from tests.cloud.kernel.test_http import assert_refused
from tests.cloud.vehicles.builders import add_vehicle
from tests.kit.database import TestDatabase
from tests.kit.world import World

Clients = Callable[..., httpx.AsyncClient]
SEARCH = "/api/v1/search"


@pytest.fixture
async def estate(world: World) -> UUID:
    """Room 3-1-1202 and 张伟 of alpha's first community."""
    async with world.unit() as ctx:
        building = await resources.add_building(
            ctx, site_id=world.alpha.site_id, code="3", name="3幢"
        )
        unit = await resources.add_unit(ctx, building_id=building.id, code="1", name="1单元")
        room = await resources.add_room(
            ctx,
            parent_id=unit.id,
            code="1202",
            name="1202",
            facts=resources.RoomFacts(
                usage=RoomUsage.residential,
                state=RoomState.occupied,
                building_area=None,
                chargeable_area=None,
                handover_on=None,
            ),
        )
        await customers.add_party(
            ctx,
            site_id=world.alpha.site_id,
            name="张伟",
            kind=PartyKind.person,
            phone="13812345512",
        )
    return room.id


async def found(client: httpx.AsyncClient, **asked: Any) -> dict[str, list[str]]:
    answer = (await client.get(SEARCH, params=asked)).json()
    return {group["code"]: [hit["title"] for hit in group["hits"]] for group in answer["groups"]}


@pytest.mark.usefixtures("estate")
class TestSearch:
    @pytest.mark.parametrize("typed", ["3-1-1202", "3幢1单元1202", "1202", "3幢 1单元 1202"])
    async def test_finds_a_room_as_it_is_typed(
        self, client: Clients, world: World, typed: str
    ) -> None:
        hits = await found(client(world.at_site()), q=typed)

        assert hits["rooms"] == ["3幢1单元1202"]

    @pytest.mark.parametrize("typed", ["张", "张伟", "zw", "ZW", "138", "13812345512"])
    async def test_finds_a_person(self, client: Clients, world: World, typed: str) -> None:
        assert (await found(client(world.at_site()), q=typed))["people"] == ["张伟"]

    async def test_masks_the_phone(self, client: Clients, world: World) -> None:
        response = await client(world.at_site()).get(SEARCH, params={"q": "13812345512"})

        assert "138****5512" in response.text
        assert "13812345512" not in response.text

    async def test_finds_pages_by_name_and_initials(self, client: Clients, world: World) -> None:
        viewer = client(world.at_site())
        viewer.headers["Accept-Language"] = "zh-CN"

        assert "员工账号" in (await found(viewer, q="ygzh"))["pages"]
        assert "员工账号" in (await found(viewer, q="员工"))["pages"]

    async def test_asks_only_the_sources_that_one_may_read(
        self, client: Clients, world: World
    ) -> None:
        viewer = client(world.at_site(permissions=["resources.room:read"]))

        assert set(await found(viewer, q="1202")) == {"rooms"}
        assert "people" not in await found(viewer, q="张伟")

    async def test_hides_another_communitys_and_companys(
        self, client: Clients, world: World
    ) -> None:
        for viewer in (world.at_other_site(), world.headquarters(world.beta)):
            hits = await found(client(viewer), q="张伟")
            assert "people" not in hits

    async def test_narrows_to_a_community(self, client: Clients, world: World) -> None:
        viewer = client(world.headquarters())

        there = await found(viewer, q="张伟", site_id=str(world.alpha.other_site_id))
        here = await found(viewer, q="张伟", site_id=str(world.alpha.site_id))

        assert "people" not in there
        assert here["people"] == ["张伟"]

    @pytest.mark.parametrize("typed", ["", "z", "1", "%", "_"])
    async def test_asks_for_more_than_one_letter(
        self, client: Clients, world: World, typed: str
    ) -> None:
        answer = (await client(world.at_site()).get(SEARCH, params={"q": typed})).json()

        assert answer["hint"].startswith("Type one character more")
        assert {group["code"] for group in answer["groups"]} <= {"pages"}

    @pytest.mark.parametrize("typed", ["%%", "__", "\\\\", "'; --", "张%"])
    async def test_takes_signs_as_they_are(self, client: Clients, world: World, typed: str) -> None:
        assert "people" not in await found(client(world.at_site()), q=typed)

    async def test_refuses_ten_thousand_characters(self, client: Clients, world: World) -> None:
        response = await client(world.at_site()).get(SEARCH, params={"q": "x" * 10_000})

        problem = assert_refused(response, 422, "unprocessable")
        assert problem.errors[0].message == "At most 50 characters."


class TestInitials:
    @pytest.mark.parametrize(
        ("name", "letters"),
        [("张伟", "zw"), ("Ann 李", "annl"), ("", ""), ("🏠", ""), ("和煦物业1部", "hxwy1b")],
    )
    def test_are_letters_and_digits(self, name: str, letters: str) -> None:
        assert initials(name) == letters


async def test_rooms_and_people_come_before_vehicles_and_papers(
    client: Clients, world: World, estate: UUID
) -> None:
    async with world.unit() as ctx:
        await customers.add_party(
            ctx,
            site_id=world.alpha.site_id,
            name="李静",
            kind=PartyKind.person,
            phone="12025550143",
        )
        await add_vehicle(ctx, world.alpha.site_id, "粤B12025", room_id=estate)

    assert list(await found(client(world.at_site()), q="1202")) == ["rooms", "people", "vehicles"]


class TestTheLastDocuments:
    @pytest.mark.parametrize("viewer", ["headquarters", "at_site"])
    @pytest.mark.parametrize(
        ("code", "index"),
        [
            ("bills", "ix_charging_bill_company_id_number"),
            ("receipts", "ix_receiving_receipt_company_id_number"),
        ],
    )
    async def test_come_off_the_index_of_numbers(
        self, world: World, viewer: str, code: str, index: str
    ) -> None:
        (source,) = (each for module in MODULES for each in module.searches if each.code == code)
        async with world.unit(getattr(world, viewer)()) as ctx:
            await ctx.session.execute(text("SET LOCAL enable_sort = off"))
            (plan,) = await plans_of(ctx, source, Wanted(text="YS2026", orgs=None))

        assert f"Index Scan Backward using {index}" in plan
        assert "Sort" not in plan


class TestStaff:
    async def test_come_off_the_indexes_of_their_company(
        self, committed: World, own_database: TestDatabase
    ) -> None:
        (staff,) = (each for module in MODULES for each in module.searches if each.code == "staff")
        async with committed.unit(committed.headquarters()) as ctx:
            stamp = ctx.stamp(committed.alpha.id)
            many = [User(**stamp, login=f"u{n}", name=f"周{n}") for n in range(3_000)]
            await insert_records(ctx, many)
        with psycopg.connect(own_database.owner_url) as owner:
            owner.execute("ANALYZE accounts_user")
        async with committed.unit(committed.headquarters()) as ctx:
            (plan,) = await plans_of(ctx, staff, Wanted(text="u12", orgs=None))

        for column in ("name", "login", "phone"):
            assert f"Bitmap Index Scan on ix_accounts_user_company_id_{column}" in plan


async def plans_of(ctx: Ctx, source: Source, wanted: Wanted) -> list[str]:
    """How Postgres would answer each statement of a source."""
    asked: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        asked.append((arguments[2], arguments[3]))

    engine = (await ctx.session.connection()).sync_connection
    event.listen(engine, "before_cursor_execute", note)
    try:
        await source.find(ctx, wanted)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    driver = await driver_of(ctx.session)
    plans = []
    for statement, parameters in asked:
        found = await driver.execute(f"EXPLAIN {statement}", parameters)
        plans.append("\n".join(str(row[0]) for row in await found.fetchall()))
    return plans
