"""Adding, changing and closing parties, and revealing what is masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.bulk import insert_records, insert_rows
from cloud.kernel.catalogue import check_entry
from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.kernel.errors import Conflict, Unprocessable
from cloud.kernel.initials import initials
from cloud.modules.customers.models import Party, PartyKind, RoomParty
from cloud.modules.customers.rules import CUSTOMER_TYPES
from cloud.modules.customers.schemas import Revealed
from cloud.modules.organization import queries as organization
from cloud.modules.resources.models import Space

PARTIES_MAX = 5_000


class PartyStillHolds(Conflict):
    message = "{name} still has a role in {rooms}. End those roles, or transfer the rooms first."


class TooManyParties(Unprocessable):
    message = "{count} customers at once, at most {most}. Send them in parts."


@dataclass(frozen=True)
class NewParty:
    name: str
    kind: PartyKind = PartyKind.person
    phone: str = ""
    note: str = ""
    id_number: str = ""
    type_id: UUID | None = None


async def add_party(
    ctx: Ctx,
    *,
    site_id: UUID,
    name: str,
    kind: PartyKind,
    phone: str = "",
    note: str = "",
    id_number: str = "",
    type_id: UUID | None = None,
) -> Party:
    """Raises NotFound, ProjectNotYours, PickAProject and EntryNotOffered."""
    site = await organization.get_site(ctx, site_id)
    await check_entry(ctx, CUSTOMER_TYPES, type_id)
    party = Party(
        **ctx.stamp(site.id),
        name=name,
        kind=kind,
        phone=phone,
        note=note,
        id_number=id_number,
        type_id=type_id,
    )
    ctx.session.add(party)
    await audit.record_on(ctx, party, "customers.party.added", after=_told(party))
    return party


async def keep_parties(ctx: Ctx, *, site_id: UUID, parties: Sequence[Party]) -> None:
    """Add parties of one site that the caller has made, each with its own audit row."""
    for party in parties:
        party.initials = initials(party.name)
    await insert_records(ctx, parties)
    await audit.record_each(
        ctx,
        action="customers.party.added",
        subject_kind="customers.party",
        org_id=site_id,
        added=[(party.id, _told(party)) for party in parties],
    )


async def add_parties(ctx: Ctx, *, site_id: UUID, rows: Sequence[NewParty]) -> list[UUID]:
    """Add parties of one site in one statement; answers their ids in the order of `rows`.

    Raises NotFound, ProjectNotYours, PickAProject, TooManyParties and EntryNotOffered.
    """
    if len(rows) > PARTIES_MAX:
        raise TooManyParties(count=len(rows), most=PARTIES_MAX)
    site = await organization.get_site(ctx, site_id)
    for type_id in {row.type_id for row in rows}:
        await check_entry(ctx, CUSTOMER_TYPES, type_id)
    stamp = ctx.stamp(site.id)
    ids = [uuid7() for _ in rows]
    await insert_rows(
        ctx,
        "customers_party",
        [
            "id", *stamp, "version", "name", "kind", "phone", "note", "id_number", "type_id",
            "is_closed", "initials",
        ],
        [
            (
                party_id, *stamp.values(), 1, row.name, row.kind.value, row.phone, row.note,
                row.id_number, row.type_id, False, initials(row.name),
            )
            for party_id, row in zip(ids, rows, strict=True)
        ],
    )  # fmt: skip
    await audit.record(
        ctx,
        action="customers.parties.added",
        subject_kind="customers.party",
        subject_id=None,
        org_id=site.id,
        after={"count": len(rows)},
    )
    return ids


async def change_party(
    ctx: Ctx,
    *,
    party_id: UUID,
    version: int,
    name: str,
    kind: PartyKind,
    phone: str | None = None,
    id_number: str | None = None,
    note: str = "",
    type_id: UUID | None = None,
) -> Party:
    """A phone or an id number of None stays as it is: whoever changes the rest has seen it masked.

    Raises NotFound, StaleVersion and EntryNotOffered.
    """
    party = await ctx.get(Party, party_id, lock=True, version=version)
    if type_id != party.type_id:
        await check_entry(ctx, CUSTOMER_TYPES, type_id)
    before = {"name": party.name, "kind": str(party.kind), "note": party.note}
    touched = [
        key
        for key, wanted in (("phone", phone), ("id_number", id_number))
        if wanted is not None and wanted != getattr(party, key)
    ]
    party.name, party.kind, party.note, party.type_id = name, kind, note, type_id
    if phone is not None:
        party.phone = phone
    if id_number is not None:
        party.id_number = id_number
    party.version += 1
    # Numbers are private also from the trail: it tells that they changed.
    after = {"name": name, "kind": kind.value, "note": note, "changed": touched}
    await audit.record_on(ctx, party, "customers.party.changed", before=before, after=after)
    return party


async def close_party(ctx: Ctx, *, party_id: UUID, reason: str) -> Party:
    """Take a party without a role off the lists; bills and history keep it. Raises NotFound and
    PartyStillHolds."""
    party = await ctx.get(Party, party_id, lock=True)
    found = await ctx.session.execute(
        select(col(Space.full_name))
        .join(RoomParty, col(RoomParty.room_id) == col(Space.id))
        .where(
            col(RoomParty.party_id) == party.id,
            or_(col(RoomParty.valid_to).is_(None), col(RoomParty.valid_to) > ctx.business_on),
        )
        .distinct()
    )
    rooms = sorted(found.scalars())
    if rooms:
        raise PartyStillHolds(name=party.name, rooms="、".join(rooms))
    party.is_closed = True
    party.version += 1
    await audit.record_on(ctx, party, "customers.party.closed", reason=reason)
    return party


async def reveal_phone(ctx: Ctx, *, party_id: UUID) -> Revealed:
    """The whole number. Who looked is recorded with the answer. Raises NotFound."""
    party = await ctx.get(Party, party_id)
    await audit.record_on(ctx, party, "customers.phone.revealed")
    return Revealed(number=party.phone)


async def reveal_id_number(ctx: Ctx, *, party_id: UUID) -> Revealed:
    """As reveal_phone."""
    party = await ctx.get(Party, party_id)
    await audit.record_on(ctx, party, "customers.id_number.revealed")
    return Revealed(number=party.id_number)


def _told(party: Party) -> dict[str, Any]:
    return {"name": party.name, "kind": PartyKind(party.kind).value}
