"""What a room must have settled before others change it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError
from cloud.kernel.money import ZERO
from cloud.kernel.periods import ONE_DAY
from cloud.modules.charging.models import Bill, Binding, Item, Method
from cloud.modules.charging.queries import open_by_room


class RoomOwes(Conflict):
    message = (
        "{full_name} has {bills} open bills of {amount} yuan together. Receive or reverse them"
        " first."
    )


class RoomStillCharged(Conflict):
    message = "{full_name} is still charged for {items}. End those bindings first."


class AreaBilledBeyond(Conflict):
    message = (
        "The room is billed by area until {last}. Let the new area hold from {first} on, or"
        " reverse those bills first."
    )


async def check_room_owes_nothing(ctx: Ctx, *, room_id: UUID, full_name: str) -> None:
    """Raises RoomOwes."""
    amount, bills = (await open_by_room(ctx, [room_id])).get(room_id, (ZERO, 0))
    if bills:
        raise RoomOwes(full_name=full_name, bills=bills, amount=f"{amount:,.2f}")


async def check_room_unbound(ctx: Ctx, *, room_id: UUID, full_name: str) -> None:
    """Raises RoomStillCharged while a standard holds for the room."""
    found = await ctx.session.execute(
        select(col(Item.name))
        .join(Binding, col(Binding.item_id) == col(Item.id))
        .where(
            col(Binding.room_id) == room_id,
            or_(col(Binding.ends_on).is_(None), col(Binding.ends_on) > ctx.business_on),
        )
        .distinct()
        .order_by(col(Item.name))
    )
    items = list(found.scalars())
    if items:
        raise RoomStillCharged(full_name=full_name, items="、".join(items))


async def check_area_unbilled(ctx: Ctx, *, room_id: UUID, valid_from: date) -> None:
    """Raises AreaBilledBeyond: a published bill keeps the area that it was computed from."""
    found = await ctx.session.execute(
        select(func.max(col(Bill.period_to))).where(
            col(Bill.room_id) == room_id, col(Bill.snapshot)["method"].astext == Method.area.value
        )
    )
    until = found.scalar_one()
    if until is not None and until > valid_from:
        raise AreaBilledBeyond(
            last=until - ONE_DAY,
            first=until,
            fields=(FieldError("valid_from", "area-billed-beyond"),),
        )
