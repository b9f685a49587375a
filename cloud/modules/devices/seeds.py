"""The demo communities' gateways, and a device for every meter in the community file."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from cloud.kernel.seeding import Seeding
from cloud.modules.devices import service
from cloud.modules.devices.models import DeviceKind, PointLane
from cloud.modules.devices.service import DeviceSpec, PointSpec

METER_EVERY_S = 60
TELE_EVERY_S = 30


async def seed(seeding: Seeding) -> None:
    for site in seeding.community["sites"]:
        async with seeding.unit() as ctx:
            gateway = await service.add_gateway(
                ctx, site_id=seeding.ids[f"site:{site['code']}"], code=f"{site['code']}-GW1"
            )
            seeding.ids[f"gateway:{site['code']}"] = gateway.id
            specs = [*_shared(seeding, site), *_of_rooms(seeding, site)]
            made = await service.add_devices(ctx, gateway_id=gateway.id, specs=specs)
        for code, (device_id, points) in made.items():
            seeding.ids[f"device:{code}"] = device_id
            for point, number in points.items():
                seeding.points[f"{code}/{point}"] = number


def _shared(seeding: Seeding, site: dict[str, Any]) -> Iterator[DeviceSpec]:
    names = {building["code"]: building["name"] for building in site["buildings"]}
    for meter in site["shared"]:
        # YAML 1.1, which the file is read as, takes the key `no` for false.
        code = meter["no"] if "no" in meter else meter[False]
        building = meter.get("building")
        yield _device(
            seeding,
            kind=meter["kind"],
            bus=meter["bus"],
            unit_id=meter["device"],
            code=code,
            name=meter["name"],
            place=names.get(building, "公区"),
            space_id=seeding.ids.get(f"building:{site['code']}/{building}"),
        )


def _of_rooms(seeding: Seeding, site: dict[str, Any]) -> Iterator[DeviceSpec]:
    labels = {kind: model["label"] for kind, model in seeding.community["models"].items()}
    names = {building["code"]: building["name"] for building in site["buildings"]}
    for room in site["rooms"]:
        building, unit, number = room["at"].split("-")
        for kind in ("electricity", "water"):
            code, address = room[kind]
            yield _device(
                seeding,
                kind=kind,
                bus=f"B{building}",
                unit_id=address,
                code=code,
                name=f"{unit}-{number} {labels[kind]}",
                place=f"{names[building]}{unit}单元{number}",
                space_id=seeding.ids[f"room:{site['code']}/{room['at']}"],
            )


def _device(
    seeding: Seeding,
    *,
    kind: str,
    bus: str,
    unit_id: int,
    code: str,
    name: str,
    place: str,
    space_id: UUID | None,
) -> DeviceSpec:
    return DeviceSpec(
        bus=bus,
        unit_id=unit_id,
        code=code,
        name=name,
        kind=DeviceKind(kind),
        place=place,
        space_id=space_id,
        points=tuple(_point(point) for point in seeding.community["models"][kind]["points"]),
    )


def _point(described: dict[str, Any]) -> PointSpec:
    scale = Decimal(described["scale"])
    lane = PointLane(described["lane"])
    places = -int(scale.normalize().as_tuple().exponent)
    return PointSpec(
        code=described["code"],
        label=described["label"],
        unit=described["unit"],
        digits=max(0, places),
        lane=lane,
        register_table=described["table"],
        address=described["address"],
        register_type=described["type"],
        scale=scale,
        every_s=METER_EVERY_S if lane is PointLane.meter else TELE_EVERY_S,
    )
