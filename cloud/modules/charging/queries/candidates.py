"""Which rooms or meters a standard can be bound to, and why the others cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.ui.language import Tone, TrialLine, TrialLines
from cloud.modules.charging.models import Binding, Item, ItemCategory, Method, Standard
from cloud.modules.charging.schemas import BoundRooms, SkippedRoom
from cloud.modules.customers import queries as customers
from cloud.modules.metering.models import Meter, MeterKind, MeterState
from cloud.modules.resources.models import PATH_SEPARATOR, Room, RoomUsage, Space

SHOWN_MAX = 200
METERED_BY = {
    ItemCategory.water: MeterKind.water,
    ItemCategory.electricity: MeterKind.electricity,
    ItemCategory.gas: MeterKind.gas,
    ItemCategory.heat: MeterKind.heat,
}
NAMED_MAX = 3
__all__ = ["BoundRooms", "Candidate", "Selection", "candidates_of", "try_binding"]


class CannotBind(StrEnum):
    bound = "bound"
    not_handed_over = "not_handed_over"
    no_meter = "no_meter"
    meter_later = "meter_later"


WHY = {
    CannotBind.bound: "already bound to this item",
    CannotBind.not_handed_over: "handed over later, and nobody pays before",
    CannotBind.no_meter: "no meter of this kind in use",
    CannotBind.meter_later: "its meter was installed later",
}


@dataclass(frozen=True)
class Selection:
    """Rooms of a community: those named, or all in a building, of a use; all when it is empty."""

    building_id: UUID | None = None
    usage: RoomUsage | None = None
    room_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Candidate:
    room_id: UUID
    room_name: str
    meter_id: UUID | None = None


@dataclass
class Candidates:
    """Those that fit, and the rooms that do not with their reasons, in the order of rooms."""

    fitting: list[Candidate] = field(default_factory=list)
    skips: list[tuple[str, CannotBind]] = field(default_factory=list)

    def lines(self, ctx: Ctx) -> list[SkippedRoom]:
        return [
            SkippedRoom(room_name=name, reason=ctx.say(WHY[why]))
            for name, why in self.skips[:SHOWN_MAX]
        ]

    def reasons(self, ctx: Ctx) -> str:
        counted = Counter(why for _, why in self.skips)
        return ctx.say("; ").join(f"{ctx.say(WHY[why])} ({n})" for why, n in counted.items())


async def try_binding(
    ctx: Ctx, *, standard_id: UUID, selection: Selection, starts_on: date
) -> TrialLines:
    """How many rooms a binding would take, and which it would leave out. Raises NotFound."""
    standard = await ctx.get(Standard, standard_id)
    found = await candidates_of(ctx, standard, selection, starts_on)
    unit = "{count} meters" if standard.method == Method.metered else "{count} rooms"
    lines = [
        TrialLine(
            label=ctx.say("Will be bound"),
            text="",
            result=ctx.say(unit, count=len(found.fitting)),
            note="",
            tone=None,
        )
    ]
    for why in dict.fromkeys(why for _, why in found.skips):
        names = [name for name, each in found.skips if each == why]
        shown = ctx.say(", ").join(names[:NAMED_MAX])
        lines.append(
            TrialLine(
                label=ctx.say("Skipped"),
                text=shown + ("…" if len(names) > NAMED_MAX else ""),
                result="",
                note=ctx.say("{count}: {reason}", count=len(names), reason=ctx.say(WHY[why])),
                tone=Tone.warn,
            )
        )
    return TrialLines(lines=lines)


async def candidates_of(
    ctx: Ctx, standard: Standard, selection: Selection, starts_on: date
) -> Candidates:
    """Raises NotFound for a building or a room that is not of the standard's community."""
    rooms = await _rooms(ctx, standard.org_id, selection)
    item = await ctx.get(Item, standard.item_id)
    held = await _held(ctx, standard, starts_on)
    payers = await customers.payers_on(ctx, standard.org_id, starts_on)
    meters = await _meters(ctx, standard.org_id, item) if _is_metered(standard) else {}
    found = Candidates()
    for room_id, name, handover_on in rooms:
        early = handover_on is not None and starts_on < handover_on and room_id not in payers
        if early:
            found.skips.append((name, CannotBind.not_handed_over))
        elif not _is_metered(standard):
            if (room_id, None) in held:
                found.skips.append((name, CannotBind.bound))
            else:
                found.fitting.append(Candidate(room_id, name))
        else:
            _meters_of_room(found, (room_id, name), meters.get(room_id, []), held, starts_on)
    return found


