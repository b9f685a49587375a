"""Parties and their rooms over HTTP. No schema here carries a whole phone number."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.modules.customers.models import PartyKind, RoomRole


class PartyRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site_id: UUID
    site_name: str
    name: str
    kind: str
    phone_masked: str
    rooms: str
    note: str


class PartyCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site_id: UUID
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    kind: PartyKind
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20)] = ""
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""


class PartyAdded(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str


class RoomPartyCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    room_id: UUID
    role: RoomRole
    share: Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)] | None = None
    valid_from: date
    valid_to: date | None = None
    is_payer: bool = False


class RoomPartyEnd(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ends_on: date


class RoomPartyRead(BaseModel):
    """Half-open: `valid_to` is the first day on which the role holds no more."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    room_id: UUID
    party_id: UUID
    role: str
    share: Decimal | None
    valid_from: date
    valid_to: date | None
    is_payer: bool
