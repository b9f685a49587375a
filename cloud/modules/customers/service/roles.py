"""Giving parties roles in rooms, ending them, and transferring a room to other owners.

The room's row is locked before its roles are read: two clerks giving the same room an owner take
turns.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.bulk import insert_records
from cloud.kernel.catalogue import check_entry
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound, Unprocessable
from cloud.kernel.listing import among
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
    message = "{full_name} is disabled. Give it another state first."


class RoomStillHeld(Conflict):
    message = "{names} still have a role in {full_name}. End those roles first."


class PartyClosedToRoles(Conflict):
    message = "{name} is disabled. Choose another customer, or add a new one."


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


@dataclass
class RolesOfRoom:
    """Everybody's roles in a locked room, by their start, with the party's name."""

    room: Room
    full_name: str = ""  # of a closed room
    held: list[tuple[RoomParty, str]] = field(default_factory=list)

    def give(self, ctx: Ctx, party: Party, tenure: Tenure) -> RoomParty:
        """A further role, which the caller adds. Raises RoomClosedToRoles, PartyClosedToRoles,
        RoleAlreadyHeld, PayerAlreadySet, SharesExceeded and SharesHalfBlank."""
        if self.room.state == RoomState.closed:
            raise RoomClosedToRoles(full_name=self.full_name)
        if party.is_closed:
            raise PartyClosedToRoles(name=party.name)
        self._check_others(party, tenure)
        role = RoomParty(
            **ctx.stamp(self.room.org_id),
            **vars(tenure),
            room_id=self.room.id,
            party_id=party.id,
        )
        self.held.append((role, party.name))
        self.held.sort(key=lambda one: (one[0].valid_from, one[0].id))
        return role

    def _check_others(self, party: Party, tenure: Tenure) -> None:
        others = [
            (role, name)
            for role, name in self.held
            if (role.valid_to is None or role.valid_to > tenure.valid_from)
            and (tenure.valid_to is None or role.valid_from < tenure.valid_to)
        ]
        for role, name in others:
            if role.party_id == party.id and role.role == tenure.role:
                raise RoleAlreadyHeld(name=name, valid_from=role.valid_from)
            if role.is_payer and tenure.is_payer:
                raise PayerAlreadySet(
                    name=name,
                    valid_from=role.valid_from,
                    fields=(FieldError("is_payer", "payer-already-set"),),
                )
        if tenure.role in OWNERS:
            _check_shares([role for role, _ in others if role.role in OWNERS], tenure)


async def roles_of_rooms(ctx: Ctx, room_ids: Collection[UUID]) -> dict[UUID, RolesOfRoom]:
    """Lock the rooms and answer who holds what in them; rooms out of scope are left out."""
    rooms = await ctx.session.execute(
        select(Room)
        .where(among(col(Room.id), room_ids))
        .order_by(col(Room.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    roles = {room.id: RolesOfRoom(room) for room in rooms.scalars()}
    closed = [each.room.id for each in roles.values() if each.room.state == RoomState.closed]
    if closed:  # only these are told by name
        names = await ctx.session.execute(
            select(col(Space.id), col(Space.full_name)).where(among(col(Space.id), closed))
        )
        for room_id, full_name in names:
            roles[room_id].full_name = full_name
    found = await ctx.session.execute(
        select(RoomParty, col(Party.name))
        .join(Party, col(Party.id) == col(RoomParty.party_id))
        .where(among(col(RoomParty.room_id), roles))
        .order_by(col(RoomParty.valid_from), col(RoomParty.id))
    )
    for role, name in found:
        roles[role.room_id].held.append((role, name))
    return roles


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
    roles = (await roles_of_rooms(ctx, [room_id])).get(room_id)
    party = await ctx.get(Party, party_id)
    if roles is None or party.org_id != roles.room.org_id:
        raise NotFound
    await check_entry(ctx, RELATIONS, tenure.relation_id)
    held = roles.give(ctx, party, tenure)
    ctx.session.add(held)
    await audit.record_on(ctx, held, "customers.role.given", after=_told(held))
    return held


async def keep_roles(ctx: Ctx, *, site_id: UUID, roles: Sequence[RoomParty]) -> None:
    """Add roles in one site's rooms that `RolesOfRoom.give` has made."""
    await insert_records(ctx, roles)
    await audit.record_each(
        ctx,
        action="customers.role.given",
        subject_kind="customers.room_party",
        org_id=site_id,
        added=[(held.id, _told(held)) for held in roles],
    )


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
    await audit.record_on(
        ctx,
        held,
        "customers.role.ended",
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


def _check_shares(owners: Sequence[RoomParty], tenure: Tenure) -> None:
    holdings = [Holding(held.share, held.valid_from, held.valid_to) for held in owners]
    holdings.append(Holding(tenure.share, tenure.valid_from, tenure.valid_to))
    over = overbooked_on(holdings)
    if over is not None:
        day, total = over
        raise SharesExceeded(
            on=day, total=f"{total.normalize():f}", fields=(FieldError("share", "shares-exceeded"),)
        )
    half = half_blank_on(holdings)
    if half is not None:
        raise SharesHalfBlank(on=half, fields=(FieldError("share", "shares-half-blank"),))


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


def _told(held: RoomParty) -> dict[str, Any]:
    return {
        "room_id": str(held.room_id),
        "party_id": str(held.party_id),
        "role": RoomRole(held.role).value,
        "share": None if held.share is None else str(held.share),
        "valid_from": str(held.valid_from),
        "is_payer": held.is_payer,
    }
