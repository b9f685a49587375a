"""The rooms with what they lack, and what a transfer of one would come to."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, or_
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import PermissionMissing
from cloud.kernel.listing import Expression, Listing
from cloud.kernel.money import ZERO
from cloud.kernel.ui.language import Tone, TrialLine, TrialLines
from cloud.modules.charging import queries as charging
from cloud.modules.charging.models import Binding
from cloud.modules.charging.permissions import ChargingPermission
from cloud.modules.customers import queries as customers
from cloud.modules.customers.models import OWNERS, Arrears, RoomParty
from cloud.modules.customers.permissions import CustomersPermission
from cloud.modules.customers.queries import RoleState
from cloud.modules.customers.schemas import RoomTransfer
from cloud.modules.receiving.queries.counter import accounts_of_room
from cloud.modules.receiving.queries.profile import bindings_of_room
from cloud.modules.resources import queries as resources
from cloud.modules.resources.models import Room, RoomState, RoomUsage


class Lack(StrEnum):
    """What a room in use should have; the code of its view is `no_` and this."""

    owner = "owner"
    standard = "standard"


SEEN_WITH = {
    Lack.owner: CustomersPermission.party_read,
    Lack.standard: ChargingPermission.binding_read,
}


async def list_rooms(
    ctx: Ctx,
    listing: Listing,
    *,
    usage: RoomUsage | None,
    state: RoomState | None,
    has_area: bool | None,
    lacks: Lack | None,
) -> dict[str, Any]:
    """Raises PermissionMissing when asked for a lack that the caller may not see."""
    may = ctx.principal.permissions
    if lacks is not None and SEEN_WITH[lacks] not in may:
        raise PermissionMissing(permission=SEEN_WITH[lacks].value)
    more = {f"no_{lack}": _lacking(ctx, lack) for lack in Lack if SEEN_WITH[lack] in may}
    return await resources.list_rooms(
        ctx,
        listing,
        usage=usage,
        state=state,
        has_area=has_area,
        more=more,
        only=None if lacks is None else f"no_{lacks}",
    )


def _lacking(ctx: Ctx, lack: Lack) -> Expression:
    """A room that is closed lacks nothing."""
    today = ctx.business_on
    if lack is Lack.owner:
        has = exists().where(
            col(RoomParty.org_id) == col(Room.org_id),
            col(RoomParty.room_id) == col(Room.id),
            col(RoomParty.role).in_(OWNERS),
            col(RoomParty.valid_from) <= today,
            or_(col(RoomParty.valid_to).is_(None), col(RoomParty.valid_to) > today),
        )
    else:
        has = exists().where(
            col(Binding.org_id) == col(Room.org_id),
            col(Binding.room_id) == col(Room.id),
            or_(col(Binding.ends_on).is_(None), col(Binding.ends_on) > today),
        )
    return and_(~has.correlate(Room), col(Room.state) != RoomState.closed)


async def try_transfer(ctx: Ctx, *, room_id: UUID, wanted: RoomTransfer) -> TrialLines:
    """What becomes of a room's bills, prepayments, charges and people when it is transferred.

    Raises NotFound.
    """
    people = await customers.people_of_room(ctx, room_id)
    owners = [one for one in people.items if one.state == RoleState.holds and one.role in OWNERS]
    stay = [one for one in people.items if one.state == RoleState.holds and one not in owners]
    held = await accounts_of_room(ctx, room_id)
    lines = [await _arrears(ctx, room_id, wanted.arrears)]
    back = "stays with {name}: hand it back under Prepayments"
    lines += [
        _line(ctx, "Prepaid", f"{one.balance:,.2f}", back, Tone.warn, name=one.party_name)
        for one in held.accounts
    ]
    kept = "stays with {name} until it is refunded"
    lines += [
        _line(ctx, one.item_name, f"{one.balance:,.2f}", kept, None, name=one.party_name)
        for one in held.deposits
    ]
    going = [one for one in await bindings_of_room(ctx, room_id) if one.state.value != "ended"]
    if going:
        items = ctx.say(", ").join(dict.fromkeys(one.item_name for one in going))
        note = "go on; cycles that begin from {day} on are the new payer's"
        lines.append(_line(ctx, "Charge items", items, note, None, day=wanted.on))
    if stay:
        names = ctx.say(", ").join(one.name for one in stay)
        lines.append(_line(ctx, "Others in the room", names, "stay until their roles end", None))
    return TrialLines(lines=lines)


async def _arrears(ctx: Ctx, room_id: UUID, agreed: Arrears) -> TrialLine:
    amount, bills = (await charging.open_by_room(ctx, [room_id])).get(room_id, (ZERO, 0))
    text = ctx.say("{count} bills, {amount}", count=bills, amount=f"{amount:,.2f}")
    if not bills:
        return _line(ctx, "Open bills", ctx.say("none"), "nothing stands in the way", Tone.ok)
    if agreed is Arrears.settle:
        return _line(ctx, "Open bills", text, "receive them first", Tone.bad)
    return _line(
        ctx, "Open bills", text, "stay with the room: the new owner assumes them", Tone.warn
    )


def _line(
    ctx: Ctx, label: str, text: str, note: str, tone: Tone | None, **params: Any
) -> TrialLine:
    return TrialLine(
        label=ctx.say(label), text=text, result="", note=ctx.say(note, **params), tone=tone
    )
