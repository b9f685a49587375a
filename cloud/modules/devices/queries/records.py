"""Reads of gateways, devices and points by the modules above, by hosts and by lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import and_, func, or_, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import Listing, Sorting, Statement, contains, fetch_page
from cloud.modules.devices.models import (
    Device,
    DeviceCommand,
    DeviceState,
    Gateway,
    GatewayState,
    Point,
    PointLane,
    Twin,
)
from cloud.modules.devices.rules import Numbers, point_label
from cloud.modules.devices.schemas import CommandAnswer, DeviceRead, GatewayRead, PointRead
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit


@dataclass(frozen=True)
class PointOfBus:
    """A point with its device and bus, as a gateway's configuration needs it."""

    bus: str
    unit_id: int
    device_code: str
    point_no: int
    code: str
    register_table: str
    address: int
    register_type: str
    word_order: str
    scale: str
    lane: str
    every_s: int


def answer_of(command: DeviceCommand) -> CommandAnswer:
    return CommandAnswer(
        command_id=command.id,
        outcome=command.outcome,
        value=command.value,
        measured_at=command.measured_at,
        detail=command.detail,
    )


async def command_answer(ctx: Ctx, command_id: UUID) -> CommandAnswer:
    """Raises NotFound."""
    return answer_of(await ctx.get(DeviceCommand, command_id))


async def gateway_of_site(ctx: Ctx, site_id: UUID) -> Gateway | None:
    statement = select(Gateway).where(col(Gateway.org_id) == site_id)
    return (await ctx.session.execute(statement)).scalar_one_or_none()


async def all_gateways(ctx: Ctx) -> list[tuple[Gateway, str]]:
    """Every gateway in scope with the code of its site."""
    found = await ctx.session.execute(
        select(Gateway, col(Unit.code))
        .join(Unit, col(Unit.id) == col(Gateway.org_id))
        .order_by(col(Unit.code))
    )
    return [(gateway, code) for gateway, code in found]


async def point_by_number(ctx: Ctx, point_no: int) -> Point:
    """Raises NotFound, also for a point out of scope."""
    statement = select(Point).where(col(Point.point_no) == point_no)
    point = (await ctx.session.execute(statement)).scalar_one_or_none()
    if point is None:
        raise NotFound
    return point


async def points_of_device(ctx: Ctx, device_id: UUID) -> list[Point]:
    """The one that the live screen shows comes first: a measurement before a billing register."""
    found = await ctx.session.execute(
        select(Point)
        .where(col(Point.device_id) == device_id)
        .order_by(col(Point.lane) != PointLane.tele, col(Point.point_no))
    )
    return list(found.scalars())


async def numbers_of_site(ctx: Ctx, site_id: UUID) -> Numbers:
    """The point numbers of a site, sorted."""
    found = await ctx.session.execute(
        select(col(Point.point_no))
        .where(col(Point.org_id) == site_id)
        .order_by(col(Point.point_no))
    )
    return np.fromiter(found.scalars(), dtype=np.uint32)


async def points_of_gateway(ctx: Ctx, gateway_id: UUID) -> list[PointOfBus]:
    """Of the devices in use, in the order of buses, addresses and registers."""
    found = await ctx.session.execute(
        select(
            col(Device.bus),
            col(Device.unit_id),
            col(Device.code).label("device_code"),
            col(Point.point_no),
            col(Point.code),
            col(Point.register_table),
            col(Point.address),
            col(Point.register_type),
            col(Point.word_order),
            func.trim_scale(col(Point.scale)).label("scale"),
            col(Point.lane),
            col(Point.every_s),
        )
        .join(Device, col(Device.id) == col(Point.device_id))
        .where(col(Device.gateway_id) == gateway_id, col(Device.state) == DeviceState.in_use)
        .order_by(col(Device.bus), col(Device.unit_id), col(Point.address))
    )
    return [PointOfBus(**{**row, "scale": format(row["scale"], "f")}) for row in found.mappings()]


