"""Reads of parties and of who they are to a room."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import ARRAY, Date, Uuid, and_, any_, bindparam, case, exists, func, or_, select
from sqlmodel import col

from cloud.kernel.catalogue import entry_name
from cloud.kernel.choices import Choices, fetch_choices
from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.hot import Hot, id_array
from cloud.kernel.listing import (
    Listing,
    Sorting,
    Statement,
    among,
    begins,
    contains,
    count,
    fetch_page,
    starts,
)
from cloud.kernel.masking import masked_id_number, masked_phone
from cloud.kernel.periods import ONE_DAY
from cloud.kernel.search import SearchHit, Wanted
from cloud.modules.customers.models import OWNERS, Party, PartyKind, RoomParty, RoomRole
from cloud.modules.customers.schemas import PartyRead, RoomPeople, RoomRoleRead
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit
from cloud.modules.resources import queries as resources
from cloud.modules.resources.models import Space

FOUND_MAX = 50
ROLES_MAX = 200


class PartyState(StrEnum):
    in_use = "in_use"
    closed = "closed"
    no_phone = "no_phone"
    no_room = "no_room"


class RoleState(StrEnum):
    holds = "holds"
    begins = "begins"
    ended = "ended"


@dataclass(frozen=True)
class PartyOfRoom:
    """A role that holds, with who holds it."""

    id: UUID
    party_id: UUID
    name: str
    role: RoomRole
    phone_masked: str
    share: Decimal | None
    is_payer: bool


def phone_masked() -> Any:
    return masked_phone(col(Party.phone))


def _holds(on: Any) -> Any:
    return and_(
        col(RoomParty.valid_from) <= on,
        or_(col(RoomParty.valid_to).is_(None), col(RoomParty.valid_to) > on),
    )


def _own_party() -> Any:
    return and_(
        col(Party.org_id) == col(RoomParty.org_id), col(Party.id) == col(RoomParty.party_id)
    )


def _payers() -> Statement:
    return (
        select(col(RoomParty.room_id), col(Party.id), col(Party.name))
        .join(Party, _own_party())
        .where(
            col(RoomParty.org_id) == bindparam("site_id", type_=Uuid()),
            col(RoomParty.is_payer),
            _holds(bindparam("day", type_=Date())),
        )
    )


_PAYERS = Hot(_payers(), lambda *row: row)
_PAYERS_OF = Hot(
    _payers().where(col(RoomParty.room_id) == any_(bindparam("room_ids", type_=ARRAY(Uuid())))),
    lambda *row: row,
)


async def payers_on(
    ctx: Ctx, site_id: UUID, on: date, *, room_ids: Collection[UUID] | None = None
) -> dict[UUID, tuple[UUID, str]]:
    """Who pays for each room of a site on a day: room id → (party id, name). No payer, no key.

    `room_ids` asks for some of the rooms only.
    """
    read = _PAYERS if room_ids is None else _PAYERS_OF
    given = {} if room_ids is None else {"room_ids": id_array(room_ids)}
    found = await read.all(ctx.session, site_id=site_id, day=on, **given)
    return {room_id: (party_id, name) for room_id, party_id, name in found}


async def parties_by_name(
    ctx: Ctx, site_id: UUID, names: Collection[str]
) -> dict[tuple[str, str], Party]:
    """The parties of a site by name and phone; of several alike the one that came first."""
    found = await ctx.session.execute(
        select(Party)
        .where(col(Party.org_id) == site_id, among(col(Party.name), names))
        .order_by(col(Party.created_at).desc(), col(Party.id).desc())
    )
    return {(party.name, party.phone): party for party in found.scalars()}


async def parties_of_room(ctx: Ctx, room_id: UUID) -> list[PartyOfRoom]:
    """Everybody with a role in the room today, the payer first. Empty for a room out of scope."""
    found = await ctx.session.execute(
        select(RoomParty, col(Party.name), phone_masked())
        .join(Party, _own_party())
        .where(col(RoomParty.room_id) == room_id, _holds(ctx.business_on))
        .order_by(col(RoomParty.is_payer).desc(), col(RoomParty.valid_from), col(RoomParty.id))
    )
    return [
        PartyOfRoom(
            id=held.id,
            party_id=held.party_id,
            name=name,
            role=RoomRole(held.role),
            phone_masked=phone,
            share=held.share,
            is_payer=held.is_payer,
        )
        for held, name, phone in found
    ]


async def find_rooms_of(
    ctx: Ctx,
    q: str,
    *,
    by: Literal["name", "phone"],
    orgs: Sequence[UUID] | None = None,
    limit: int = 20,
) -> list[UUID]:
    """Rooms of parties whose name or phone begins with `q`, at most `limit`, by community."""
    column = col(Party.name) if by == "name" else col(Party.phone)
    statement = (
        select(col(RoomParty.room_id))
        .join(Party, _own_party())
        .join(Unit, col(Unit.id) == col(RoomParty.org_id))
        .join(
            Space,
            and_(
                col(Space.org_id) == col(RoomParty.org_id), col(Space.id) == col(RoomParty.room_id)
            ),
        )
        .where(begins(column, q), _holds(ctx.business_on))
        .group_by(col(RoomParty.room_id), col(Unit.code), col(Space.sort_key))
        .order_by(col(Unit.code), col(Space.sort_key), col(RoomParty.room_id))
        .limit(min(limit, FOUND_MAX))
    )
    if orgs is not None:
        statement = statement.where(col(RoomParty.org_id).in_(orgs))
    return list((await ctx.session.execute(statement)).scalars())


async def payers_of_rooms(ctx: Ctx, room_ids: Sequence[UUID]) -> dict[UUID, tuple[str, str]]:
    """Today's payers of some rooms: room id → (name, masked phone)."""
    if not room_ids:
        return {}
    found = await ctx.session.execute(
        select(col(RoomParty.room_id), col(Party.name), phone_masked())
        .join(Party, _own_party())
        .where(
            col(RoomParty.room_id).in_(room_ids),
            col(RoomParty.is_payer),
            _holds(ctx.business_on),
        )
    )
    return {room_id: (name, phone) for room_id, name, phone in found}


