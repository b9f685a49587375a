"""Parties and their rooms over HTTP. Numbers go out masked; two answers carry a whole one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.kernel.typed import BLANK, SEVERAL, Reason
from cloud.modules.customers.models import Arrears, PartyKind, RoomRole

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Note = Annotated[str, BLANK, StringConstraints(strip_whitespace=True, max_length=200)]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20)]
IdNumber = Annotated[str, StringConstraints(strip_whitespace=True, max_length=30)]
Share = Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)]


class PartyRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site_id: UUID
    site_name: str
    name: str
    kind: str
    phone_masked: str
    id_number_masked: str
    type_id: UUID | None
    type_name: str
    rooms: str
    note: str
    state: str
    version: int


class PartyCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site_id: UUID
    name: Name
    kind: PartyKind
    phone: Annotated[Phone, BLANK] = ""
    id_number: Annotated[IdNumber, BLANK] = ""
    type_id: UUID | None = None
    note: Note = ""


class PartyChange(BaseModel):
    """A number that is left empty stays as it is: it was shown masked."""

    model_config = ConfigDict(extra="forbid")

    version: int
    name: Name
    kind: PartyKind
    phone: Phone | None = None
    id_number: IdNumber | None = None
    type_id: UUID | None = None
    note: Note = ""


class PartyClose(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class PartyChanged(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    version: int


class Revealed(BaseModel):
    """A whole number, for who may see it; the answer is on the audit trail."""

    number: str


class PartyAdded(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str


class RoomPartyCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    room_id: UUID
    role: RoomRole
    share: Share | None = None
    valid_from: date
    valid_to: date | None = None
    is_payer: bool = False
    relation_id: UUID | None = None


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


class RoomRoleRead(BaseModel):
    """A role over time. `state` says whether it holds today, will, or has ended."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    room_id: UUID
    room_name: str
    party_id: UUID
    name: str
    phone_masked: str
    role: str
    relation: str
    share: Decimal | None
    valid_from: date
    last_on: date | None
    is_payer: bool
    state: str


class PartyDetail(PartyRead):
    roles: list[RoomRoleRead]


class RoomPeople(BaseModel):
    """Everybody who has or had a role in a room. `share_total` is of today's owners, null when
    none of them has a share."""

    items: list[RoomRoleRead]
    share_total: Decimal | None


class RoomTransfer(BaseModel):
    """The first of `owners` pays. `shares` are theirs in order, or none at all."""

    model_config = ConfigDict(extra="forbid")

    on: date
    owners: Annotated[list[UUID], Field(max_length=20)]
    shares: Annotated[list[Share], Field(max_length=20), SEVERAL] = []
    arrears: Arrears
    note: Note = ""


class TransferRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    room_id: UUID
    transferred_on: date
    arrears: str
    note: str
