"""Many rooms at once: by a rule that counts them out, or as rows that somebody else has read.

Everything or nothing: the rooms that exist already are named in one refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.catalogue import check_entry
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound, Unprocessable
from cloud.kernel.ui.language import Tone, TrialLine, TrialLines
from cloud.modules.resources.models import PATH_SEPARATOR, Space, SpaceKind
from cloud.modules.resources.rules import (
    PARENT_OF,
    ROOM_TYPES,
    NumberingRule,
    RoomPlan,
    is_pattern,
    path_below,
    twice,
)
from cloud.modules.resources.service.nodes import insert_rooms, insert_spaces, node_below
from cloud.modules.resources.service.spaces import (
    HyphenInCode,
    RoomFacts,
    SpaceClosedToKind,
    add_unit,
    check_areas,
)

ROOMS_MAX = 5_000
NAMED_MAX = 20
SHOWN_MAX = 12
CODE_LENGTH_MAX = 20


class RoomsAlreadyExist(Conflict):
    message = "{count} of these rooms exist already: {names}. Skip them, or number otherwise."


class RoomsTwice(Unprocessable):
    message = "The same number comes twice: {names}. Let the pattern tell the rooms apart."


class TooManyRooms(Unprocessable):
    message = "That would be {count} rooms, at most {most} at once. Take fewer floors or units."


class NoRooms(Unprocessable):
    message = "The rule yields no room: every floor is skipped, or the last is below the first."


class PatternUnclear(Unprocessable):
    message = (
        "The pattern must contain {seq}, and may contain {floor} and {unit}, each with its digits:"
        " {floor}{seq:02}."
    )


class CodeTooLong(Unprocessable):
    message = "“{code}” is longer than {most} characters."


@dataclass(frozen=True)
class NewRoom:
    """A room to add below `parent_id`, its building or its unit."""

    parent_id: UUID
    code: str
    facts: RoomFacts
    name: str | None = None


@dataclass(frozen=True)
class Generation:
    """What a rule would do: `taken` are the rooms that stand in its way, by full name."""

    count: int
    first: str
    last: str
    new_units: tuple[str, ...]
    taken: tuple[str, ...]
    rooms: tuple[RoomPlan, ...]

    def told(self, ctx: Ctx) -> TrialLines:
        """The same for who fills in the form: the first rooms, new units, and what clashes."""
        shown = ctx.say(", ").join(room.code for room in self.rooms[:SHOWN_MAX])
        more = " …" if self.count > SHOWN_MAX else ""
        lines = [
            TrialLine(
                label=f"{self.first} ~ {self.last}",
                text=f"{shown}{more}",
                result="",
                note=ctx.say("{count} rooms", count=self.count),
                tone=None,
            )
        ]
        named = (
            ("Units that are new", self.new_units, "{count} units", None),
            ("There already", self.taken, "{count} rooms stand in the way", Tone.bad),
        )
        lines += [
            TrialLine(
                label=ctx.say(label),
                text=_listed(names),
                result="",
                note=ctx.say(note, count=len(names)),
                tone=tone,
            )
            for label, names, note, tone in named
            if names
        ]
        return TrialLines(lines=lines)


async def plan_rooms(ctx: Ctx, *, building_id: UUID, rule: NumberingRule) -> Generation:
    """Count a rule out and change nothing. Raises NotFound, SpaceClosedToKind, TooManyRooms,
    NoRooms, PatternUnclear, HyphenInCode, CodeTooLong, AreaNotPositive and RoomsTwice."""
    building = await ctx.get(Space, building_id)
    if building.kind != SpaceKind.building:
        raise SpaceClosedToKind(kind=SpaceKind.room.value, parent=building.full_name)
    plans = _counted_out(rule)
    units = await _units_of(ctx, building)
    names = {unit: units[unit].full_name if unit in units else _unit_to_be(building, unit)
             for unit in {plan.unit for plan in plans} - {None}}  # fmt: skip
    paths = [_path(building, plan) for plan in plans]
    repeated = twice(paths)
    if repeated:
        raise RoomsTwice(names=_listed(repeated), fields=(FieldError("pattern", "rooms-twice"),))
    taken = await _taken(ctx, building.org_id, paths)
    whole = [f"{names.get(plan.unit, building.full_name)}{plan.code}" for plan in plans]
    return Generation(
        count=len(plans),
        first=whole[0],
        last=whole[-1],
        new_units=tuple(names[unit] for unit in rule.units if unit not in units),
        taken=tuple(taken),
        rooms=tuple(plans),
    )


async def try_rooms(ctx: Ctx, *, building_id: UUID, rule: NumberingRule) -> TrialLines:
    """As plan_rooms, for the form that is being filled in. Raises the same."""
    return (await plan_rooms(ctx, building_id=building_id, rule=rule)).told(ctx)


async def generate_rooms(
    ctx: Ctx, *, building_id: UUID, rule: NumberingRule, facts: RoomFacts
) -> Generation:
    """Add every room of a rule, with the units that are missing. `facts` are those of all of them.

    Raises what plan_rooms raises, and RoomsAlreadyExist.
    """
    building = await ctx.get(Space, building_id, lock=True)
    plan = await plan_rooms(ctx, building_id=building_id, rule=rule)
    if plan.taken:
        raise RoomsAlreadyExist(count=len(plan.taken), names=_listed(plan.taken))
    units = await _units_of(ctx, building)
    for code in rule.units:
        if code not in units:
            units[code] = await add_unit(
                ctx, building_id=building.id, code=code, name=f"{code}单元"
            )
    await ctx.session.flush()  # the units' rows come before their rooms'
    await add_rooms(
        ctx,
        site_id=building.org_id,
        rows=[
            NewRoom(
                parent_id=units[room.unit].id if room.unit else building.id,
                code=room.code,
                facts=replace(
                    facts,
                    floor=room.floor,
                    building_area=room.area or facts.building_area,
                    chargeable_area=room.area or facts.chargeable_area,
                ),
            )
            for room in plan.rooms
        ],
    )
    return plan


async def add_rooms(ctx: Ctx, *, site_id: UUID, rows: Sequence[NewRoom]) -> list[UUID]:
    """Add rooms of one site in two statements; answers their ids in the order of `rows`.

    Raises TooManyRooms, NotFound for a parent of another site, SpaceClosedToKind, HyphenInCode,
    AreaNotPositive, RoomsTwice, RoomsAlreadyExist and EntryNotOffered. A path and a name come from
    the parent; the chargeable area is the building area when there is none.
    """
    if len(rows) > ROOMS_MAX:
        raise TooManyRooms(count=len(rows), most=ROOMS_MAX)
    parents = await _parents(ctx, site_id, {row.parent_id for row in rows})
    for room_type_id in {row.facts.room_type_id for row in rows}:
        await check_entry(ctx, ROOM_TYPES, room_type_id)
    for row in rows:
        check_code(row.code)
        check_areas(row.facts.building_area, row.facts.inner_area, row.facts.chargeable_area)
    paths = [path_below(parents[row.parent_id].path, row.code) for row in rows]
    repeated = twice(paths)
    if repeated:
        raise RoomsTwice(names=_listed(repeated))
    taken = await _taken(ctx, site_id, paths)
    if taken:
        raise RoomsAlreadyExist(count=len(taken), names=_listed(taken))
    nodes = [
        node_below(
            parents[row.parent_id], SpaceKind.room, row.code, row.name or row.code, row.facts
        )
        for row in rows
    ]
    added = await insert_spaces(ctx, site_id, nodes, skip_known=True)
    if added != len(rows):  # somebody added one of them a moment ago
        raise RoomsAlreadyExist(count=len(rows) - added, names="")
    await insert_rooms(ctx, site_id, nodes)
    await audit.record(
        ctx,
        action="resources.rooms.added",
        subject_kind="resources.space",
        subject_id=None,
        org_id=site_id,
        after={"count": len(rows), "first": paths[0] if paths else "", "last": paths[-1:]},
    )
    return [node.id for node in nodes]


def check_code(code: str) -> None:
    """Raises HyphenInCode and CodeTooLong."""
    if PATH_SEPARATOR in code:
        raise HyphenInCode(fields=(FieldError("code", "hyphen-in-code"),))
    if len(code) > CODE_LENGTH_MAX:
        raise CodeTooLong(code=code, most=CODE_LENGTH_MAX)


def _counted_out(rule: NumberingRule) -> list[RoomPlan]:
    if not is_pattern(rule.pattern):
        raise PatternUnclear(fields=(FieldError("pattern", "pattern-unclear"),))
    if rule.most() > ROOMS_MAX:
        raise TooManyRooms(count=rule.most(), most=ROOMS_MAX)
    plans = list(rule.rooms())
    if not plans:
        raise NoRooms(fields=(FieldError("floors_to", "no-rooms"),))
    for plan in plans:
        check_code(plan.code)
        check_areas(plan.area, None, None)
    return plans


def _path(building: Space, plan: RoomPlan) -> str:
    above = path_below(building.path, plan.unit) if plan.unit else building.path
    return path_below(above, plan.code)


def _unit_to_be(building: Space, code: str | None) -> str:
    return f"{building.full_name}{code}单元"


def _listed(names: Sequence[str]) -> str:
    shown = "、".join(names[:NAMED_MAX])
    return f"{shown} …" if len(names) > NAMED_MAX else shown


async def _units_of(ctx: Ctx, building: Space) -> dict[str, Space]:
    found = await ctx.session.execute(
        select(Space).where(
            col(Space.org_id) == building.org_id,
            col(Space.parent_id) == building.id,
            col(Space.kind) == SpaceKind.unit,
        )
    )
    return {unit.code: unit for unit in found.scalars()}


async def _parents(ctx: Ctx, site_id: UUID, parent_ids: set[UUID]) -> dict[UUID, Space]:
    found = await ctx.session.execute(
        select(Space).where(col(Space.org_id) == site_id, col(Space.id).in_(parent_ids))
    )
    parents = {space.id: space for space in found.scalars()}
    if parent_ids - parents.keys():
        raise NotFound
    for parent in parents.values():
        if parent.kind not in PARENT_OF[SpaceKind.room]:
            raise SpaceClosedToKind(kind=SpaceKind.room.value, parent=parent.full_name)
    return parents


async def _taken(ctx: Ctx, site_id: UUID, paths: Sequence[str]) -> list[str]:
    found = await ctx.session.execute(
        select(col(Space.full_name))
        .where(col(Space.org_id) == site_id, col(Space.path).in_(paths))
        .order_by(col(Space.sort_key))
    )
    return list(found.scalars())
