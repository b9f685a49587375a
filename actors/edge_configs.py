"""What each gateway is to read and where, written from the database for the edge agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from sqlalchemy import func, select

from actors.gateway_passwords import GatewayPasswords, write_private
from cloud.kernel.context import system_principal
from cloud.kernel.db import Scope
from cloud.kernel.runtime import Runtime
from cloud.kernel.settings import BrokerEndpoint
from cloud.kernel.uow import unit_of_work
from cloud.modules.devices import queries as devices
from cloud.modules.devices.queries import PointOfBus
from protocols.uplink import topics

TIMEOUT_S = 1.0
POLL_EVERY_S = 5.0


async def write_edge_configs(runtime: Runtime) -> list[Path]:
    """One `<data dir>/edge/<site code>/config.yaml` for each gateway whose buses have addresses,
    readable by its owner only; a file that would say the same is left alone.

    A gateway that has no password yet gets one.
    """
    data_dir = runtime.settings.data_dir
    ports = runtime.endpoints.simulators.ports if runtime.endpoints.simulators else {}
    passwords = GatewayPasswords(data_dir, runtime.endpoints.mqtt)
    written = []
    for site_id, code, gateway, points in await _gateways(runtime):
        user = topics.user(site_id)
        password = passwords.of(site_id)
        buses = _buses(points, code, ports)
        if not buses:
            continue
        path = data_dir / "edge" / code / "config.yaml"
        config = {
            "version": 1,
            "site": str(site_id),
            "gateway": gateway,
            "broker": _broker(runtime.endpoints.mqtt, user, password),
            "store": "store",
            "buses": buses,
        }
        write_private(path, yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
        written.append(path)
    return written


async def _gateways(runtime: Runtime) -> list[tuple[UUID, str, str, list[PointOfBus]]]:
    async with runtime.sessions() as session:
        companies = list((await session.execute(select(func.kernel_companies()))).scalars())
    found = []
    for company_id in companies:
        scope = Scope(company_id=company_id, all=True)
        principal = system_principal(company_id, org_id=company_id, scope=scope)
        async with unit_of_work(runtime.sessions, principal, bus=runtime.bus) as ctx:
            for gateway, code in await devices.all_gateways(ctx):
                points = await devices.points_of_gateway(ctx, gateway.id)
                found.append((gateway.org_id, code, gateway.code, points))
    return found


def _broker(endpoint: BrokerEndpoint, user: str, password: str) -> dict[str, Any]:
    return {
        "host": endpoint.host,
        "port": endpoint.port_gateways,
        "user": user,
        "password": password,
    }


def _buses(
    points: Iterable[PointOfBus], site_code: str, ports: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Buses without a known address are left out: there is nothing to connect to."""
    return [
        {
            "code": bus,
            "host": "127.0.0.1",
            "port": ports[f"{site_code}/{bus}"],
            "timeout_s": TIMEOUT_S,
            "poll_every_s": POLL_EVERY_S,
            "devices": [
                {
                    "code": code,
                    "unit_id": unit_id,
                    "points": [_point(point) for point in of_device],
                }
                for (unit_id, code), of_device in groupby(
                    of_bus, key=lambda point: (point.unit_id, point.device_code)
                )
            ],
        }
        for bus, of_bus in groupby(points, key=lambda point: point.bus)
        if f"{site_code}/{bus}" in ports
    ]


def _point(point: PointOfBus) -> dict[str, Any]:
    return {
        "point": point.point_no,
        "code": point.code,
        "table": point.register_table,
        "address": point.address,
        "type": point.register_type,
        "word_order": point.word_order,
        "scale": float(point.scale),
        "lane": point.lane,
        "every_s": point.every_s,
    }
