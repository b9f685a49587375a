"""Reads of buildings and rooms."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, exists, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from cloud.kernel.catalogue import entry_name
from cloud.kernel.choices import Choices, fetch_choices
from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import (
    Expression,
    Listing,
    Sorting,
    Statement,
    among,
    begins,
    contains,
    count_views,
    fetch_page,
)
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit
from cloud.modules.resources.models import (
    PATH_SEPARATOR,
    Room,
    RoomState,
    RoomUsage,
    Space,
    SpaceKind,
)
from cloud.modules.resources.rules import path_of
from cloud.modules.resources.schemas import BuildingRead, RoomRead, UnitRead

FOUND_MAX = 50
BUILDINGS = (SpaceKind.building,)
ROOMS = (SpaceKind.room,)
PARENTS_OF_ROOMS = (SpaceKind.building, SpaceKind.unit)


@dataclass(frozen=True)
class RoomOfSite:
    """A room with what a bill is computed from."""

    id: UUID
    site_id: UUID
    path: str
    full_name: str
    sort_key: str
    building_area: Decimal | None
    inner_area: Decimal | None
    chargeable_area: Decimal | None
    coefficient: Decimal
    usage: RoomUsage
    state: RoomState
    floor: int | None


@dataclass(frozen=True)
class SpaceAtPath:
    id: UUID
    kind: SpaceKind
    path: str
    full_name: str


@dataclass(frozen=True)
class RoomFound:
    """A room in a search's answer."""

    id: UUID
    site_id: UUID
    site_name: str
    path: str
    full_name: str


def _room_columns() -> tuple[Expression, ...]:
    return (
        col(Room.id).label("id"),
        col(Room.org_id).label("site_id"),
        col(Space.path).label("path"),
        col(Space.full_name).label("full_name"),
        col(Space.sort_key).label("sort_key"),
        col(Room.building_area).label("building_area"),
        col(Room.inner_area).label("inner_area"),
        col(Room.chargeable_area).label("chargeable_area"),
        col(Room.coefficient).label("coefficient"),
        col(Room.usage).label("usage"),
        col(Room.state).label("state"),
        col(Room.floor).label("floor"),
    )


def _own_space() -> Any:
    return and_(col(Space.org_id) == col(Room.org_id), col(Space.id) == col(Room.id))


def _room_of_site(row: RowMapping) -> RoomOfSite:
    usage, state = RoomUsage(row["usage"]), RoomState(row["state"])
    return RoomOfSite(**{**row, "usage": usage, "state": state})


