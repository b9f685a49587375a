"""What a room was: its areas over time and what happened to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.modules.accounts.models import User
from cloud.modules.resources.models import RoomArea, RoomEvent, RoomEventKind

EVENTS_MAX = 200


@dataclass(frozen=True)
class AreaHeld:
    """The areas of a room, half-open in time; None is since ever, and for ever."""

    start: date | None
    end: date | None
    building_area: Decimal | None
    inner_area: Decimal | None
    chargeable_area: Decimal | None
    reason: str


@dataclass(frozen=True)
class RoomHappening:
    """An event of a room with who recorded it."""

    kind: RoomEventKind
    happened_on: date
    note: str
    who: str


async def areas_of_rooms(ctx: Ctx, room_ids: Collection[UUID]) -> dict[UUID, list[AreaHeld]]:
    """The areas of those rooms that ever changed, each list without a gap from ever to ever.

    A room that is not there has had the areas of its record always. Of two changes from the same
    day the later one holds.
    """
    found = await ctx.session.execute(
        select(RoomArea)
        .where(col(RoomArea.room_id).in_(room_ids))
        .order_by(
            col(RoomArea.room_id), col(RoomArea.valid_from).asc().nulls_first(), col(RoomArea.id)
        )
    )
    rows: dict[UUID, dict[date | None, RoomArea]] = defaultdict(dict)
    for row in found.scalars():
        rows[row.room_id][row.valid_from] = row
    return {room_id: _held(list(versions.values())) for room_id, versions in rows.items()}


def _held(versions: list[RoomArea]) -> list[AreaHeld]:
    ends = [later.valid_from for later in versions[1:]]
    return [
        AreaHeld(
            start=version.valid_from,
            end=end,
            building_area=version.building_area,
            inner_area=version.inner_area,
            chargeable_area=version.chargeable_area,
            reason=version.reason,
        )
        for version, end in zip(versions, [*ends, None], strict=True)
    ]


async def events_of_room(ctx: Ctx, room_id: UUID) -> list[RoomHappening]:
    """What happened to a room, the latest first. Empty for a room out of scope."""
    found = await ctx.session.execute(
        select(RoomEvent, func.coalesce(col(User.name), ""))
        .outerjoin(User, col(User.id) == col(RoomEvent.created_by))
        .where(col(RoomEvent.room_id) == room_id)
        .order_by(col(RoomEvent.happened_on).desc(), col(RoomEvent.id).desc())
        .limit(EVENTS_MAX)
    )
    return [
        RoomHappening(
            kind=RoomEventKind(event.kind),
            happened_on=event.happened_on,
            note=event.note,
            who=who,
        )
        for event, who in found
    ]
