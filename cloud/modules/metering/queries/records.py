"""Reads of meters and readings by lists and by the modules above."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select, true
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.listing import (
    Expression,
    Listing,
    Sorting,
    Statement,
    among,
    contains,
    fetch_page,
)
from cloud.modules.metering.models import Meter, MeterKind, MeterState, Reading, ReadingState
from cloud.modules.metering.schemas import MeterRead, ReadingRead
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit
from cloud.modules.resources.models import Space

UNITS = {
    MeterKind.electricity: "kWh",
    MeterKind.water: "m³",
    MeterKind.gas: "m³",
    MeterKind.heat: "kWh",
}


@dataclass(frozen=True)
class MeterOfRoom:
    id: UUID
    no: str
    room_id: UUID
    kind: MeterKind
    unit: str
    multiplier: Decimal


async def meters_of_rooms(
    ctx: Ctx, *, site_id: UUID, kind: MeterKind, room_ids: Sequence[UUID] | None = None
) -> list[MeterOfRoom]:
    """The meters that a site's rooms are charged by, also those removed, by number."""
    statement = (
        select(Meter)
        .where(
            col(Meter.org_id) == site_id, col(Meter.kind) == kind, col(Meter.room_id).is_not(None)
        )
        .order_by(col(Meter.no))
    )
    if room_ids is not None:
        statement = statement.where(col(Meter.room_id).in_(room_ids))
    return [
        MeterOfRoom(
            id=meter.id,
            no=meter.no,
            room_id=meter.room_id,
            kind=MeterKind(meter.kind),
            unit=UNITS[MeterKind(meter.kind)],
            multiplier=meter.multiplier,
        )
        for meter in (await ctx.session.execute(statement)).scalars()
        if meter.room_id is not None
    ]


async def meters_of_points(ctx: Ctx, *, site_id: UUID, points: Sequence[int]) -> dict[int, Meter]:
    """The meters in use behind points of a site, by point number."""
    found = await ctx.session.execute(
        select(Meter).where(
            col(Meter.org_id) == site_id,
            col(Meter.point_no).in_(points),
            col(Meter.state) == MeterState.in_use,
        )
    )
    return {meter.point_no: meter for meter in found.scalars() if meter.point_no is not None}


async def meters_by_no(ctx: Ctx, site_id: UUID, numbers: Collection[str]) -> dict[str, UUID]:
    """The meters of a site by their numbers; unknown ones are left out."""
    found = await ctx.session.execute(
        select(col(Meter.no), col(Meter.id)).where(
            col(Meter.org_id) == site_id, among(col(Meter.no), numbers)
        )
    )
    return {row.no: row.id for row in found}


def meter_rows() -> tuple[Statement, Any]:
    """Meters with their last verified reading."""
    last = (
        select(col(Reading.value).label("value"), col(Reading.read_at).label("read_at"))
        .where(col(Reading.meter_id) == col(Meter.id), col(Reading.state) == ReadingState.verified)
        .order_by(col(Reading.read_at).desc())
        .limit(1)
        .correlate(Meter)
        .lateral("last")
    )
    statement: Statement = (
        select(
            col(Meter.id).label("id"),
            col(Meter.no).label("no"),
            col(Meter.kind).label("kind"),
            _unit().label("unit"),
            col(Unit.name).label("site_name"),
            func.coalesce(col(Space.full_name), "").label("place"),
            col(Meter.multiplier).label("multiplier"),
            col(Meter.digits).label("digits"),
            col(Meter.can_roll_over).label("can_roll_over"),
            col(Meter.state).label("state"),
            col(Meter.point_no).is_not(None).label("is_remote"),
            last.c.value.label("last_value"),
            last.c.read_at.label("last_read_at"),
            col(Meter.version).label("version"),
        )
        .select_from(Meter)
        .join(Unit, col(Unit.id) == col(Meter.org_id))
        .outerjoin(Space, _own_space())
        .outerjoin(last, true())
    )
    return statement, last


async def list_meters(
    ctx: Ctx, listing: Listing, *, kind: MeterKind | None = None, state: MeterState | None = None
) -> dict[str, Any]:
    statement, last = meter_rows()
    statement = await _within(ctx, statement, col(Meter.org_id), listing)
    if kind is not None:
        statement = statement.where(col(Meter.kind) == kind)
    if state is not None:
        statement = statement.where(col(Meter.state) == state)
    sorting = Sorting(
        by={
            "no": col(Meter.no),
            "place": col(Space.sort_key),
            "last_read_at": last.c.read_at,
            "last_value": last.c.value,
        },
        default="no",
        tie=col(Meter.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=MeterRead)


async def list_readings(
    ctx: Ctx,
    listing: Listing,
    *,
    kind: MeterKind | None = None,
    state: ReadingState | None = None,
    meter_id: UUID | None = None,
) -> dict[str, Any]:
    statement: Statement = (
        select(
            col(Reading.id).label("id"),
            col(Reading.meter_id).label("meter_id"),
            col(Meter.no).label("meter_no"),
            col(Meter.kind).label("kind"),
            _unit().label("unit"),
            col(Unit.name).label("site_name"),
            func.coalesce(col(Space.full_name), "").label("place"),
            col(Reading.read_at).label("read_at"),
            col(Reading.value).label("value"),
            col(Reading.source).label("source"),
            col(Reading.state).label("state"),
            col(Reading.reason).label("reason"),
            col(Reading.version).label("version"),
        )
        .select_from(Reading)
        .join(Meter, col(Meter.id) == col(Reading.meter_id))
        .join(Unit, col(Unit.id) == col(Reading.org_id))
        .outerjoin(Space, _own_space())
    )
    statement = await _within(ctx, statement, col(Reading.org_id), listing)
    for column, value in (
        (col(Meter.kind), kind),
        (col(Reading.state), state),
        (col(Reading.meter_id), meter_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    sorting = Sorting(
        by={
            "read_at": col(Reading.read_at),
            "meter_no": col(Meter.no),
            "value": col(Reading.value),
        },
        default="-read_at",
        tie=col(Reading.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=ReadingRead)


def _own_space() -> Any:
    place = func.coalesce(col(Meter.room_id), col(Meter.space_id))
    return and_(col(Space.org_id) == col(Meter.org_id), col(Space.id) == place)


def _unit() -> Expression:
    return case({kind.value: unit for kind, unit in UNITS.items()}, value=col(Meter.kind), else_="")


async def _within(ctx: Ctx, statement: Statement, column: Any, listing: Listing) -> Statement:
    statement = await organization.within(ctx, statement, column, listing.site_id)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(Meter.no).like(wanted), col(Space.full_name).like(wanted))
        )
    return statement
