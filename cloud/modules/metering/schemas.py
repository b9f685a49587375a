"""Meters and readings over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.kernel.typed import BLANK, Reason
from cloud.modules.metering.models import MeterKind

Shown = Annotated[Decimal, Field(ge=0, max_digits=13, decimal_places=4)]
Multiplier = Annotated[Decimal, Field(gt=0, max_digits=10, decimal_places=4)]
Digits = Literal[6, 3, 4, 5, 7, 8, 9]  # the usual one first
PlateNumber = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


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
    can_roll_over: bool
    is_remote: bool
    last_value: Decimal | None
    last_read_at: datetime | None
    version: int


class MonthOfUse(BaseModel):
    """`usage` is null where a reading is missing; `why` says so."""

    month: str
    usage: Decimal | None
    unit: str
    why: str


class ReadingLine(BaseModel):
    read_at: datetime
    value: Decimal
    source: str
    state: str
    reason: str


class ChangeLine(BaseModel):
    changed_at: datetime
    old_final: Decimal
    new_initial: Decimal
    reason: str


class MeterFacts(BaseModel):
    installed_on: date
    initial_value: Decimal
    multiplier: Decimal
    digits: int
    can_roll_over: bool
    parent_no: str | None
    device: str | None
    removed_on: date | None


class MeterDetail(MeterRead):
    facts: MeterFacts
    months: list[MonthOfUse]
    readings: list[ReadingLine]
    changes: list[ChangeLine]


class MeterSaved(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    no: str
    state: str
    version: int


class MeterCreate(BaseModel):
    """In a room, or shared, in a building or a unit. `initial_value` is what it shows now."""

    model_config = ConfigDict(extra="forbid")

    room_id: UUID | None = None
    space_id: UUID | None = None
    no: PlateNumber
    kind: MeterKind
    multiplier: Multiplier
    digits: Digits
    can_roll_over: bool = True
    initial_value: Shown
    installed_on: date
    parent_id: UUID | None = None
    point_no: int | None = None


class MeterCorrect(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    no: PlateNumber
    multiplier: Multiplier
    digits: Digits
    can_roll_over: bool


class MeterConnect(BaseModel):
    model_config = ConfigDict(extra="forbid")

    point_no: int | None


class MeterRemove(BaseModel):
    model_config = ConfigDict(extra="forbid")

    final_value: Shown | None = None
    reason: Reason


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
    reason: Annotated[str, BLANK, StringConstraints(strip_whitespace=True, max_length=200)] = ""


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