async def get_room(ctx: Ctx, room_id: UUID) -> RoomOfSite:
    """Raises NotFound, also for a room out of scope."""
    statement = select(*_room_columns()).join(Space, _own_space()).where(col(Room.id) == room_id)
    row = (await ctx.session.execute(statement)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return _room_of_site(row)


async def rooms_of_site(ctx: Ctx, site_id: UUID) -> list[RoomOfSite]:
    """Every room of a site in the order people count in, in one query."""
    found = await ctx.session.execute(
        select(*_room_columns())
        .join(Space, _own_space())
        .where(col(Room.org_id) == site_id)
        .order_by(col(Space.sort_key), col(Room.id))
    )
    return [_room_of_site(row) for row in found.mappings()]


async def rooms_by_path(ctx: Ctx, site_id: UUID, paths: Collection[str]) -> dict[str, UUID]:
    """The rooms of a site by their numbers, like 3-1-1202; unknown ones are left out."""
    return await _by_path(
        ctx, site_id, col(Space.kind) == SpaceKind.room, among(col(Space.path), paths)
    )


async def parents_by_path(ctx: Ctx, site_id: UUID) -> dict[str, UUID]:
    """Every building and unit of a site by its path."""
    return await _by_path(ctx, site_id, col(Space.kind) != SpaceKind.room)


async def spaces_by_path(ctx: Ctx, site_id: UUID, paths: Collection[str]) -> dict[str, SpaceAtPath]:
    """The nodes of a site that stand at `paths`, and every building and unit, by path."""
    found = await ctx.session.execute(
        select(col(Space.path), col(Space.id), col(Space.kind), col(Space.full_name)).where(
            col(Space.org_id) == site_id,
            or_(col(Space.kind) != SpaceKind.room, among(col(Space.path), paths)),
        )
    )
    return {
        row.path: SpaceAtPath(row.id, SpaceKind(row.kind), row.path, row.full_name) for row in found
    }


async def _by_path(ctx: Ctx, site_id: UUID, *wanted: Expression) -> dict[str, UUID]:
    found = await ctx.session.execute(
        select(col(Space.path), col(Space.id)).where(col(Space.org_id) == site_id, *wanted)
    )
    return {row.path: row.id for row in found}


async def find_rooms(
    ctx: Ctx, q: str, *, orgs: Sequence[UUID] | None = None, limit: int = 20
) -> list[RoomFound]:
    """Rooms whose path, number or full name begins with `q`, at most `limit`."""
    q = q.replace("－", PATH_SEPARATOR).replace(" ", "")
    statement = (
        select(
            col(Space.id), col(Space.org_id), col(Unit.name), col(Space.path), col(Space.full_name)
        )
        .join(Unit, col(Unit.id) == col(Space.org_id))
        .where(
            col(Space.kind) == SpaceKind.room,
            or_(
                begins(col(Space.path), path_of(q) or q),
                begins(col(Space.code), q),
                begins(col(Space.full_name), q),
            ),
        )
        .order_by(col(Unit.code), col(Space.sort_key), col(Space.id))
        .limit(min(limit, FOUND_MAX))
    )
    if orgs is not None:
        statement = statement.where(col(Space.org_id).in_(orgs))
    return [RoomFound(*row) for row in await ctx.session.execute(statement)]


def rooms_at(address: str) -> Any | None:
    """The ids of the rooms that an address begins, off its indexes, as a condition takes them.

    None where `address` is none: a name, a single number, the number of a document.
    """
    path = path_of(address)
    if path is None:
        return None
    return select(col(Space.id)).where(
        col(Space.kind) == SpaceKind.room,
        or_(begins(col(Space.path), path), begins(col(Space.full_name), address.replace(" ", ""))),
    )


async def room_counts(ctx: Ctx) -> dict[UUID, int]:
    """How many rooms each site in scope has."""
    found = await ctx.session.execute(
        select(col(Room.org_id), func.count()).group_by(col(Room.org_id))
    )
    return {row[0]: row[1] for row in found}


def _rooms() -> Statement:
    """A room stands in a unit of a building, or straight in the building. Outer joins on keys:
    what counts the rooms does without them."""
    parent, above = aliased(Space), aliased(Space)
    return (
        select(
            *_room_columns(),
            col(Unit.name).label("site_name"),
            func.coalesce(col(above.name), col(parent.name)).label("building_name"),
            col(Room.handover_on).label("handover_on"),
            col(Room.move_in_on).label("move_in_on"),
            col(Space.name).label("name"),
            col(Room.room_type_id).label("room_type_id"),
            func.coalesce(entry_name(col(Room.room_type_id)), "").label("room_type"),
            col(Room.version).label("version"),
        )
        .select_from(Room)
        .join(Space, _own_space())
        .join(Unit, col(Unit.id) == col(Room.org_id))
        .outerjoin(
            parent,
            and_(col(parent.org_id) == col(Space.org_id), col(parent.id) == col(Space.parent_id)),
        )
        .outerjoin(
            above,
            and_(col(above.org_id) == col(parent.org_id), col(above.id) == col(parent.parent_id)),
        )
    )


async def list_rooms(
    ctx: Ctx,
    listing: Listing,
    *,
    usage: RoomUsage | None = None,
    state: RoomState | None = None,
    has_area: bool | None = None,
    more: Mapping[str, Expression] | None = None,
    only: str | None = None,
) -> dict[str, Any]:
    """The rooms of the scope. `more` are views that a module above counts, `only` one of them."""
    statement = _rooms()
    statement = await organization.within(ctx, statement, col(Room.org_id), listing.site_id)
    rooms = rooms_at(listing.q)
    if rooms is not None:
        statement = statement.where(col(Room.id).in_(rooms))
    elif listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(Space.path).like(wanted), col(Space.full_name).like(wanted))
        )
    unmeasured = col(Room.chargeable_area).is_(None)
    in_state = {
        shown.value: col(Room.state) == shown for shown in (RoomState.vacant, RoomState.closed)
    }
    views = await count_views(
        ctx, statement, {"all": None, "no_area": unmeasured, **in_state, **(more or {})}
    )
    if more and only is not None:
        statement = statement.where(more[only])
    if usage is not None:
        statement = statement.where(col(Room.usage) == usage)
    if state is not None:
        statement = statement.where(col(Room.state) == state)
    if has_area is not None:
        statement = statement.where(~unmeasured if has_area else unmeasured)
    area = col(Room.chargeable_area)
    sorting = Sorting(
        by={
            "path": col(Space.sort_key),
            "site_name": col(Unit.name),
            "chargeable_area": area,
            "floor": col(Room.floor),
        },
        default="path",
        tie=col(Room.id),
    )
    return await fetch_page(
        ctx,
        statement,
        listing,
        sorting=sorting,
        sums={"building_area": col(Room.building_area), "chargeable_area": area},
        views=views,
        row=RoomRead,
    )


