"""Rooms out of a workbook."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.kernel.errors import AppError, FieldError, Unprocessable
from cloud.kernel.imports.rows import reasons, tried
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Choice, Import, ImportColumn, ImportOption
from cloud.modules.organization import queries as organization
from cloud.modules.resources import queries, service
from cloud.modules.resources.models import PATH_SEPARATOR, RoomState, RoomUsage, SpaceKind
from cloud.modules.resources.permissions import ResourcesPermission
from cloud.modules.resources.queries import SpaceAtPath
from cloud.modules.resources.rules import STATE_LABELS, USAGE_LABELS, path_below
from cloud.modules.resources.service import (
    HyphenInCode,
    NewNode,
    RoomFacts,
    SpaceAlreadyExists,
    node_below,
)

CREATE_PARENTS = "create_parents"

_USAGES = tuple(Choice(usage, *shown) for usage, shown in USAGE_LABELS.items())
_STATES = tuple(Choice(state, *shown) for state, shown in STATE_LABELS.items())
_LEAST = Decimal("0.0001")


class BuildingUnknown(Unprocessable):
    message = "There is no building {code}. Add it first, or let the import create it."


class UnitUnknown(Unprocessable):
    message = "There is no unit {code} in building {building}. Add it, or let the import create it."


async def _add(
    ctx: Ctx, *, site_id: UUID, rows: Sequence[dict[str, Any]], options: frozenset[str]
) -> list[AppError | None]:
    site = await organization.get_site(ctx, site_id)
    paths = {_path(row, *keys) for row in rows for keys in (("unit",), ("unit", "code"))}
    known = await queries.spaces_by_path(ctx, site.id, paths)
    plan = _Plan(ctx, CREATE_PARENTS in options, dict(known))
    told = await to_thread(tried, rows, plan.take)  # other requests do not wait
    await service.add_nodes(ctx, site_id=site.id, nodes=plan.nodes)
    return reasons(told)


def _path(row: dict[str, Any], *keys: str) -> str:
    """The path of a row's unit or room; a room without a unit stands in its building."""
    return PATH_SEPARATOR.join([row["building"], *(row[key] for key in keys if row[key])])


@dataclass
class _Plan:
    """What the rows add. `at` holds what stands at each path, `nodes` among it."""

    ctx: Ctx
    create: bool
    at: dict[str, SpaceAtPath | NewNode]
    nodes: list[NewNode] = field(default_factory=list)

    def take(self, row: dict[str, Any]) -> None:
        for key in ("building", "unit"):
            if row[key] and PATH_SEPARATOR in row[key]:
                raise HyphenInCode(fields=(FieldError(key, "hyphen-in-code"),))
        made: list[NewNode] = []
        parent = self._parent(row, made)
        if PATH_SEPARATOR in row["code"]:
            raise HyphenInCode(fields=(FieldError("code", "hyphen-in-code"),))
        room = node_below(parent, SpaceKind.room, row["code"], row["code"], _facts(row))
        self._refuse_known(room.path)
        made.append(room)
        self.nodes += made
        self.at |= {node.path: node for node in made}

    def _parent(self, row: dict[str, Any], made: list[NewNode]) -> SpaceAtPath | NewNode:
        """The unit, or the building of a room without one; `made` on the way where asked."""
        code, unit_code = row["building"], row["unit"]
        building = self.at.get(code)
        if building is None:
            if not self.create:
                raise BuildingUnknown(
                    code=code, fields=(FieldError("building", "building-unknown"),)
                )
            name = self.ctx.say("Building {code}", code=code)
            building = node_below(None, SpaceKind.building, code, name)
            made.append(building)
        if unit_code is None:
            return building
        path = path_below(code, unit_code)
        unit = self.at.get(path)
        if unit is not None and unit.kind is SpaceKind.unit:
            return unit
        if not self.create:
            raise UnitUnknown(
                code=unit_code, building=code, fields=(FieldError("unit", "unit-unknown"),)
            )
        self._refuse_known(path)
        name = self.ctx.say("Unit {code}", code=unit_code)
        made.append(node_below(building, SpaceKind.unit, unit_code, name))
        return made[-1]

    def _refuse_known(self, path: str) -> None:
        known = self.at.get(path)
        if known is not None:
            raise SpaceAlreadyExists(
                full_name=known.full_name,
                path=path,
                fields=(FieldError("code", "space-already-exists"),),
            )


def _facts(row: dict[str, Any]) -> RoomFacts:
    return RoomFacts(
        building_area=row["building_area"],
        inner_area=row["inner_area"],
        chargeable_area=row["chargeable_area"],
        usage=row["usage"] or RoomUsage.residential,
        state=row["state"] or RoomState.occupied,
        handover_on=row["handover_on"],
        move_in_on=row["move_in_on"],
    )


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
    add=_add,
    options=(ImportOption(CREATE_PARENTS, "Add buildings and units that are missing"),),
)
