"""Reads of vehicles."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.listing import (
    Expression,
    Listing,
    Sorting,
    Statement,
    begins,
    contains,
    count_views,
    fetch_page,
)
from cloud.kernel.search import SearchHit, Wanted
from cloud.modules.customers.models import Party
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit
from cloud.modules.resources import queries as resources
from cloud.modules.resources.models import Space
from cloud.modules.vehicles.models import PlateType, Vehicle
from cloud.modules.vehicles.rules import folded, most_of_a_plate, office_and_serial, sought
from cloud.modules.vehicles.schemas import VehicleRead

OF_ROOM_MAX = 50


class VehicleState(StrEnum):
    in_use = "in_use"
    no_room = "no_room"
    closed = "closed"


def _rows() -> Statement:
    return (
        select(
            col(Vehicle.id).label("id"),
            col(Vehicle.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(Vehicle.plate).label("plate"),
            col(Vehicle.plate_type).label("plate_type"),
            col(Vehicle.room_id).label("room_id"),
            func.coalesce(col(Space.full_name), "").label("room_name"),
            col(Vehicle.party_id).label("party_id"),
            func.coalesce(col(Party.name), "").label("party_name"),
            col(Vehicle.brand).label("brand"),
            col(Vehicle.color).label("color"),
            col(Vehicle.note).label("note"),
            col(Vehicle.closed_on).label("closed_on"),
            case((_in_use(), VehicleState.in_use), else_=VehicleState.closed).label("state"),
            col(Vehicle.version).label("version"),
        )
        .select_from(Vehicle)
        .join(Unit, col(Unit.id) == col(Vehicle.org_id))
        .outerjoin(
            Space,
            and_(col(Space.org_id) == col(Vehicle.org_id), col(Space.id) == col(Vehicle.room_id)),
        )
        .outerjoin(
            Party,
            and_(col(Party.org_id) == col(Vehicle.org_id), col(Party.id) == col(Vehicle.party_id)),
        )
    )


def _in_use() -> Expression:
    return col(Vehicle.closed_on).is_(None)


async def list_vehicles(
    ctx: Ctx,
    listing: Listing,
    *,
    plate_type: PlateType | None = None,
    state: VehicleState | None = None,
) -> dict[str, Any]:
    """Vehicles in use unless `state` asks otherwise, found by a part of the plate, the name of the
    owner or the room."""
    statement = _rows()
    statement = await organization.within(ctx, statement, col(Vehicle.org_id), listing.site_id)
    if listing.q:
        statement = statement.where(_matches(listing.q))
    states: dict[str, Expression] = {
        VehicleState.in_use: _in_use(),
        VehicleState.no_room: and_(_in_use(), col(Vehicle.room_id).is_(None)),
        VehicleState.closed: ~_in_use(),
    }
    views = await count_views(ctx, statement, states)
    statement = statement.where(states[state or VehicleState.in_use])
    if plate_type is not None:
        statement = statement.where(col(Vehicle.plate_type) == plate_type)
    sorting = Sorting(
        by={
            "plate": col(Vehicle.plate),
            "room_name": col(Space.sort_key),
            "party_name": col(Party.name),
            "site_name": col(Unit.name),
        },
        default="plate",
        tie=col(Vehicle.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, views=views, row=VehicleRead)


def _matches(q: str) -> Expression:
    rooms = resources.rooms_at(q)
    if rooms is not None:
        return col(Vehicle.room_id).in_(rooms)
    most = most_of_a_plate(q)
    if most is not None:
        return _begins(most)
    ways = [col(Party.name).like(contains(q)), col(Space.full_name).like(contains(q))]
    plate = folded(q)
    if plate:
        ways.append(col(Vehicle.plate_key).like(contains(plate)))
    return or_(*ways)


def _begins(plate: str) -> Expression:
    """Off the indexes: the plate, or its part after the province, or after the province and the
    letter, begins with what was typed."""
    key, serial = col(Vehicle.plate_key), col(Vehicle.serial_key)
    ways = [begins(key, plate), begins(serial, plate)]
    apart = office_and_serial(plate)
    if apart is not None:
        ways.append(and_(begins(serial, apart[1]), func.substr(key, 2, 1) == apart[0]))
    return or_(*ways)


async def vehicles_of_room(ctx: Ctx, room_id: UUID) -> list[VehicleRead]:
    """Those in use, by plate. Empty for a room out of scope."""
    found = await ctx.session.execute(
        _rows()
        .where(col(Vehicle.room_id) == room_id, _in_use())
        .order_by(col(Vehicle.plate), col(Vehicle.id))
        .limit(OF_ROOM_MAX)
    )
    return [VehicleRead.model_validate(dict(row)) for row in found.mappings()]


async def find_rooms_of(
    ctx: Ctx, q: str, *, orgs: Sequence[UUID] | None = None, limit: int = 20
) -> dict[UUID, str]:
    """Rooms of vehicles in use whose plate, or the end of it, begins with `q`: room id → plate."""
    plate = sought(q)
    if plate is None:
        return {}
    statement = (
        select(col(Vehicle.room_id), func.min(col(Vehicle.plate)).label("plate"))
        .where(_begins(plate), _in_use(), col(Vehicle.room_id).is_not(None))
        .group_by(col(Vehicle.room_id))
        .order_by("plate", col(Vehicle.room_id))
        .limit(min(limit, OF_ROOM_MAX))
    )
    if orgs is not None:
        statement = statement.where(col(Vehicle.org_id).in_(orgs))
    found = await ctx.session.execute(statement)
    return {row.room_id: row.plate for row in found}


async def search(ctx: Ctx, wanted: Wanted) -> list[SearchHit]:
    """Vehicles in use whose plate, or the end of it, begins with what was typed."""
    plate = sought(wanted.text)
    if plate is None:
        return []
    statement = (
        _rows()
        .where(_begins(plate), _in_use())
        .order_by(col(Vehicle.plate), col(Vehicle.id))
        .limit(wanted.limit)
    )
    if wanted.orgs is not None:
        statement = statement.where(col(Vehicle.org_id).in_(wanted.orgs))
    found = (await ctx.session.execute(statement)).mappings()
    return [
        SearchHit(
            key=str(row["id"]),
            title=row["plate"],
            note=" · ".join(
                part for part in (row["room_name"], row["party_name"], row["site_name"]) if part
            ),
            path=f"/p/vehicles.vehicles?q={quote(row['plate'])}",
        )
        for row in found
    ]
