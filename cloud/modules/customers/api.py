"""JSON routes of parties and their roles in rooms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from cloud.kernel.choices import Choices, Typed
from cloud.kernel.listing import Listed, Page
from cloud.modules.customers import queries, service
from cloud.modules.customers.models import Party, PartyKind, RoomParty, Transfer
from cloud.modules.customers.permissions import ReadParties, RevealPhones, WriteParties
from cloud.modules.customers.queries import PartyState
from cloud.modules.customers.schemas import (
    PartyAdded,
    PartyChange,
    PartyChanged,
    PartyClose,
    PartyCreate,
    PartyDetail,
    PartyRead,
    Revealed,
    RoomPartyCreate,
    RoomPartyEnd,
    RoomPartyRead,
    RoomPeople,
    RoomTransfer,
    TransferRead,
)
from cloud.modules.customers.service import Tenure

router = APIRouter(prefix="/api/v1/customers", tags=["customers"])


@router.get("/parties", response_model=Page[PartyRead])
async def list_parties(
    ctx: ReadParties,
    listing: Listed,
    kind: PartyKind | None = None,
    state: PartyState | None = None,
) -> dict[str, Any]:
    return await queries.list_parties(ctx, listing, kind=kind, state=state)


@router.get("/lookup/parties", response_model=Choices)
async def lookup_parties(
    ctx: ReadParties,
    q: Typed = "",
    site_id: UUID | None = None,
) -> Choices:
    return await queries.lookup_parties(ctx, q, site_id=site_id)


@router.get("/parties/{party_id}", response_model=PartyDetail)
async def read_party(ctx: ReadParties, party_id: UUID) -> dict[str, Any]:
    return await queries.read_party(ctx, party_id)


@router.get("/rooms/{room_id}/people", response_model=RoomPeople)
async def people_of_room(ctx: ReadParties, room_id: UUID) -> RoomPeople:
    return await queries.people_of_room(ctx, room_id)


@router.post("/parties", response_model=PartyAdded, status_code=201)
async def add_party(ctx: WriteParties, wanted: PartyCreate) -> Party:
    return await service.add_party(ctx, **wanted.model_dump())


@router.post("/parties/{party_id}/rooms", response_model=RoomPartyRead, status_code=201)
async def attach_party(ctx: WriteParties, party_id: UUID, wanted: RoomPartyCreate) -> RoomParty:
    return await service.attach_party(
        ctx,
        room_id=wanted.room_id,
        party_id=party_id,
        tenure=Tenure(**wanted.model_dump(exclude={"room_id"})),
    )


@router.post("/roles/{room_party_id}/end", response_model=RoomPartyRead)
async def end_role(ctx: WriteParties, room_party_id: UUID, wanted: RoomPartyEnd) -> RoomParty:
    return await service.end_role(ctx, room_party_id=room_party_id, ends_on=wanted.ends_on)


@router.patch("/parties/{party_id}", response_model=PartyChanged)
async def change_party(ctx: WriteParties, party_id: UUID, wanted: PartyChange) -> Party:
    return await service.change_party(ctx, party_id=party_id, **wanted.model_dump())


@router.post("/parties/{party_id}/close", response_model=PartyChanged)
async def close_party(ctx: WriteParties, party_id: UUID, wanted: PartyClose) -> Party:
    return await service.close_party(ctx, party_id=party_id, reason=wanted.reason)


@router.post("/parties/{party_id}/phone", response_model=Revealed)
async def reveal_phone(ctx: RevealPhones, party_id: UUID) -> Revealed:
    return await service.reveal_phone(ctx, party_id=party_id)


@router.post("/parties/{party_id}/id-number", response_model=Revealed)
async def reveal_id_number(ctx: RevealPhones, party_id: UUID) -> Revealed:
    return await service.reveal_id_number(ctx, party_id=party_id)


@router.post("/rooms/{room_id}/transfers", response_model=TransferRead, status_code=201)
async def transfer_room(ctx: WriteParties, room_id: UUID, wanted: RoomTransfer) -> Transfer:
    return await service.transfer_room(
        ctx,
        room_id=room_id,
        on=wanted.on,
        owners=wanted.owners,
        shares=wanted.shares,
        arrears=wanted.arrears,
        note=wanted.note,
    )
