"""过户: on one day all owners of a room end and others begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound, Unprocessable
from cloud.modules.customers.events import RoomTransferring
from cloud.modules.customers.models import OWNERS, Arrears, Party, RoomParty, RoomRole, Transfer
from cloud.modules.customers.rules import (
    ARREARS_LABELS,
    WHOLE,
    Holding,
    short_on,
)
from cloud.modules.customers.service.roles import (
    SharesShort,
    Tenure,
    attach_party,
)
from cloud.modules.resources import service as resources
from cloud.modules.resources.models import Room, RoomEventKind, Space


class NobodyTakesOver(Unprocessable):
    message = "Name at least one new owner."


class OwnersSinceThen(Conflict):
    message = "{name} owns the room only since {valid_from}. Choose a later day."


class OwnsItAlready(Conflict):
    message = "{name} is the only owner already. Choose whom the room goes to."


class SharesUnmatched(Unprocessable):
    message = "There are {owners} owners and {shares} shares. Give each owner a share, or none."


@dataclass(frozen=True)
class _NewOwner:
    party_id: UUID
    share: Decimal | None


async def transfer_room(
    ctx: Ctx,
    *,
    room_id: UUID,
    on: date,
    owners: Sequence[UUID],
    arrears: Arrears,
    shares: Sequence[Decimal] = (),
    note: str = "",
) -> Transfer:
    """The first of `owners` is the owner and pays, the others are co-owners. `shares` are theirs in
    order; an only owner without one has the whole.

    What is open stays with the room: settled before, or assumed by the new owner. Tenants and
    family stay until somebody ends their roles. Raises NotFound, NobodyTakesOver, SharesUnmatched,
    OwnersSinceThen, OwnsItAlready, SharesShort, what attach_party raises, and what modules above
    refuse about arrears.
    """
    coming = _coming(owners, shares)
    room = await ctx.get(Room, room_id, lock=True)
    space = await ctx.get(Space, room_id)
    await ctx.announce(
        RoomTransferring(
            room_id=room.id,
            full_name=space.full_name,
            assumes_arrears=arrears is Arrears.assume,
        )
    )
    for party_id in owners:
        if (await ctx.get(Party, party_id)).org_id != room.org_id:
            raise NotFound(fields=(FieldError("owners", "not-found"),))
    _check_shares(coming, on)
    left = await _end_owners(ctx, room, on=on, coming=set(owners))
    await ctx.session.flush()  # the payer's place is free before the next one takes it
    for number, owner in enumerate(coming):
        await attach_party(
            ctx,
            room_id=room.id,
            party_id=owner.party_id,
            tenure=Tenure(
                role=RoomRole.co_owner if number else RoomRole.owner,
                valid_from=on,
                share=owner.share,
                is_payer=not number,
            ),
        )
    transfer = Transfer(
        **ctx.stamp(room.org_id), room_id=room.id, transferred_on=on, arrears=arrears, note=note
    )
    ctx.session.add(transfer)
    came = [(await ctx.get(Party, party_id)).name for party_id in owners]
    agreed = ctx.say(ARREARS_LABELS[arrears][0])
    story = f"{'、'.join(left) or '–'} → {'、'.join(came)} · {agreed}"
    await resources.record_event(
        ctx, room, RoomEventKind.transferred, on=on, note=f"{story} · {note}" if note else story
    )
    await audit.record_on(
        ctx,
        room,
        "customers.room.transferred",
        before={"owners": left},
        after={"owners": came, "on": str(on), "arrears": arrears.value},
        reason=note,
    )
    return transfer


def _coming(owners: Sequence[UUID], shares: Sequence[Decimal]) -> list[_NewOwner]:
    if not owners:
        raise NobodyTakesOver(fields=(FieldError("owners", "nobody-takes-over"),))
    if not shares:
        given = [WHOLE if len(owners) == 1 else None] * len(owners)
    elif len(shares) == len(owners):
        given = list(shares)
    else:
        params = {"owners": len(owners), "shares": len(shares)}
        raise SharesUnmatched(fields=(FieldError("shares", "shares-unmatched", params),), **params)
    return [_NewOwner(*pair) for pair in zip(owners, given, strict=True)]


def _check_shares(owners: Sequence[_NewOwner], on: date) -> None:
    holdings = [Holding(owner.share, on, None) for owner in owners]
    short = short_on(holdings)
    if short is not None:
        day, total = short
        raise SharesShort(
            on=day, total=f"{total.normalize():f}", fields=(FieldError("shares", "shares-short"),)
        )


async def _end_owners(ctx: Ctx, room: Room, *, on: date, coming: set[UUID]) -> list[str]:
    """End every owner's role and every payer's on the day; answers the owners' names."""
    found = await ctx.session.execute(
        select(RoomParty, col(Party.name))
        .join(Party, col(Party.id) == col(RoomParty.party_id))
        .where(
            col(RoomParty.room_id) == room.id,
            or_(col(RoomParty.role).in_(OWNERS), col(RoomParty.is_payer)),
            or_(col(RoomParty.valid_to).is_(None), col(RoomParty.valid_to) > on),
        )
        .order_by(col(RoomParty.valid_from), col(RoomParty.id))
    )
    held = list(found)
    names = [name for role, name in held if role.role in OWNERS]
    if coming == {role.party_id for role, _ in held if role.role in OWNERS} and len(coming) == 1:
        raise OwnsItAlready(name=names[0], fields=(FieldError("owners", "owns-it-already"),))
    for role, name in held:
        if role.valid_from >= on:
            raise OwnersSinceThen(
                name=name,
                valid_from=role.valid_from,
                fields=(FieldError("on", "owners-since-then"),),
            )
        role.valid_to = on
        role.version += 1
    return names
