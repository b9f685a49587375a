"""Adding, renaming and taking out buildings and units, and adding a single room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.catalogue import check_entry
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound, Unprocessable
from cloud.kernel.listing import starts
from cloud.modules.organization import queries as organization
from cloud.modules.resources.models import (
    PATH_SEPARATOR,
    Room,
    RoomState,
    RoomUsage,
    Space,
    SpaceKind,
)
from cloud.modules.resources.rules import PARENT_OF, ROOM_TYPES, floor_of, path_below, sort_key


class SpaceAlreadyExists(Conflict):
    message = "{full_name} ({path}) already exists. Open it, or use another code."


class SpaceClosedToKind(Conflict):
    message = "A {kind} cannot stand in {parent}."


class AreaNotPositive(Unprocessable):
    message = "An area must be more than 0. Leave it empty when it is not known."


class HyphenInCode(Unprocessable):
    message = "A code has no hyphen: hyphens stand between the codes of a room number."


class SpaceNotEmpty(Conflict):
    message = "{rooms} rooms stand in {full_name}. Take them out or disable them first."


class SpaceStillUsed(Conflict):
    message = (
        "{full_name} is used already, by bills, people, meters or its own history: it stays on"
        " record. Disable a room instead (“Disable the room”)."
    )


@dataclass(frozen=True)
class RoomFacts:
    """What is known of a room. Areas are in m²; None is unknown, never 0."""

    building_area: Decimal | None = None
    inner_area: Decimal | None = None
    chargeable_area: Decimal | None = None
    coefficient: Decimal = Decimal(1)
    usage: RoomUsage = RoomUsage.residential
    state: RoomState = RoomState.occupied
    handover_on: date | None = None
    move_in_on: date | None = None
    room_type_id: UUID | None = None
    floor: int | None = None


async def add_building(ctx: Ctx, *, site_id: UUID, code: str, name: str) -> Space:
    """Raises NotFound, PickAProject and SpaceAlreadyExists."""
    site = await organization.get_site(ctx, site_id)
    return await _add_node(ctx, SpaceKind.building, site_id=site.id, code=code, name=name)


async def add_unit(ctx: Ctx, *, building_id: UUID, code: str, name: str) -> Space:
    """Raises NotFound, SpaceClosedToKind and SpaceAlreadyExists."""
    parent = await ctx.get(Space, building_id)
    return await _add_node(
        ctx, SpaceKind.unit, site_id=parent.org_id, code=code, name=name, parent=parent
    )


async def add_room(
    ctx: Ctx, *, parent_id: UUID, code: str, facts: RoomFacts, name: str | None = None
) -> Space:
    """A room in a unit, or straight in a building; it is billed by the building area when no
    chargeable area is given. Raises NotFound, AreaNotPositive, SpaceClosedToKind and
    SpaceAlreadyExists."""
    check_areas(facts.building_area, facts.inner_area, facts.chargeable_area)
    await check_entry(ctx, ROOM_TYPES, facts.room_type_id)
    parent = await ctx.get(Space, parent_id)
    space = await _add_node(
        ctx, SpaceKind.room, site_id=parent.org_id, code=code, name=name or code, parent=parent
    )
    await ctx.session.flush()  # the room's key points at its node
    chargeable = facts.chargeable_area or facts.building_area
    room = Room(
        **ctx.stamp(space.org_id),
        id=space.id,
        building_area=facts.building_area,
        inner_area=facts.inner_area,
        chargeable_area=chargeable,
        coefficient=facts.coefficient,
        usage=facts.usage,
        state=facts.state,
        handover_on=facts.handover_on,
        move_in_on=facts.move_in_on,
        floor=facts.floor if facts.floor is not None else floor_of(code),
        room_type_id=facts.room_type_id,
    )
    ctx.session.add(room)
    return space


async def rename_space(ctx: Ctx, *, space_id: UUID, version: int, name: str) -> Space:
    """Rename a node; everything below it takes the new name into its own. Raises NotFound and
    StaleVersion."""
    space = await ctx.get(Space, space_id, lock=True, version=version)
    before = space.full_name
    above = before.removesuffix(space.name)
    space.name = name
    space.full_name = f"{above}{name}"
    space.version += 1
    await ctx.session.execute(
        update(Space)
        .where(
            col(Space.org_id) == space.org_id,
            col(Space.path).like(starts(f"{space.path}{PATH_SEPARATOR}")),
        )
        .values(
            full_name=func.concat(
                space.full_name, func.substr(col(Space.full_name), len(before) + 1)
            )
        )
        .execution_options(synchronize_session=False)
    )
    await audit.record_on(
        ctx,
        space,
        f"resources.{space.kind}.renamed",
        before={"full_name": before},
        after={"full_name": space.full_name},
    )
    return space


async def rename_building(ctx: Ctx, *, building_id: UUID, version: int, name: str) -> Space:
    """Raises NotFound and StaleVersion."""
    await _of_kind(ctx, building_id, SpaceKind.building)
    return await rename_space(ctx, space_id=building_id, version=version, name=name)


async def rename_unit(ctx: Ctx, *, unit_id: UUID, version: int, name: str) -> Space:
    """Raises NotFound and StaleVersion."""
    await _of_kind(ctx, unit_id, SpaceKind.unit)
    return await rename_space(ctx, space_id=unit_id, version=version, name=name)


async def close_building(ctx: Ctx, *, building_id: UUID, reason: str) -> Space:
    """Take out a building without rooms, with its units. Raises NotFound, SpaceNotEmpty and
    SpaceStillUsed."""
    return await _take_out(ctx, await _of_kind(ctx, building_id, SpaceKind.building), reason)


async def close_unit(ctx: Ctx, *, unit_id: UUID, reason: str) -> Space:
    """Take out a unit without rooms. Raises NotFound, SpaceNotEmpty and SpaceStillUsed."""
    return await _take_out(ctx, await _of_kind(ctx, unit_id, SpaceKind.unit), reason)


async def take_out_room(ctx: Ctx, *, room_id: UUID, reason: str) -> Space:
    """Take out a room that was made by mistake and that nothing refers to; one with bills,
    people, meters or a history is closed instead. Raises NotFound and SpaceStillUsed."""
    return await _take_out(ctx, await _of_kind(ctx, room_id, SpaceKind.room), reason)


async def _of_kind(ctx: Ctx, space_id: UUID, kind: SpaceKind) -> Space:
    space = await ctx.get(Space, space_id, lock=True)
    if space.kind != kind:
        raise NotFound
    return space


async def _take_out(ctx: Ctx, space: Space, reason: str) -> Space:
    below = col(Space.path).like(starts(f"{space.path}{PATH_SEPARATOR}"))
    inside = [col(Space.org_id) == space.org_id, below]
    rooms = await ctx.session.execute(
        select(func.count()).select_from(Space).where(*inside, col(Space.kind) == SpaceKind.room)
    )
    count = rooms.scalar_one()
    if count:
        raise SpaceNotEmpty(full_name=space.full_name, rooms=count)
    await audit.record_on(
        ctx,
        space,
        f"resources.{space.kind}.taken_out",
        before={"path": space.path, "name": space.name},
        reason=reason,
    )
    full_name = space.full_name
    kept = {"synchronize_session": False}
    try:
        # Foreign keys know everything that refers to a node, also what modules above keep.
        for statement in (
            delete(Room).where(col(Room.id) == space.id),
            delete(Space).where(*inside),
            delete(Space).where(col(Space.id) == space.id),
        ):
            await ctx.session.execute(statement, execution_options=kept)
    except IntegrityError:
        raise SpaceStillUsed(full_name=full_name) from None
    ctx.session.expunge(space)
    return space


def check_areas(
    building: Decimal | None, inner: Decimal | None, chargeable: Decimal | None
) -> None:
    """Raises AreaNotPositive, naming each field."""
    wrong = tuple(
        FieldError(key, "area-not-positive")
        for key, area in (
            ("building_area", building),
            ("inner_area", inner),
            ("chargeable_area", chargeable),
        )
        if area is not None and area <= 0
    )
    if wrong:
        raise AreaNotPositive(fields=wrong)


async def _add_node(
    ctx: Ctx, kind: SpaceKind, *, site_id: UUID, code: str, name: str, parent: Space | None = None
) -> Space:
    if parent is not None and parent.kind not in PARENT_OF[kind]:
        raise SpaceClosedToKind(kind=kind.value, parent=parent.full_name)
    if PATH_SEPARATOR in code:
        raise HyphenInCode(fields=(FieldError("code", "hyphen-in-code"),))
    path = path_below(parent.path if parent else None, code)
    taken = await ctx.session.execute(
        select(col(Space.full_name)).where(col(Space.org_id) == site_id, col(Space.path) == path)
    )
    existing = taken.scalar_one_or_none()
    if existing is not None:
        raise SpaceAlreadyExists(
            full_name=existing, path=path, fields=(FieldError("code", "space-already-exists"),)
        )
    space = Space(
        **ctx.stamp(site_id),
        kind=kind,
        parent_id=parent.id if parent else None,
        code=code,
        name=name,
        path=path,
        full_name=f"{parent.full_name if parent else ''}{name}",
        sort_key=sort_key(path),
    )
    ctx.session.add(space)
    await audit.record(
        ctx,
        action=f"resources.{kind.value}.added",
        subject_kind="resources.space",
        subject_id=space.id,
        org_id=site_id,
        after={"path": path, "name": name},
    )
    return space
