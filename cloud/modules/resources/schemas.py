"""Buildings and rooms over HTTP."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.modules.resources.models import RoomState, RoomUsage

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Area = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=4)]


class BuildingRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site_id: UUID
    site_name: str
    code: str
    name: str
    units: int
    rooms: int


class RoomRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site_id: UUID
    site_name: str
    path: str
    full_name: str
    building_name: str
    building_area: Decimal | None
    inner_area: Decimal | None
    chargeable_area: Decimal | None
    coefficient: Decimal
    usage: str
    state: str
    handover_on: date | None
    move_in_on: date | None
    version: int


class RoomCounts(BaseModel):
    """How many rooms each site in scope has."""

    counts: dict[UUID, int]


class LookupItem(BaseModel):
    value: str
    label: str


class Lookup(BaseModel):
    items: list[LookupItem]


class BuildingCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site_id: UUID
    code: Code
    name: Name


class UnitCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    building_id: UUID
    code: Code
    name: Name


class RoomCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    parent_id: UUID
    code: Code
    name: Name | None = None
    building_area: Area | None = None
    inner_area: Area | None = None
    chargeable_area: Area | None = None
    coefficient: Annotated[Decimal, Field(gt=0, max_digits=10, decimal_places=4)] = Decimal(1)
    usage: RoomUsage
    state: RoomState
    handover_on: date | None = None
    move_in_on: date | None = None


class SpaceAdded(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    path: str
    full_name: str