async def list_buildings(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    statement: Statement = (
        select(
            col(Space.id).label("id"),
            col(Space.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(Space.code).label("code"),
            col(Space.name).label("name"),
            _below(SpaceKind.unit).label("units"),
            _below(SpaceKind.room).label("rooms"),
            col(Space.version).label("version"),
        )
        .select_from(Space)
        .join(Unit, col(Unit.id) == col(Space.org_id))
        .where(col(Space.kind) == SpaceKind.building)
    )
    statement = await organization.within(ctx, statement, col(Space.org_id), listing.site_id)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(or_(col(Space.name).like(wanted), col(Space.code).like(wanted)))
    sorting = Sorting(
        by={"code": col(Space.sort_key), "site_name": col(Unit.name)},
        default="code",
        tie=col(Space.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=BuildingRead)


async def list_units(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    building, room = aliased(Space), aliased(Space)
    rooms = (
        select(func.count())
        .select_from(room)
        .where(col(room.org_id) == col(Space.org_id), col(room.parent_id) == col(Space.id))
        .correlate(Space)
        .scalar_subquery()
    )
    statement: Statement = (
        select(
            col(Space.id).label("id"),
            col(Space.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(building.name).label("building_name"),
            col(Space.path).label("path"),
            col(Space.name).label("name"),
            rooms.label("rooms"),
            col(Space.version).label("version"),
        )
        .select_from(Space)
        .join(Unit, col(Unit.id) == col(Space.org_id))
        .join(
            building,
            and_(
                col(building.org_id) == col(Space.org_id),
                col(building.id) == col(Space.parent_id),
            ),
        )
        .where(col(Space.kind) == SpaceKind.unit)
    )
    statement = await organization.within(ctx, statement, col(Space.org_id), listing.site_id)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(Space.full_name).like(wanted), col(Space.path).like(wanted))
        )
    sorting = Sorting(
        by={"path": col(Space.sort_key), "site_name": col(Unit.name)},
        default="path",
        tie=col(Space.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=UnitRead)


def _below(kind: SpaceKind) -> Any:
    """How many nodes of `kind` stand in the building of the surrounding row."""
    node = aliased(Space)
    return (
        select(func.count())
        .select_from(node)
        .where(
            col(node.org_id) == col(Space.org_id),
            col(node.kind) == kind,
            func.split_part(col(node.path), PATH_SEPARATOR, 1) == col(Space.path),
        )
        .correlate(Space)
        .scalar_subquery()
    )


async def lookup_spaces(
    ctx: Ctx, q: str, *, kinds: Sequence[SpaceKind], site_id: UUID | None = None
) -> Choices:
    """Nodes of the tree as the choices of a form field, of one community where it is known."""
    label = func.concat(col(Unit.name), " ", col(Space.full_name))
    ways: list[Expression] = [
        col(Space.full_name).like(contains(q)),
        col(Unit.name).like(contains(q)),
    ]
    path = path_of(q)
    if path is not None:
        ways.append(begins(col(Space.path), path))
    statement = (
        select(col(Space.id), label)
        .join(Unit, col(Unit.id) == col(Space.org_id))
        .where(
            col(Space.kind).in_(kinds),
            ~exists().where(col(Room.id) == col(Space.id), col(Room.state) == RoomState.closed),
            or_(*ways),
        )
        .order_by(col(Unit.code), col(Space.sort_key))
    )
    statement = await organization.within(ctx, statement, col(Space.org_id), site_id)
    return await fetch_choices(ctx, statement)
