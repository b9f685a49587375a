"""Adding parties, giving them roles in rooms, and revealing a phone number.

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
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound, Unprocessable
from cloud.modules.customers.models import OWNERS, Party, PartyKind, RoomParty, RoomRole
from cloud.modules.customers.rules import Holding, half_blank_on, overbooked_on
from cloud.modules.organization import queries as organization
from cloud.modules.resources.models import Room


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


async def add_party(
    ctx: Ctx, *, site_id: UUID, name: str, kind: PartyKind, phone: str = "", note: str = ""
) -> Party:
    """Raises NotFound, ProjectNotYours and PickAProject."""
    site = await organization.get_site(ctx, site_id)
    party = Party(**ctx.stamp(site.id), name=name, kind=kind, phone=phone, note=note)
    ctx.session.add(party)
    await audit.record(
        ctx,
        action="customers.party.added",
        subject_kind="customers.party",
        subject_id=party.id,
        org_id=site.id,
        after={"name": name, "kind": kind.value},
    )
    return party


async def attach_party(ctx: Ctx, *, room_id: UUID, party_id: UUID, tenure: Tenure) -> RoomParty:
    """Give the party a role in the room. Raises NotFound, also for a party of another community,
    EndBeforeStart, RoleAlreadyHeld, PayerAlreadySet, SharesExceeded and SharesHalfBlank."""
    if tenure.valid_to is not None and tenure.valid_to <= tenure.valid_from:
        raise EndBeforeStart(
            valid_from=tenure.valid_from, fields=(FieldError("valid_to", "end-before-start"),)
        )
    room = await ctx.get(Room, room_id, lock=True)
    party = await ctx.get(Party, party_id)
    if party.org_id != room.org_id:
        raise NotFound
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
    """The role holds until the day before `ends_on`. Raises NotFound and EndBeforeStart."""
    held = await ctx.get(RoomParty, room_party_id, lock=True)
    if ends_on <= held.valid_from:
        raise EndBeforeStart(
            valid_from=held.valid_from, fields=(FieldError("ends_on", "end-before-start"),)
        )
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


async def reveal_phone(ctx: Ctx, *, party_id: UUID) -> str:
    """The whole number. Who looked is recorded with the answer. Raises NotFound."""
    party = await ctx.get(Party, party_id)
    await audit.record(
        ctx,
        action="customers.phone.revealed",
        subject_kind="customers.party",
        subject_id=party.id,
        org_id=party.org_id,
    )
    return party.phone


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
