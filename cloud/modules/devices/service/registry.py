"""Gateways, devices and points: adding them, and keeping room for their telemetry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict
from cloud.modules.devices import queries
from cloud.modules.devices.models import Device, DeviceKind, Gateway, Point
from cloud.modules.devices.rules import PointSpec
from cloud.modules.organization import queries as organization

ROWS_MAX = 5_000


class SiteHasGateway(Conflict):
    message = "“{site}” already has a gateway. Add the devices to that one."


@dataclass(frozen=True)
class DeviceSpec:
    bus: str
    unit_id: int
    code: str
    name: str
    kind: DeviceKind
    place: str
    space_id: UUID | None
    points: tuple[PointSpec, ...]


async def add_gateway(ctx: Ctx, *, site_id: UUID, code: str) -> Gateway:
    """The one gateway of a site; from now on a host knows whose topics these are.

    Raises NotFound, ProjectNotYours, PickAProject, SiteHasGateway.
    """
    site = await organization.get_site(ctx, site_id)
    if await queries.gateway_of_site(ctx, site.id) is not None:
        raise SiteHasGateway(site=site.name)
    gateway = Gateway(**ctx.stamp(site.id), code=code)
    ctx.session.add(gateway)
    await ctx.session.execute(select(func.devices_register_site(site.id)))
    await audit.record(
        ctx,
        action="devices.gateway.added",
        subject_kind="devices.gateway",
        subject_id=gateway.id,
        org_id=site.id,
        after={"code": code},
    )
    return gateway


async def add_devices(
    ctx: Ctx, *, gateway_id: UUID, specs: Sequence[DeviceSpec]
) -> dict[str, tuple[UUID, dict[str, int]]]:
    """Devices with their points; answers each code's device and its points' numbers by code."""
    assert len(specs) <= ROWS_MAX
    gateway = await ctx.get(Gateway, gateway_id)
    devices = [
        Device(
            **ctx.stamp(gateway.org_id),
            gateway_id=gateway.id,
            bus=spec.bus,
            unit_id=spec.unit_id,
            code=spec.code,
            name=spec.name,
            kind=spec.kind,
            place=spec.place,
            space_id=spec.space_id,
        )
        for spec in specs
    ]
    ctx.session.add_all(devices)
    await ctx.session.flush()  # without a relationship the order of inserts is not known
    points = {
        (spec.code, wanted.code): _point(ctx, device, wanted)
        for spec, device in zip(specs, devices, strict=True)
        for wanted in spec.points
    }
    ctx.session.add_all(points.values())
    await ctx.session.flush()  # the database numbers them
    made: dict[str, tuple[UUID, dict[str, int]]] = {
        device.code: (device.id, {}) for device in devices
    }
    for (device_code, point_code), point in points.items():
        assert point.point_no is not None
        made[device_code][1][point_code] = point.point_no
    return made


def _point(ctx: Ctx, device: Device, spec: PointSpec) -> Point:
    return Point(
        **ctx.stamp(device.org_id),
        device_id=device.id,
        code=spec.code,
        label=spec.label,
        unit=spec.unit,
        digits=spec.digits,
        lane=spec.lane,
        register_table=spec.register_table,
        address=spec.address,
        register_type=spec.register_type,
        word_order=spec.word_order,
        scale=spec.scale,
        every_s=spec.every_s,
    )


async def extend_partitions(ctx: Ctx) -> int:
    """Keep partitions from 14 months back to 3 ahead; answers how many were made."""
    made: int = (await ctx.session.execute(select(func.devices_extend_partitions()))).scalar_one()
    return made
