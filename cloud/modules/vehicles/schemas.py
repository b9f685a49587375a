"""Vehicles over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from cloud.kernel.typed import BLANK, Reason
from cloud.modules.vehicles.models import PlateType

Plate = Annotated[str, BLANK, StringConstraints(strip_whitespace=True, max_length=20)]
Brand = Annotated[str, BLANK, StringConstraints(strip_whitespace=True, max_length=40)]
Color = Annotated[str, BLANK, StringConstraints(strip_whitespace=True, max_length=20)]
Note = Annotated[str, BLANK, StringConstraints(strip_whitespace=True, max_length=200)]


class VehicleRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site_id: UUID
    site_name: str
    plate: str
    plate_type: str
    room_id: UUID | None
    room_name: str
    party_id: UUID | None
    party_name: str
    brand: str
    color: str
    note: str
    closed_on: date | None
    state: str
    version: int


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    plate: Plate = ""
    plate_type: PlateType
    room_id: UUID | None = None
    party_id: UUID | None = None
    brand: Brand = ""
    color: Color = ""
    note: Note = ""


class VehicleCreate(_Facts):
    site_id: UUID


class VehicleChange(_Facts):
    version: int


class VehicleClose(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class VehicleSaved(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    plate: str
    version: int