def _parties(today: date) -> Statement:
    rooms = (
        select(func.string_agg(col(Space.full_name), "、"))
        .select_from(RoomParty)
        .join(
            Space,
            and_(
                col(Space.org_id) == col(RoomParty.org_id), col(Space.id) == col(RoomParty.room_id)
            ),
        )
        .where(
            col(RoomParty.org_id) == col(Party.org_id),
            col(RoomParty.party_id) == col(Party.id),
            _holds(today),
        )
        .correlate(Party)
        .scalar_subquery()
    )
    state = case((col(Party.is_closed), PartyState.closed), else_=PartyState.in_use)
    return (
        select(
            col(Party.id).label("id"),
            col(Party.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(Party.name).label("name"),
            col(Party.kind).label("kind"),
            phone_masked().label("phone_masked"),
            masked_id_number(col(Party.id_number)).label("id_number_masked"),
            col(Party.type_id).label("type_id"),
            func.coalesce(entry_name(col(Party.type_id)), "").label("type_name"),
            func.coalesce(rooms, "").label("rooms"),
            col(Party.note).label("note"),
            state.label("state"),
            col(Party.version).label("version"),
        )
        .select_from(Party)
        .join(Unit, col(Unit.id) == col(Party.org_id))
    )


def _has_room(today: date) -> Any:
    return exists().where(
        col(RoomParty.org_id) == col(Party.org_id),
        col(RoomParty.party_id) == col(Party.id),
        _holds(today),
    )


async def list_parties(
    ctx: Ctx,
    listing: Listing,
    *,
    kind: PartyKind | None = None,
    state: PartyState | None = None,
) -> dict[str, Any]:
    """Parties in use unless `state` asks otherwise; a phone is found by its beginning or its last
    four digits."""
    today = ctx.business_on
    statement = _parties(today)
    statement = await organization.within(ctx, statement, col(Party.org_id), listing.site_id)
    states = {
        PartyState.in_use: ~col(Party.is_closed),
        PartyState.closed: col(Party.is_closed),
        PartyState.no_phone: ~col(Party.is_closed) & (col(Party.phone) == ""),
        PartyState.no_room: ~col(Party.is_closed) & ~_has_room(today),
    }
    views = {
        shown.value: await count(ctx, statement.where(condition))
        for shown, condition in states.items()
    }
    statement = statement.where(states[state or PartyState.in_use])
    if listing.q:
        statement = statement.where(
            or_(
                col(Party.name).like(contains(listing.q)),
                col(Party.phone).like(starts(listing.q)),
                and_(func.length(listing.q) == 4, col(Party.phone).like(f"%{listing.q}")),
            )
        )
    if kind is not None:
        statement = statement.where(col(Party.kind) == kind)
    sorting = Sorting(
        by={"name": col(Party.name), "site_name": col(Unit.name)},
        default="name",
        tie=col(Party.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, views=views, row=PartyRead)


async def read_party(ctx: Ctx, party_id: UUID) -> dict[str, Any]:
    """A party with all of its roles, also those that ended. Raises NotFound."""
    found = await ctx.session.execute(_parties(ctx.business_on).where(col(Party.id) == party_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound
    return {**row, "roles": await _roles(ctx, col(RoomParty.party_id) == party_id)}


async def people_of_room(ctx: Ctx, room_id: UUID) -> RoomPeople:
    """Everybody with a role in a room, today's first. Raises NotFound."""
    await resources.get_room(ctx, room_id)
    roles = await _roles(ctx, col(RoomParty.room_id) == room_id)
    shares = [
        role.share
        for role in roles
        if role.state == RoleState.holds and role.role in OWNERS and role.share is not None
    ]
    return RoomPeople(items=roles, share_total=sum(shares, Decimal(0)) if shares else None)


async def _roles(ctx: Ctx, condition: Any) -> list[RoomRoleRead]:
    today = ctx.business_on
    found = await ctx.session.execute(
        select(
            RoomParty,
            col(Party.name),
            phone_masked(),
            col(Space.full_name),
            func.coalesce(entry_name(col(RoomParty.relation_id)), ""),
        )
        .join(Party, _own_party())
        .join(Space, col(Space.id) == col(RoomParty.room_id))
        .where(condition)
        .order_by(
            _holds(today).desc(),
            col(RoomParty.is_payer).desc(),
            col(RoomParty.valid_from).desc(),
            col(RoomParty.id),
        )
        .limit(ROLES_MAX)
    )
    return [
        RoomRoleRead(
            id=held.id,
            room_id=held.room_id,
            room_name=room_name,
            party_id=held.party_id,
            name=name,
            phone_masked=phone,
            role=held.role,
            relation=relation,
            share=held.share,
            valid_from=held.valid_from,
            last_on=None if held.valid_to is None else held.valid_to - ONE_DAY,
            is_payer=held.is_payer,
            state=_state_of(held, today),
        )
        for held, name, phone, room_name, relation in found
    ]


def _state_of(held: RoomParty, today: date) -> RoleState:
    if held.valid_from > today:
        return RoleState.begins
    if held.valid_to is not None and held.valid_to <= today:
        return RoleState.ended
    return RoleState.holds


async def lookup_parties(ctx: Ctx, q: str, *, site_id: UUID | None) -> Choices:
    """Parties in use as the choices of a form field, told apart by their masked phones."""
    statement = (
        select(col(Party.id), func.concat(col(Party.name), " ", phone_masked()))
        .where(
            ~col(Party.is_closed),
            or_(col(Party.name).like(contains(q)), col(Party.phone).like(starts(q))),
        )
        .order_by(col(Party.name), col(Party.id))
    )
    statement = await organization.within(ctx, statement, col(Party.org_id), site_id)
    return await fetch_choices(ctx, statement)


async def search(ctx: Ctx, wanted: Wanted) -> list[SearchHit]:
    """People whose name, phone or initials begin with what was typed, with their rooms."""
    ways = [begins(col(Party.name), wanted.text)]
    if wanted.text.isdigit():
        ways.append(begins(col(Party.phone), wanted.text))
    if wanted.initials:
        ways.append(begins(col(Party.initials), wanted.initials))
    statement = (
        select(
            col(Party.id).label("id"),
            col(Party.name).label("name"),
            phone_masked().label("phone"),
            col(Unit.name).label("site"),
        )
        .select_from(Party)
        .join(Unit, col(Unit.id) == col(Party.org_id))
        .where(or_(*ways))
        .order_by(col(Party.name), col(Party.id))
        .limit(wanted.limit)
    )
    if wanted.orgs is not None:
        statement = statement.where(col(Party.org_id).in_(wanted.orgs))
    found = (await ctx.session.execute(statement)).mappings().all()
    rooms = await _rooms_of_parties(ctx, [row["id"] for row in found])
    return [
        SearchHit(
            key=str(row["id"]),
            title=row["name"],
            note=" · ".join(
                part for part in (rooms.get(row["id"], ""), row["phone"], row["site"]) if part
            ),
            path=f"/p/customers.parties?q={quote(row['name'])}&id={row['id']}",
        )
        for row in found
    ]


async def _rooms_of_parties(ctx: Ctx, party_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Each party's rooms of today as one text."""
    found = await ctx.session.execute(
        select(col(RoomParty.party_id), func.string_agg(col(Space.full_name).distinct(), "、"))
        .join(
            Space,
            and_(
                col(Space.org_id) == col(RoomParty.org_id), col(Space.id) == col(RoomParty.room_id)
            ),
        )
        .where(col(RoomParty.party_id).in_(party_ids), _holds(ctx.business_on))
        .group_by(col(RoomParty.party_id))
    )
    return {row[0]: row[1] for row in found}
