"""Rooms out of a workbook."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.kernel.errors import FieldError, Unprocessable
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Choice, Import, ImportColumn, ImportOption
from cloud.modules.organization import queries as organization
from cloud.modules.resources import queries, service
from cloud.modules.resources.models import PATH_SEPARATOR, RoomState, RoomUsage
from cloud.modules.resources.permissions import ResourcesPermission
from cloud.modules.resources.rules import STATE_LABELS, USAGE_LABELS, path_below
from cloud.modules.resources.service import HyphenInCode, RoomFacts

CREATE_PARENTS = "create_parents"

_USAGES = tuple(Choice(usage, *shown) for usage, shown in USAGE_LABELS.items())
_STATES = tuple(Choice(state, *shown) for state, shown in STATE_LABELS.items())
_LEAST = Decimal("0.0001")


class BuildingUnknown(Unprocessable):
    message = "There is no building {code}. Add it first, or let the import create it."


class UnitUnknown(Unprocessable):
    message = "There is no unit {code} in building {building}. Add it, or let the import create it."


@dataclass
class _Place:
    site_id: UUID
    create: bool
    by_path: dict[str, UUID]


async def _prepare(
    ctx: Ctx, *, site_id: UUID, rows: list[dict[str, Any]], options: frozenset[str]
) -> _Place:
    del rows
    site = await organization.get_site(ctx, site_id)
    known = await queries.parents_by_path(ctx, site.id)
    return _Place(site.id, CREATE_PARENTS in options, known)


async def _add(ctx: Ctx, row: dict[str, Any], place: _Place) -> None:
    for key in ("building", "unit"):
        if row[key] and PATH_SEPARATOR in row[key]:
            raise HyphenInCode(fields=(FieldError(key, "hyphen-in-code"),))
    facts = RoomFacts(
        building_area=row["building_area"],
        inner_area=row["inner_area"],
        chargeable_area=row["chargeable_area"],
        usage=row["usage"] or RoomUsage.residential,
        state=row["state"] or RoomState.occupied,
        handover_on=row["handover_on"],
        move_in_on=row["move_in_on"],
    )
    made: dict[str, UUID] = {}
    parent_id = await _parent(ctx, row, place, made)
    await service.add_room(ctx, parent_id=parent_id, code=row["code"], facts=facts)
    place.by_path |= made


async def _parent(ctx: Ctx, row: dict[str, Any], place: _Place, made: dict[str, UUID]) -> UUID:
    """The unit, or the building of a room without one; `made` on the way where that was asked."""
    building, unit = row["building"], row["unit"]
    building_id = place.by_path.get(building)
    if building_id is None:
        if not place.create:
            raise BuildingUnknown(
                code=building, fields=(FieldError("building", "building-unknown"),)
            )
        name = ctx.say("Building {code}", code=building)
        added = await service.add_building(ctx, site_id=place.site_id, code=building, name=name)
        await ctx.session.flush()  # the unit stands in it
        building_id = made[building] = added.id
    if unit is None:
        return building_id
    path = path_below(building, unit)
    unit_id = place.by_path.get(path)
    if unit_id is None:
        if not place.create:
            raise UnitUnknown(
                code=unit, building=building, fields=(FieldError("unit", "unit-unknown"),)
            )
        name = ctx.say("Unit {code}", code=unit)
        added = await service.add_unit(ctx, building_id=building_id, code=unit, name=name)
        await ctx.session.flush()  # the room stands in it
        unit_id = made[path] = added.id
    return unit_id


ROOMS = Import(
    title="Import rooms",
    note="A room that is there already is refused; nothing is overwritten.",
    permission=ResourcesPermission.space_add,
    columns=(
        ImportColumn("building", "Building", required=True, example="3", length=20),
        ImportColumn(
            "unit", "Unit", example="1", length=20, help="Empty for a villa or a shop without one."
        ),
        ImportColumn("code", "Room", required=True, example="1202", length=20),
        ImportColumn(
            "building_area", "Building area", Kind.quantity, example="89.53", least=_LEAST
        ),
        ImportColumn("inner_area", "Inner area", Kind.quantity, example="71.20", least=_LEAST),
        ImportColumn(
            "chargeable_area",
            "Chargeable area",
            Kind.quantity,
            help="The building area when it is empty.",
            least=_LEAST,
        ),
        ImportColumn("usage", "Usage", Kind.tag, choices=_USAGES),
        ImportColumn("state", "State", Kind.tag, choices=_STATES),
        ImportColumn("handover_on", "Handed over on", Kind.date, example="2024-06-30"),
        ImportColumn("move_in_on", "Moved in on", Kind.date),
    ),
    prepare=_prepare,
    add=_add,
    options=(ImportOption(CREATE_PARENTS, "Add buildings and units that are missing"),),
)
