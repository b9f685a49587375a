"""Meters and readings over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Shown = Annotated[Decimal, Field(ge=0, max_digits=13, decimal_places=4)]


class MeterRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    no: str
    kind: str
    unit: str
    site_name: str
    place: str
    multiplier: Decimal
    digits: int
    state: str
    is_remote: bool
    last_value: Decimal | None
    last_read_at: datetime | None
    version: int


class ReadingRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    meter_id: UUID
    meter_no: str
    kind: str
    unit: str
    site_name: str
    place: str
    read_at: datetime
    value: Decimal
    source: str
    state: str
    reason: str
    version: int


class ReadingCreate(BaseModel):
    """A reading that a person took. Without a day it was taken now."""

    model_config = ConfigDict(extra="forbid")

    value: Shown
    read_on: date | None = None


class MeterChangeCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    old_final: Shown
    new_initial: Shown
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""


class MeterChangeRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    meter_id: UUID
    changed_at: datetime
    old_final: Decimal
    new_initial: Decimal
    reason: str


class TakenReading(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    meter_id: UUID
    read_at: datetime
    value: Decimal
    source: str
    state: str
    reason: str
