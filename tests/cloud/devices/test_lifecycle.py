"""Gateways are enrolled, devices made from templates, changed and disabled."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from actors.gateway_passwords import GatewayPasswords
from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound, StaleVersion
from cloud.kernel.settings import BrokerEndpoint
from cloud.modules.devices import queries, service
from cloud.modules.devices.models import Device, DeviceState
from cloud.modules.devices.rules import KIND, POINTS, DeviceTemplate
from cloud.modules.organization.queries import ProjectNotYours
from cloud.modules.resources import service as resources
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]


@pytest.fixture
def passwords(tmp_path: Path) -> GatewayPasswords:
    broker = BrokerEndpoint(
        host="127.0.0.1",
        port_gateways=18831,
        port_platform=18832,
        platform_user="platform",
        platform_password=SecretStr("x"),
    )
    return GatewayPasswords(tmp_path, broker)


def spec_of(**more: Any) -> service.DeviceSpec:
    facts: dict[str, Any] = {
        "bus": "B1",
        "unit_id": 7,
        "code": "E-7",
        "name": "电梯机房电表",
        "kind": KIND[DeviceTemplate.electricity],
        "place": "机房",
        "space_id": None,
        "points": POINTS[DeviceTemplate.electricity],
        **more,
    }
    return service.DeviceSpec(**facts)


async def enrolled(ctx: Ctx, passwords: GatewayPasswords, site_id: UUID) -> UUID:
    return (await service.enrol_gateway(ctx, passwords, site_id=site_id, code="GW-1")).id


class TestGateways:
    async def test_are_enrolled_with_credentials_said_once(
        self, world: World, passwords: GatewayPasswords, tmp_path: Path
    ) -> None:
        site_id = world.alpha.site_id
        async with world.unit() as ctx:
            made = await service.enrol_gateway(ctx, passwords, site_id=site_id, code="GW-1")
            kept = json.loads((tmp_path / "gateways.json").read_text())
            assert f"password: {kept[str(site_id)]}" in made.credentials
            assert (tmp_path / "gateways.json").stat().st_mode & 0o777 == 0o600
            renewed = await service.renew_credentials(ctx, passwords, gateway_id=made.id)
            assert renewed.credentials != made.credentials
            with pytest.raises(service.GatewayCodeTaken):
                await service.enrol_gateway(ctx, passwords, site_id=site_id, code="GW-1")
            with pytest.raises(service.SiteHasGateway):
                await service.enrol_gateway(ctx, passwords, site_id=site_id, code="GW-2")
            shown = await queries.read_gateway(ctx, made.id)
            assert kept[str(site_id)] not in shown.model_dump_json()

    async def test_of_another_organization_are_hidden(
        self, world: World, passwords: GatewayPasswords, tmp_path: Path
    ) -> None:
        async with world.unit() as ctx:
            gateway_id = await enrolled(ctx, passwords, world.alpha.site_id)
        before = (tmp_path / "gateways.json").read_text()
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(NotFound):
                await service.renew_credentials(ctx, passwords, gateway_id=gateway_id)
            with pytest.raises(ProjectNotYours):
                await service.enrol_gateway(
                    ctx, passwords, site_id=world.alpha.site_id, code="GW-9"
                )
            with pytest.raises(NotFound):
                await service.add_device(ctx, gateway_id=gateway_id, spec=spec_of())
        assert (tmp_path / "gateways.json").read_text() == before


class TestDevices:
    async def test_come_with_the_points_of_their_template(
        self, world: World, passwords: GatewayPasswords
    ) -> None:
        async with world.unit() as ctx:
            gateway_id = await enrolled(ctx, passwords, world.alpha.site_id)
            device = await service.add_device(ctx, gateway_id=gateway_id, spec=spec_of())
            shown = await queries.read_device(ctx, device.id)
            assert [(p.label, p.lane, p.unit) for p in shown.values] == [
                ("Active energy", "meter", "kWh"),
                ("Active power", "tele", "kW"),
                ("Voltage", "tele", "V"),
            ]
            points = await queries.points_of_gateway(ctx, gateway_id)
            assert [(p.address, Decimal(p.scale)) for p in points] == [
                (0, Decimal("0.01")),
                (2, Decimal("0.001")),
                (4, Decimal("0.1")),
            ]

    async def test_share_neither_code_nor_address(
        self, world: World, passwords: GatewayPasswords
    ) -> None:
        async with world.unit() as ctx:
            gateway_id = await enrolled(ctx, passwords, world.alpha.site_id)
            await service.add_device(ctx, gateway_id=gateway_id, spec=spec_of())
            for refusal, wrong in (
                (service.DeviceCodeTaken, spec_of(unit_id=8)),
                (service.AddressTaken, spec_of(code="E-8")),
            ):
                with pytest.raises(refusal):
                    await service.add_device(ctx, gateway_id=gateway_id, spec=wrong)
            await service.add_device(ctx, gateway_id=gateway_id, spec=spec_of(code="X", bus="B2"))

    async def test_stand_in_no_room_of_another_community(
        self, world: World, passwords: GatewayPasswords
    ) -> None:
        async with world.unit(world.at_other_site()) as ctx:
            building = await resources.add_building(
                ctx, site_id=world.alpha.other_site_id, code="1", name="1幢"
            )
        async with world.unit(world.headquarters()) as ctx:
            gateway_id = await enrolled(ctx, passwords, world.alpha.site_id)
            with pytest.raises(NotFound):
                await service.add_device(
                    ctx, gateway_id=gateway_id, spec=spec_of(space_id=building.id)
                )

    async def test_are_changed_and_leave_the_configuration_when_disabled(
        self, world: World, passwords: GatewayPasswords
    ) -> None:
        async with world.unit() as ctx:
            gateway_id = await enrolled(ctx, passwords, world.alpha.site_id)
            device = await service.add_device(ctx, gateway_id=gateway_id, spec=spec_of())
            await service.change_device(
                ctx, device_id=device.id, version=1, name="电梯电表", place=None
            )
            with pytest.raises(StaleVersion):
                await service.change_device(
                    ctx, device_id=device.id, version=1, name="x", place=None
                )
            await service.disable_device(ctx, device_id=device.id, reason="拆改")
            await ctx.session.flush()
            assert await queries.points_of_gateway(ctx, gateway_id) == []
            await service.enable_device(ctx, device_id=device.id)
            await ctx.session.flush()
            assert len(await queries.points_of_gateway(ctx, gateway_id)) == 3
        async with world.unit(world.at_other_site()) as ctx:
            for act in (
                service.disable_device(ctx, device_id=device.id, reason="x"),
                service.change_device(ctx, device_id=device.id, version=4, name="x", place=None),
                queries.read_device(ctx, device.id),
                queries.read_gateway(ctx, gateway_id),
            ):
                with pytest.raises(NotFound):
                    await act


async def test_over_http_a_gateway_and_its_device_are_made(world: World, client: Client) -> None:
    http = client(world.at_site())
    gateway = await http.post(
        "/api/v1/devices/gateways", json={"site_id": str(world.alpha.site_id), "code": "GW-1"}
    )
    assert gateway.status_code == 201, gateway.text
    assert "password: " in gateway.json()["credentials"]
    body = {
        "gateway_id": gateway.json()["id"],
        "template": "water",
        "bus": "B1",
        "unit_id": 3,
        "code": "W-3",
        "name": "水表",
    }
    made = await http.post("/api/v1/devices/devices", json=body)
    assert made.status_code == 201, made.text
    for wrong, path in (({"unit_id": 0}, "unit_id"), ({"template": "pump"}, "template")):
        refused = await http.post("/api/v1/devices/devices", json={**body, **wrong})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path)
    async with world.unit() as ctx:
        device = await ctx.get(Device, UUID(made.json()["id"]))
        assert device.state == DeviceState.in_use