def gateway_rows() -> Statement:
    devices = (
        select(func.count())
        .select_from(Device)
        .where(col(Device.gateway_id) == col(Gateway.id))
        .correlate(Gateway)
        .scalar_subquery()
    )
    return (
        select(
            col(Gateway.id).label("id"),
            col(Gateway.code).label("code"),
            col(Gateway.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(Gateway.state).label("state"),
            col(Gateway.since).label("since"),
            col(Gateway.seen_at).label("seen_at"),
            col(Gateway.backlog).label("backlog"),
            col(Gateway.agent_version).label("agent_version"),
            devices.label("devices"),
        )
        .select_from(Gateway)
        .join(Unit, col(Unit.id) == col(Gateway.org_id))
    )


async def list_gateways(
    ctx: Ctx, listing: Listing, *, state: GatewayState | None = None
) -> dict[str, Any]:
    statement = gateway_rows()
    statement = await organization.within(ctx, statement, col(Gateway.org_id), listing.site_id)
    if state is not None:
        statement = statement.where(col(Gateway.state) == state)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(Gateway.code).like(wanted), col(Unit.name).like(wanted))
        )
    sorting = Sorting(
        by={
            "code": col(Gateway.code),
            "state": col(Gateway.state),
            "seen_at": col(Gateway.seen_at),
            "backlog": col(Gateway.backlog),
        },
        default="code",
        tie=col(Gateway.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=GatewayRead)


def device_rows() -> Statement:
    of_device = col(Point.device_id) == col(Device.id)
    points = select(func.count()).select_from(Point).where(of_device).correlate(Device)
    measured = (
        select(func.max(col(Twin.measured_at)))
        .select_from(Point)
        .join(Twin, col(Twin.point_no) == col(Point.point_no))
        .where(of_device)
        .correlate(Device)
    )
    return (
        select(
            col(Device.id).label("id"),
            col(Device.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(Device.code).label("code"),
            col(Device.name).label("name"),
            col(Device.kind).label("kind"),
            col(Device.place).label("place"),
            col(Gateway.code).label("gateway_code"),
            col(Device.bus).label("bus"),
            col(Device.unit_id).label("unit_id"),
            points.scalar_subquery().label("points"),
            measured.scalar_subquery().label("measured_at"),
            col(Device.space_id).label("space_id"),
            col(Device.state).label("state"),
            col(Device.version).label("version"),
        )
        .select_from(Device)
        .join(Unit, col(Unit.id) == col(Device.org_id))
        .join(Gateway, col(Gateway.id) == col(Device.gateway_id))
    )


async def list_devices(
    ctx: Ctx, listing: Listing, *, kind: str | None = None, state: DeviceState | None = None
) -> dict[str, Any]:
    statement = device_rows()
    statement = await organization.within(ctx, statement, col(Device.org_id), listing.site_id)
    if kind:
        statement = statement.where(col(Device.kind) == kind)
    if state is not None:
        statement = statement.where(col(Device.state) == state)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(
                col(Device.code).like(wanted),
                col(Device.name).like(wanted),
                col(Device.place).like(wanted),
            )
        )
    sorting = Sorting(
        by={"code": col(Device.code), "name": col(Device.name), "place": col(Device.place)},
        default="code",
        tie=col(Device.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=DeviceRead)


def point_rows() -> Statement:
    """Points with their latest values."""
    return (
        select(
            col(Point.id).label("id"),
            col(Point.point_no).label("point_no"),
            col(Unit.name).label("site_name"),
            col(Device.code).label("device_code"),
            col(Device.name).label("device_name"),
            col(Point.label).label("label"),
            col(Point.lane).label("lane"),
            col(Twin.value).label("value"),
            col(Point.unit).label("unit"),
            col(Point.every_s).label("every_s"),
            col(Twin.quality).label("quality"),
            col(Twin.measured_at).label("measured_at"),
            func.concat(
                col(Device.bus),
                "/",
                col(Device.unit_id),
                " ",
                col(Point.register_table),
                " ",
                col(Point.address),
                " ",
                col(Point.register_type),
            ).label("register_of"),
        )
        .select_from(Point)
        .join(Device, col(Device.id) == col(Point.device_id))
        .join(Unit, col(Unit.id) == col(Point.org_id))
        .outerjoin(
            Twin,
            and_(col(Twin.org_id) == col(Point.org_id), col(Twin.point_no) == col(Point.point_no)),
        )
    )


async def list_points(ctx: Ctx, listing: Listing, *, lane: str | None = None) -> dict[str, Any]:
    statement = point_rows()
    statement = await organization.within(ctx, statement, col(Point.org_id), listing.site_id)
    if lane:
        statement = statement.where(col(Point.lane) == lane)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(
                col(Device.code).like(wanted),
                col(Device.name).like(wanted),
                col(Point.label).like(wanted),
            )
        )
    sorting = Sorting(
        by={
            "point_no": col(Point.point_no),
            "device_code": col(Device.code),
            "measured_at": col(Twin.measured_at),
        },
        default="point_no",
        tie=col(Point.id),
    )
    page = await fetch_page(ctx, statement, listing, sorting=sorting)
    page["items"] = [
        PointRead.model_validate({**row, "label": point_label(ctx.say, row["label"])})
        for row in page["items"]
    ]
    return page
