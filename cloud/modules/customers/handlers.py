"""What customers has to say before a room is closed."""

from __future__ import annotations

from cloud.kernel.context import Ctx
from cloud.modules.customers import service
from cloud.modules.resources.events import RoomClosing


async def on_room_closing(ctx: Ctx, event: RoomClosing) -> None:
    await service.check_nobody_holds(ctx, room_id=event.room_id, full_name=event.full_name)


HANDLERS = ((RoomClosing, on_room_closing),)