def _is_metered(standard: Standard) -> bool:
    return standard.method == Method.metered


def _meters_of_room(
    found: Candidates,
    room: tuple[UUID, str],
    meters: list[tuple[UUID, date]],
    held: set[tuple[UUID, UUID | None]],
    starts_on: date,
) -> None:
    room_id, name = room
    if not meters:
        found.skips.append((name, CannotBind.no_meter))
    for meter_id, installed_on in meters:
        if installed_on > starts_on:
            found.skips.append((name, CannotBind.meter_later))
        elif (room_id, meter_id) in held:
            found.skips.append((name, CannotBind.bound))
        else:
            found.fitting.append(Candidate(room_id, name, meter_id))


async def _rooms(
    ctx: Ctx, site_id: UUID, selection: Selection
) -> list[tuple[UUID, str, date | None]]:
    statement = (
        select(col(Room.id), col(Space.full_name), col(Room.handover_on))
        .join(Space, (col(Space.org_id) == col(Room.org_id)) & (col(Space.id) == col(Room.id)))
        .where(col(Room.org_id) == site_id)
        .order_by(col(Space.sort_key))
    )
    if selection.building_id is not None:
        building = await ctx.get(Space, selection.building_id)
        if building.org_id != site_id:
            raise NotFound
        below = f"{building.path}{PATH_SEPARATOR}"
        statement = statement.where(col(Space.path).startswith(below, autoescape=True))
    if selection.usage is not None:
        statement = statement.where(col(Room.usage) == selection.usage)
    if selection.room_ids:
        statement = statement.where(col(Room.id).in_(selection.room_ids))
        await _refuse_strangers(ctx, site_id, selection.room_ids)
    return [(row[0], row[1], row[2]) for row in await ctx.session.execute(statement)]


async def _refuse_strangers(ctx: Ctx, site_id: UUID, room_ids: Sequence[UUID]) -> None:
    own = select(func.count()).where(col(Room.org_id) == site_id, col(Room.id).in_(room_ids))
    if (await ctx.session.execute(own)).scalar_one() != len(set(room_ids)):
        raise NotFound


async def _held(ctx: Ctx, standard: Standard, starts_on: date) -> set[tuple[UUID, UUID | None]]:
    """What the item is bound to on that day or later: another binding would overlap."""
    found = await ctx.session.execute(
        select(col(Binding.room_id), col(Binding.meter_id)).where(
            col(Binding.org_id) == standard.org_id,
            col(Binding.item_id) == standard.item_id,
            or_(col(Binding.ends_on).is_(None), col(Binding.ends_on) > starts_on),
        )
    )
    return {(row[0], row[1]) for row in found}


async def _meters(ctx: Ctx, site_id: UUID, item: Item) -> dict[UUID, list[tuple[UUID, date]]]:
    """The meters in use of the item's kind, by room; none for an item that no meter counts."""
    kind = METERED_BY.get(ItemCategory(item.category))
    if kind is None:
        return {}
    found = await ctx.session.execute(
        select(col(Meter.room_id), col(Meter.id), col(Meter.installed_on))
        .where(
            col(Meter.org_id) == site_id,
            col(Meter.kind) == kind,
            col(Meter.state) == MeterState.in_use,
            col(Meter.room_id).is_not(None),
        )
        .order_by(col(Meter.no))
    )
    meters: dict[UUID, list[tuple[UUID, date]]] = {}
    for room_id, meter_id, installed_on in found:
        if room_id is not None:
            meters.setdefault(room_id, []).append((meter_id, installed_on))
    return meters
