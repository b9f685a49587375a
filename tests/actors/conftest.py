"""A real broker, a database that commits, two sites with gateways, and a host on them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from actors.host import Host
from actors.process_host import running_host
from cloud.embedded.broker import PLATFORM_USER, Broker
from cloud.kernel.runtime import Runtime
from cloud.main import functions, host_runtime
from cloud.modules.devices import service as devices
from cloud.modules.devices.models import DeviceKind, PointLane
from cloud.modules.devices.service import DeviceSpec, PointSpec
from cloud.modules.metering import service as metering
from cloud.modules.metering.models import MeterKind
from cloud.modules.metering.service import MeterSpec
from protocols.uplink import topics
from tests.actors.peer import Peer, connected
from tests.kit.broker import private_broker
from tests.kit.database import TestDatabase, endpoints_of
from tests.kit.world import World

PASSWORD = "gateway-of-tests"


@dataclass
class Plant:
    """Two equipped sites of alpha, and what a host of them is started with."""

    world: World
    database: TestDatabase
    broker: Broker
    data_dir: Path
    tele: int
    energy: int
    other_tele: int
    device_id: UUID

    @property
    def site_id(self) -> UUID:
        return self.world.alpha.site_id

    def runtime(self) -> Runtime:
        return host_runtime(self.data_dir)

    @asynccontextmanager
    async def host(self, *, name: str = "host-0", **more: Any) -> AsyncIterator[Host]:
        """A host in this process, once it listens: what came before is sent again in real life."""
        async with running_host(self.runtime(), functions(), name=name, **more) as host:
            await listening(host, True)
            yield host

    def gateway(self, site_id: UUID | None = None) -> AbstractAsyncContextManager[Peer]:
        return connected(self.broker.port_gateways, site_id or self.site_id, PASSWORD)

    def query(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """As the owner, past the app's rights; row security holds for owners, so scope is set."""
        with psycopg.connect(self.database.owner_url) as connection:
            connection.execute(
                "SELECT set_config('app.company', %s, true), set_config('app.all', 'on', true)",
                [str(self.world.alpha.id)],
            )
            return connection.execute(statement, params).fetchall()


async def listening(host: Host, wanted: bool) -> None:
    async with asyncio.timeout(15):
        while (bool(host.health()["shards"]) and host.health()["listening"]) != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    with private_broker() as running:
        yield running


@pytest.fixture
async def plant(
    committed: World, own_database: TestDatabase, broker: Broker, tmp_path: Path
) -> Plant:
    sites = (committed.alpha.site_id, committed.alpha.other_site_id)
    broker.write_users({topics.user(site): PASSWORD for site in sites})
    broker.reload()
    endpoints = endpoints_of(
        own_database,
        mqtt={
            "host": "127.0.0.1",
            "port_gateways": broker.port_gateways,
            "port_platform": broker.port_platform,
            "platform_user": PLATFORM_USER,
            "platform_password": broker.platform_password,
        },
    )
    (tmp_path / "runtime.json").write_text(_revealed(endpoints))
    async with committed.unit(committed.headquarters()) as ctx:
        first = await _equip(ctx, sites[0], "LT")
        second = await _equip(ctx, sites[1], "YS")
    return Plant(
        world=committed,
        database=own_database,
        broker=broker,
        data_dir=tmp_path,
        tele=first[1]["power"],
        energy=first[1]["energy"],
        other_tele=second[1]["power"],
        device_id=first[0],
    )


async def _equip(ctx: Any, site_id: UUID, code: str) -> tuple[UUID, dict[str, int]]:
    gateway = await devices.add_gateway(ctx, site_id=site_id, code=f"{code}-GW1")
    spec = DeviceSpec(
        bus="B1",
        unit_id=1,
        code=f"E-{code}-1",
        name="电表",
        kind=DeviceKind.electricity,
        place="1幢",
        space_id=None,
        points=(
            _point("energy", PointLane.meter, 0, "0.01", "kWh"),
            _point("power", PointLane.tele, 2, "0.001", "kW"),
        ),
    )
    made = await devices.add_devices(ctx, gateway_id=gateway.id, specs=[spec])
    device_id, points = made[spec.code]
    meter = MeterSpec(
        no=f"E-{code}-1",
        kind=MeterKind.electricity,
        initial_value=Decimal(0),
        installed_on=ctx.business_on,
        point_no=points["energy"],
    )
    await metering.add_meter(ctx, site_id=site_id, spec=meter)
    return device_id, points


def _point(code: str, lane: PointLane, address: int, scale: str, unit: str) -> PointSpec:
    return PointSpec(
        code=code,
        label=code,
        unit=unit,
        digits=2,
        lane=lane,
        register_table="holding",
        address=address,
        register_type="uint32",
        scale=Decimal(scale),
    )


def _revealed(endpoints: Any) -> str:
    def plain(value: Any) -> Any:
        return value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)

    return json.dumps(endpoints.model_dump(), default=plain)
