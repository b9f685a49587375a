"""What charging has to say before others close, measure anew or hand over what is billed."""

from __future__ import annotations

from cloud.kernel.context import Ctx
from cloud.kernel.events import Handler
from cloud.modules.charging import service
from cloud.modules.customers.events import RoomTransferring
from cloud.modules.ledger.events import MonthClosing
from cloud.modules.organization.events import UnitClosing
from cloud.modules.resources.events import AreaChanging, RoomClosing


async def on_room_closing(ctx: Ctx, event: RoomClosing) -> None:
    await service.check_room_owes_nothing(ctx, room_id=event.room_id, full_name=event.full_name)
    await service.check_room_unbound(ctx, room_id=event.room_id, full_name=event.full_name)


async def on_area_changing(ctx: Ctx, event: AreaChanging) -> None:
    await service.check_area_unbilled(ctx, room_id=event.room_id, valid_from=event.valid_from)


async def on_room_transferring(ctx: Ctx, event: RoomTransferring) -> None:
    if not event.assumes_arrears:
        await service.check_room_owes_nothing(ctx, room_id=event.room_id, full_name=event.full_name)


HANDLERS: tuple[tuple[type, Handler], ...] = (
    (UnitClosing, service.refuse_site_with_open_bills),
    (RoomClosing, on_room_closing),
    (AreaChanging, on_area_changing),
    (RoomTransferring, on_room_transferring),
    (MonthClosing, service.earn_month),
)
