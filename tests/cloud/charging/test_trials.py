"""What a price would come to before it holds, and the way from a form to the list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from cloud.kernel.errors import NotFound
from cloud.modules.charging import queries
from cloud.modules.charging.models import (
    Method,
)
from cloud.modules.charging.queries import Selection
from cloud.modules.charging.schemas import Cycle, StandardTrial, VersionTrial
from cloud.modules.organization.queries import ProjectNotYours
from tests.cloud.charging.builders import Estate, build_estate
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]
JULY = date(2026, 7, 1)


@pytest.fixture
async def estate(world: World) -> Estate:
    return await build_estate(world)


class TestTrials:
    async def test_a_new_standard_is_tried_on_a_room_beside_what_holds(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            tried = await queries.try_standard(
                ctx,
                StandardTrial(
                    site_id=estate.site_id,
                    item_id=estate.items["property_fee"],
                    method=Method.area,
                    unit_price=Decimal("2.58"),
                    cycle_months=Cycle.quarter,
                    effective_from=date(2027, 1, 1),
                ),
            )
        # 89.53 × 2.58 × 3 = 692.9622, against 89.53 × 2.38 × 3 = 639.2442
        (line,) = tried.lines
        assert "89.53 m² × 2.58 × 3" in line.text
        assert line.result.startswith("692.96")
        assert "+53.72 (+8.4%)" in line.note

    async def test_a_new_version_is_tried_on_all_its_rooms(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            tried = await queries.try_version(
                ctx,
                standard_id=estate.standards["property_fee"],
                wanted=VersionTrial(unit_price=Decimal("2.58"), effective_from=date(2027, 1, 1)),
            )
        # (89.53 + 126.40) × 2.58 by rooms: 230.99 + 326.11; 103 has no area
        assert [line.result.split(" ")[0] for line in tried.lines] == ["230.99", "557.10"]

    async def test_a_metered_price_without_readings_says_what_it_assumes(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            tried = await queries.try_standard(
                ctx,
                StandardTrial(
                    site_id=estate.site_id,
                    item_id=estate.items["electricity"],
                    method=Method.metered,
                    unit_price=Decimal("0.6"),
                    cycle_months=Cycle.month,
                    effective_from=date(2027, 1, 1),
                ),
            )
        assert tried.lines[0].text == "100 kWh × 0.6"
        assert tried.lines[0].note == ctx.say("assumed use")

    async def test_trials_hide_other_organizations(self, world: World, estate: Estate) -> None:
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(NotFound):
                await queries.try_version(
                    ctx,
                    standard_id=estate.standards["property_fee"],
                    wanted=VersionTrial(unit_price=Decimal(1), effective_from=JULY),
                )
            with pytest.raises(NotFound):
                await queries.try_binding(
                    ctx,
                    standard_id=estate.standards["property_fee"],
                    selection=Selection(),
                    starts_on=JULY,
                )
            with pytest.raises(ProjectNotYours):
                await queries.try_copy(
                    ctx, from_site_id=estate.site_id, to_site_id=world.alpha.other_site_id
                )


class TestOverHttp:
    async def test_a_standard_goes_from_form_to_list(self, estate: Estate, client: Client) -> None:
        http = client(estate.principal)
        body = {
            "site_id": str(estate.site_id),
            "item_id": str(estate.items["property_fee"]),
            "code": "WYF-DC",
            "name": "多层物业费",
            "method": "area",
            "unit_price": "1.80",
            "timing": "advance",
            "cycle_months": "3",
            "due_days": 30,
            "effective_from": "2027-01-01",
            "basis": "合同 HT-9",
        }
        made = await http.post("/api/v1/charging/standards", json=body)
        assert made.status_code == 201, made.text
        listed = (await http.get("/api/v1/charging/standards", params={"state": "upcoming"})).json()
        assert [(row["code"], row["unit_price"]) for row in listed["items"]] == [("WYF-DC", "1.80")]
        for wrong, path in (
            ({"basis": " "}, "basis"),
            ({"unit_price": "1.1234567"}, "unit_price"),
            ({"unit_price": "-1"}, "unit_price"),
            ({"cycle_months": "5"}, "cycle_months"),
            ({"effective_from": "2027-02-30"}, "effective_from"),
        ):
            refused = await http.post(
                "/api/v1/charging/standards", json={**body, "code": "OTHER", **wrong}
            )
            assert refused.status_code == 422
            assert [error["path"] for error in refused.json()["errors"]] == [path]
        taken = await http.post("/api/v1/charging/standards", json=body)
        assert (taken.status_code, taken.json()["errors"][0]["path"]) == (409, "code")
        page = (await http.get("/api/v1/ui/pages/charging.standards")).json()
        trial = next(a for a in page["actions"] if a["code"] == "create")["form"]["trial"]
        asked = {key: body[key] for key in trial["takes"] if key in body}
        tried = (await http.post(trial["path"], json=asked)).json()
        assert tried["lines"][0]["result"].startswith("483.46")

    async def test_overlapping_bindings_are_refused_by_the_database_too(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(IntegrityError, match="ex_charging_binding_overlap"):
                async with ctx.session.begin_nested():
                    await ctx.session.execute(
                        text(
                            "INSERT INTO charging_binding SELECT uuid7(), company_id, org_id, "
                            "created_at, created_by, version, standard_id, item_id, room_id, "
                            "meter_id, starts_on + 30, NULL FROM charging_binding LIMIT 1"
                        )
                    )
