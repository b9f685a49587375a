"""One gateway and one device as their pages show them, and what forms choose from."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import col

from cloud.kernel.choices import Choices, fetch_choices
from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import contains
from cloud.modules.devices.models import Device, Gateway, Point, PointLane
from cloud.modules.devices.queries.records import device_rows, gateway_rows, point_rows
from cloud.modules.devices.rules import point_label
from cloud.modules.devices.schemas import (
    DeviceDetail,
    DeviceLine,
    GatewayDetail,
    PointLine,
)
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit

ATTACHED_MAX = 500


async def read_gateway(ctx: Ctx, gateway_id: UUID) -> GatewayDetail:
    """With the devices on its buses, at most 500. Raises NotFound."""
    found = await ctx.session.execute(gateway_rows().where(col(Gateway.id) == gateway_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound
    attached = await ctx.session.execute(
        select(Device)
        .where(col(Device.gateway_id) == gateway_id)
        .order_by(col(Device.bus), col(Device.unit_id))
        .limit(ATTACHED_MAX)
    )
    lines = [DeviceLine.model_validate(one, from_attributes=True) for one in attached.scalars()]
    return GatewayDetail.model_validate({**row, "attached": lines})


async def read_device(ctx: Ctx, device_id: UUID) -> DeviceDetail:
    """With its points and their latest values, billing registers first. Raises NotFound."""
    found = await ctx.session.execute(device_rows().where(col(Device.id) == device_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound
    points = await ctx.session.execute(
        point_rows()
        .where(col(Point.device_id) == device_id)
        .order_by(col(Point.lane) != PointLane.meter, col(Point.address))
    )
    values = [
        PointLine.model_validate(
            {key: point[key] for key in PointLine.model_fields}
            | {"label": point_label(ctx.say, point["label"])}
        )
        for point in points.mappings()
    ]
    return DeviceDetail.model_validate({**row, "values": values})


async def gateway_choices(ctx: Ctx, q: str, *, site_id: UUID | None) -> Choices:
    statement = (
        select(col(Gateway.id), func.concat(col(Gateway.code), " · ", col(Unit.name)))
        .join(Unit, col(Unit.id) == col(Gateway.org_id))
        .where(or_(col(Gateway.code).like(contains(q)), col(Unit.name).like(contains(q))))
        .order_by(col(Gateway.code))
    )
    statement = await organization.within(ctx, statement, col(Gateway.org_id), site_id)
    return await fetch_choices(ctx, statement)
