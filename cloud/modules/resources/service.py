"""Adding buildings, units and rooms to a site's tree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Unprocessable
from cloud.modules.organization import queries as organization
from cloud.modules.resources.models import (
    PATH_SEPARATOR,
    Room,
    RoomState,
    RoomUsage,
    Space,
    SpaceKind,
)
from cloud.modules.resources.rules import PARENT_OF, path_below, sort_key


class SpaceAlreadyExists(Conflict):
    message = "{full_name} ({path}) already exists. Open it, or use another code."


class SpaceClosedToKind(Conflict):
    message = "A {kind} cannot stand in {parent}."


class AreaNotPositive(Unprocessable):
    message = "An area must be more than 0. Leave it empty when it is not known."


class HyphenInCode(Unprocessable):
    message = "A code has no hyphen: hyphens stand between the codes of a room number."


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
    _check_areas(facts)
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
    )
    ctx.session.add(room)
    return space


def _check_areas(facts: RoomFacts) -> None:
    wrong = tuple(
        FieldError(key, "area-not-positive")
        for key, area in (
            ("building_area", facts.building_area),
            ("inner_area", facts.inner_area),
            ("chargeable_area", facts.chargeable_area),
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
