"""JSON routes of parties and their roles in rooms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from cloud.kernel.listing import Listed, Page
from cloud.modules.customers import queries, service
from cloud.modules.customers.models import Party, PartyKind, RoomParty
from cloud.modules.customers.permissions import ReadParties, WriteParties
from cloud.modules.customers.schemas import (
    PartyAdded,
    PartyCreate,
    PartyRead,
    RoomPartyCreate,
    RoomPartyEnd,
    RoomPartyRead,
)
from cloud.modules.customers.service import Tenure

router = APIRouter(prefix="/api/v1/customers", tags=["customers"])


@router.get("/parties", response_model=Page[PartyRead])
async def list_parties(
    ctx: ReadParties, listing: Listed, kind: PartyKind | None = None
) -> dict[str, Any]:
    return await queries.list_parties(ctx, listing, kind=kind)


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
