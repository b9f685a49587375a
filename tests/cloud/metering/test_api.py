"""Metering over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from cloud.modules.metering.permissions import MeteringPermission
from tests.cloud.metering.builders import add_meter
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]


async def test_reading_is_entered_listed_and_refused(world: World, client: Client) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
    http = client(world.at_site())
    entered = await http.post(
        f"/api/v1/metering/meters/{meter.id}/readings", json={"value": "12.5"}
    )
    assert (entered.status_code, entered.json()["value"]) == (201, "12.5")
    listed = (await http.get("/api/v1/metering/readings", params={"q": "E-1"})).json()
    assert [row["value"] for row in listed["items"]] == ["12.5"]
    meters = (await http.get("/api/v1/metering/meters")).json()
    assert meters["items"][0]["last_value"] == "12.5"
    refused = await http.post(
        f"/api/v1/metering/meters/{meter.id}/readings", json={"value": "1.00001"}
    )
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "value"


async def test_reading_needs_the_permission(world: World, client: Client) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
    http = client(world.at_site(permissions={MeteringPermission.reading_read}))
    refused = await http.post(
        f"/api/v1/metering/meters/{meter.id}/readings", json={"value": "12.5"}
    )
    assert refused.status_code == 403
