"""Changing rooms: their facts, their areas over time, their state, and closing them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.catalogue import check_entry
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError
from cloud.modules.resources.events import AreaChanging, RoomClosing
from cloud.modules.resources.models import (
    Room,
    RoomArea,
    RoomEvent,
    RoomEventKind,
    RoomState,
    RoomUsage,
    Space,
)
from cloud.modules.resources.rules import ROOM_TYPES
from cloud.modules.resources.service.spaces import check_areas, rename_space


class RoomStateUnchanged(Conflict):
    message = "{full_name} is in this state already."


class CloseByClosing(Conflict):
    message = "A room is disabled by “Disable the room”, which checks what still needs it."


class RoomAlreadyClosed(Conflict):
    message = "{full_name} is disabled already."


class LaterAreaKnown(Conflict):
    message = "Other areas hold from {valid_from} already. Choose that day or a later one."


@dataclass(frozen=True)
class Areas:
    building_area: Decimal | None
    inner_area: Decimal | None
    chargeable_area: Decimal | None


async def change_room(
    ctx: Ctx,
    *,
    room_id: UUID,
    version: int,
    name: str,
    usage: RoomUsage,
    coefficient: Decimal,
    floor: int | None = None,
    room_type_id: UUID | None = None,
    handover_on: date | None = None,
    move_in_on: date | None = None,
) -> Room:
    """Raises NotFound, StaleVersion and EntryNotOffered."""
    room = await ctx.get(Room, room_id, lock=True, version=version)
    if room_type_id != room.room_type_id:
        await check_entry(ctx, ROOM_TYPES, room_type_id)
    space = await ctx.get(Space, room_id)
    before = _facts_of(room, space.name)
    if name != space.name:
        await rename_space(ctx, space_id=room_id, version=space.version, name=name)
    room.usage, room.coefficient = usage, coefficient
    room.floor, room.room_type_id = floor, room_type_id
    room.handover_on, room.move_in_on = handover_on, move_in_on
    room.version += 1
    after = _facts_of(room, name)
    changed = [key for key, value in after.items() if before[key] != value]
    await audit.record_on(
        ctx, room, "resources.room.changed",
        before={key: before[key] for key in changed},
        after={key: after[key] for key in changed},
    )  # fmt: skip
    return room


def _facts_of(room: Room, name: str) -> dict[str, Any]:
    return _plain(
        {
            "name": name,
            "usage": room.usage,
            "coefficient": room.coefficient,
            "floor": room.floor,
            "room_type_id": room.room_type_id,
            "handover_on": room.handover_on,
            "move_in_on": room.move_in_on,
        }
    )


async def change_areas(
    ctx: Ctx, *, room_id: UUID, version: int, areas: Areas, valid_from: date, reason: str = ""
) -> RoomArea:
    """Let other areas hold from a day on; what was billed before keeps the old ones.

    Raises NotFound, StaleVersion, AreaNotPositive, LaterAreaKnown, and what modules above refuse.
    """
    check_areas(areas.building_area, areas.inner_area, areas.chargeable_area)
    room = await ctx.get(Room, room_id, lock=True, version=version)
    latest = (
        await ctx.session.execute(
            select(RoomArea)
            .where(col(RoomArea.room_id) == room.id)
            .order_by(col(RoomArea.valid_from).desc().nulls_last(), col(RoomArea.id).desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    if latest is None:
        ctx.session.add(_area_row(ctx, room, _areas_of(room), None, ""))
    elif latest.valid_from is not None and latest.valid_from > valid_from:
        raise LaterAreaKnown(
            valid_from=latest.valid_from, fields=(FieldError("valid_from", "later-area-known"),)
        )
    await ctx.announce(AreaChanging(room_id=room.id, valid_from=valid_from))
    chargeable = areas.chargeable_area or areas.building_area
    wanted = Areas(areas.building_area, areas.inner_area, chargeable)
    await ctx.session.flush()  # the old areas' row is the older one
    row = _area_row(ctx, room, wanted, valid_from, reason)
    ctx.session.add(row)
    before = _areas_of(room)
    if valid_from <= ctx.business_on:
        room.building_area = wanted.building_area
        room.inner_area = wanted.inner_area
        room.chargeable_area = wanted.chargeable_area
    room.version += 1
    await audit.record_on(
        ctx, room, "resources.room.areas_changed",
        before=_plain(vars(before)),
        after=_plain({**vars(wanted), "valid_from": valid_from}),
        reason=reason,
    )  # fmt: skip
    old, new = before.chargeable_area, chargeable
    await record_event(
        ctx, room, RoomEventKind.area_changed, on=valid_from,
        note=" · ".join(filter(None, (f"{old or '–'} → {new or '–'} ㎡", reason))),
    )  # fmt: skip
    return row


def _areas_of(room: Room) -> Areas:
    return Areas(room.building_area, room.inner_area, room.chargeable_area)


def _area_row(ctx: Ctx, room: Room, areas: Areas, valid_from: date | None, reason: str) -> RoomArea:
    return RoomArea(
        **ctx.stamp(room.org_id),
        **vars(areas),
        room_id=room.id,
        valid_from=valid_from,
        reason=reason,
    )


_DUE = text(
    "UPDATE resources_room SET building_area = due.building_area, inner_area = due.inner_area,"
    " chargeable_area = due.chargeable_area, version = resources_room.version + 1"
    " FROM (SELECT DISTINCT ON (room_id) room_id, building_area, inner_area, chargeable_area"
    "  FROM resources_room_area WHERE valid_from IS NULL OR valid_from <= :today"
    "  ORDER BY room_id, valid_from DESC NULLS LAST, id DESC) AS due"
    " WHERE resources_room.id = due.room_id AND (resources_room.building_area,"
    "  resources_room.inner_area, resources_room.chargeable_area) IS DISTINCT FROM"
    "  (due.building_area, due.inner_area, due.chargeable_area)"
)


async def apply_due_areas(ctx: Ctx) -> int:
    """Let the rooms show the areas that hold since today; answers how many changed."""
    found: Any = await ctx.session.execute(_DUE, {"today": ctx.business_on})
    return int(found.rowcount)


async def change_room_state(
    ctx: Ctx,
    *,
    room_id: UUID,
    version: int,
    state: RoomState,
    on: date | None = None,
    note: str = "",
) -> Room:
    """The day is kept with the room's history; handing over and moving in are its dates too.

    A closed room is in use again with the state it gets. Raises NotFound, StaleVersion,
    CloseByClosing and RoomStateUnchanged.
    """
    room = await ctx.get(Room, room_id, lock=True, version=version)
    if state is RoomState.closed:
        raise CloseByClosing(fields=(FieldError("state", "close-by-closing"),))
    if room.state == state:
        space = await ctx.get(Space, room_id)
        raise RoomStateUnchanged(
            full_name=space.full_name, fields=(FieldError("state", "room-state-unchanged"),)
        )
    day = on or ctx.business_on
    if state is RoomState.delivered:
        room.handover_on = day
    elif state is RoomState.occupied:
        room.move_in_on = day
    await _enter(ctx, room, state, on=day, note=note)
    return room


async def close_room(ctx: Ctx, *, room_id: UUID, reason: str, on: date | None = None) -> Room:
    """Put a room out of use; its bills, people and history stay on record.

    Raises NotFound, RoomAlreadyClosed, and what modules above refuse: open bills, people.
    """
    room = await ctx.get(Room, room_id, lock=True)
    space = await ctx.get(Space, room_id)
    if room.state == RoomState.closed:
        raise RoomAlreadyClosed(full_name=space.full_name)
    await ctx.announce(RoomClosing(room_id=room.id, full_name=space.full_name))
    await _enter(ctx, room, RoomState.closed, on=on or ctx.business_on, note=reason)
    return room


async def _enter(ctx: Ctx, room: Room, state: RoomState, *, on: date, note: str) -> None:
    before = room.state
    room.state = state
    room.version += 1
    await audit.record_on(
        ctx, room, "resources.room.state_changed",
        before={"state": str(before)},
        after={"state": state.value, "on": str(on)},
        reason=note,
    )  # fmt: skip
    await record_event(ctx, room, RoomEventKind(state.value), on=on, note=note)


async def record_event(
    ctx: Ctx, room: Room, kind: RoomEventKind, *, on: date, note: str = ""
) -> RoomEvent:
    """Keep with a room what happened to it on a day."""
    event = RoomEvent(
        **ctx.stamp(room.org_id), room_id=room.id, kind=kind, happened_on=on, note=note
    )
    ctx.session.add(event)
    return event


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: None if value is None else str(value) for key, value in values.items()}
