"""Giving parties roles in rooms, ending them, and transferring a room to other owners.

The room's row is locked before its roles are read: two clerks giving the same room an owner take
turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.catalogue import check_entry
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound, Unprocessable
from cloud.modules.customers.models import OWNERS, Party, RoomParty, RoomRole
from cloud.modules.customers.rules import (
    RELATIONS,
    Holding,
    half_blank_on,
    overbooked_on,
    short_on,
)
from cloud.modules.resources.models import Room, RoomState, Space


class SharesExceeded(Conflict):
    message = (
        "The owners' shares would be {total} % from {on}. End an earlier role, or lower the share."
    )


class SharesHalfBlank(Conflict):
    message = "From {on} some owners would have a share and others none. Give all of them one."


class PayerAlreadySet(Conflict):
    message = "{name} already pays for this room from {valid_from}. End that role first."


class RoleAlreadyHeld(Conflict):
    message = "{name} already has this role in the room from {valid_from}."


class SharesShort(Conflict):
    message = (
        "From {on} the owners' shares would be {total} %, not 100. Raise a share, or transfer the"
        " room: then the old and the new shares change on one day."
    )


class RoomClosedToRoles(Conflict):
    message = "{full_name} is closed. Give it another state first."


class RoomStillHeld(Conflict):
    message = "{names} still have a role in {full_name}. End those roles first."


class PartyClosedToRoles(Conflict):
    message = "{name} is closed. Choose another customer, or add a new one."


class EndBeforeStart(Unprocessable):
    message = "The end must be after the start ({valid_from})."


@dataclass(frozen=True)
class Tenure:
    """How a party holds a role: half-open in time; the share in percent is of owners only."""

    role: RoomRole
    valid_from: date
    valid_to: date | None = None
    share: Decimal | None = None
    is_payer: bool = False
    relation_id: UUID | None = None


async def attach_party(ctx: Ctx, *, room_id: UUID, party_id: UUID, tenure: Tenure) -> RoomParty:
    """Give the party a role in the room. Raises NotFound, also for a party of another community,
    EndBeforeStart, RoomClosedToRoles, PartyClosedToRoles, RoleAlreadyHeld, PayerAlreadySet,
    SharesExceeded, SharesHalfBlank and EntryNotOffered.

    Shares below 100 are taken: co-owners are added one by one; the room's page says what is short.
    """
    if tenure.valid_to is not None and tenure.valid_to <= tenure.valid_from:
        raise EndBeforeStart(
            valid_from=tenure.valid_from, fields=(FieldError("valid_to", "end-before-start"),)
        )
    room = await ctx.get(Room, room_id, lock=True)
    party = await ctx.get(Party, party_id)
    if party.org_id != room.org_id:
        raise NotFound
    if room.state == RoomState.closed:
        raise RoomClosedToRoles(full_name=(await ctx.get(Space, room_id)).full_name)
    if party.is_closed:
        raise PartyClosedToRoles(name=party.name)
    await check_entry(ctx, RELATIONS, tenure.relation_id)
    await _check_against_others(ctx, room, party, tenure)
    held = RoomParty(
        **ctx.stamp(room.org_id),
        room_id=room.id,
        party_id=party.id,
        role=tenure.role,
        share=tenure.share,
        valid_from=tenure.valid_from,
        valid_to=tenure.valid_to,
        is_payer=tenure.is_payer,
        relation_id=tenure.relation_id,
    )
    ctx.session.add(held)
    await audit.record(
        ctx,
        action="customers.role.given",
        subject_kind="customers.room_party",
        subject_id=held.id,
        org_id=room.org_id,
        after={
            "room_id": str(room.id),
            "party_id": str(party.id),
            "role": tenure.role.value,
            "share": None if tenure.share is None else str(tenure.share),
            "valid_from": str(tenure.valid_from),
            "is_payer": tenure.is_payer,
        },
    )
    return held


async def end_role(ctx: Ctx, *, room_party_id: UUID, ends_on: date) -> RoomParty:
    """The role holds until the day before `ends_on`.

    Raises NotFound, EndBeforeStart, and SharesShort where the other owners would be left with less
    than the whole that all of them had.
    """
    held = await ctx.get(RoomParty, room_party_id)
    await ctx.get(Room, held.room_id, lock=True)
    held = await ctx.get(RoomParty, room_party_id, lock=True)
    if ends_on <= held.valid_from:
        raise EndBeforeStart(
            valid_from=held.valid_from, fields=(FieldError("ends_on", "end-before-start"),)
        )
    if held.role in OWNERS:
        await _check_rest_is_whole(ctx, held, ends_on)
    before = held.valid_to
    held.valid_to = ends_on
    held.version += 1
    await audit.record(
        ctx,
        action="customers.role.ended",
        subject_kind="customers.room_party",
        subject_id=held.id,
        org_id=held.org_id,
        before={"valid_to": None if before is None else str(before)},
        after={"valid_to": str(ends_on)},
    )
    return held


async def _check_rest_is_whole(ctx: Ctx, ending: RoomParty, ends_on: date) -> None:
    """What was short before may be ended, so that it can be mended."""
    found = await ctx.session.execute(
        select(RoomParty).where(
            col(RoomParty.room_id) == ending.room_id, col(RoomParty.role).in_(OWNERS)
        )
    )
    roles = list(found.scalars())
    until_now = [Holding(held.share, held.valid_from, held.valid_to) for held in roles]
    after = [
        Holding(held.share, held.valid_from, ends_on if held is ending else held.valid_to)
        for held in roles
    ]
    short = short_on(after, start=ends_on)
    if short is not None and short_on(until_now, start=ends_on) is None:
        day, total = short
        raise SharesShort(
            on=day, total=f"{total.normalize():f}", fields=(FieldError("ends_on", "shares-short"),)
        )


async def _check_against_others(ctx: Ctx, room: Room, party: Party, tenure: Tenure) -> None:
    others = await _overlapping(ctx, room.id, tenure)
    for held, name in others:
        if held.party_id == party.id and held.role == tenure.role:
            raise RoleAlreadyHeld(name=name, valid_from=held.valid_from)
        if held.is_payer and tenure.is_payer:
            raise PayerAlreadySet(
                name=name,
                valid_from=held.valid_from,
                fields=(FieldError("is_payer", "payer-already-set"),),
            )
    if tenure.role not in OWNERS:
        return
    holdings = [
        Holding(held.share, held.valid_from, held.valid_to)
        for held, _ in others
        if held.role in OWNERS
    ]
    holdings.append(Holding(tenure.share, tenure.valid_from, tenure.valid_to))
    over = overbooked_on(holdings)
    if over is not None:
        day, total = over
        raise SharesExceeded(
            on=day, total=f"{total.normalize():f}", fields=(FieldError("share", "shares-exceeded"),)
        )
    day_half = half_blank_on(holdings)
    if day_half is not None:
        raise SharesHalfBlank(on=day_half, fields=(FieldError("share", "shares-half-blank"),))


async def _overlapping(ctx: Ctx, room_id: UUID, tenure: Tenure) -> list[tuple[RoomParty, str]]:
    statement = (
        select(RoomParty, col(Party.name))
        .join(Party, col(Party.id) == col(RoomParty.party_id))
        .where(
            col(RoomParty.room_id) == room_id,
            or_(col(RoomParty.valid_to).is_(None), col(RoomParty.valid_to) > tenure.valid_from),
        )
        .order_by(col(RoomParty.valid_from), col(RoomParty.id))
    )
    if tenure.valid_to is not None:
        statement = statement.where(col(RoomParty.valid_from) < tenure.valid_to)
    return [(held, name) for held, name in await ctx.session.execute(statement)]


async def check_nobody_holds(ctx: Ctx, *, room_id: UUID, full_name: str) -> None:
    """Raises RoomStillHeld while somebody has a role in the room."""
    found = await ctx.session.execute(
        select(col(Party.name))
        .join(RoomParty, col(RoomParty.party_id) == col(Party.id))
        .where(
            col(RoomParty.room_id) == room_id,
            or_(col(RoomParty.valid_to).is_(None), col(RoomParty.valid_to) > ctx.business_on),
        )
        .distinct()
        .order_by(col(Party.name))
    )
    names = list(found.scalars())
    if names:
        raise RoomStillHeld(full_name=full_name, names="、".join(names))
