"""Devices in lists and on the live screen."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import httpx

from cloud.kernel.context import Ctx
from cloud.modules.devices import service
from cloud.modules.devices.models import DeviceKind, PointLane
from cloud.modules.devices.service import DeviceSpec, PointSpec
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]


async def equip(ctx: Ctx, site_id: UUID, code: str = "G1") -> int:
    """A gateway with one meter; answers its power's point number."""
    gateway = await service.add_gateway(ctx, site_id=site_id, code=code)
    points = tuple(
        PointSpec(
            code=name,
            label=name,
            unit="kW",
            digits=2,
            lane=lane,
            register_table="holding",
            address=address,
            register_type="uint32",
            scale=Decimal("0.001"),
        )
        for name, lane, address in (("energy", PointLane.meter, 0), ("power", PointLane.tele, 2))
    )
    spec = DeviceSpec("B1", 1, "E-1", "1幢总电表", DeviceKind.electricity, "1幢", None, points)
    made = await service.add_devices(ctx, gateway_id=gateway.id, specs=[spec])
    return made["E-1"][1]["power"]


async def test_live_shows_the_measurement_of_each_device(world: World, client: Client) -> None:
    async with world.unit() as ctx:
        power = await equip(ctx, world.alpha.site_id)
    http = client(world.at_site())
    live = (
        await http.get("/api/v1/devices/live", params={"site_id": str(world.alpha.site_id)})
    ).json()
    assert live["gateway"] == {"state": "never", "since": None, "backlog": 0, "code": "G1"}
    tile = live["groups"][0]["tiles"][0]
    assert (tile["point"], tile["state"], tile["value"], tile["trend"]) == (
        power,
        "never",
        None,
        [],
    )
    assert live["groups"][0]["code"] == "power"


async def test_live_is_of_one_community(world: World, client: Client) -> None:
    http = client(world.headquarters())
    answer = await http.get("/api/v1/devices/live", params={"site_id": str(world.alpha.id)})
    assert (answer.status_code, answer.json()["code"]) == (422, "pick-a-project")


async def test_devices_of_others_are_hidden(world: World, client: Client) -> None:
    async with world.unit() as ctx:
        power = await equip(ctx, world.alpha.site_id)
    stranger = client(world.at_site(world.beta))
    for path in ("gateways", "devices", "points"):
        assert (await stranger.get(f"/api/v1/devices/{path}")).json()["total"] == 0
    assert (await stranger.get(f"/api/v1/devices/points/{power}/history")).status_code == 404
    site = {"site_id": str(world.alpha.site_id)}
    assert (await stranger.get("/api/v1/devices/live", params=site)).status_code == 404
    assert (await stranger.get("/api/v1/devices/live/stream", params=site)).status_code == 404
    own = client(world.at_site())
    for path, total in (("gateways", 1), ("devices", 1), ("points", 2)):
        page = (await own.get(f"/api/v1/devices/{path}")).json()
        assert page["total"] == total
        if path == "gateways":
            assert page["items"][0]["site_id"] == str(world.alpha.site_id)


async def test_partitions_are_kept_ahead(world: World) -> None:
    async with world.unit() as ctx:
        assert await service.extend_partitions(ctx) == 0
