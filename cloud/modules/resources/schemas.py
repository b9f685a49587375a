"""Buildings and rooms over HTTP."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.kernel.typed import BLANK, SEVERAL, Reason, empty_is
from cloud.modules.resources.models import RoomState, RoomUsage

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
# Whether it is positive is the service's to say, in words.
Area = Annotated[Decimal, Field(max_digits=18, decimal_places=4)]
Coefficient = Annotated[Decimal, Field(gt=0, max_digits=10, decimal_places=4), empty_is(Decimal(1))]
Floor = Annotated[int, Field(ge=-20, le=200)]
Note = Annotated[str, BLANK, StringConstraints(strip_whitespace=True, max_length=200)]


class BuildingRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site_id: UUID
    site_name: str
    code: str
    name: str
    units: int
    rooms: int
    version: int


class UnitRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site_id: UUID
    site_name: str
    building_name: str
    path: str
    name: str
    rooms: int
    version: int


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
    name: str
    floor: int | None
    room_type_id: UUID | None
    room_type: str
    version: int


class RoomCounts(BaseModel):
    """How many rooms each site in scope has."""

    counts: dict[UUID, int]


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
    coefficient: Coefficient = Decimal(1)
    usage: RoomUsage
    state: RoomState
    handover_on: date | None = None
    move_in_on: date | None = None
    floor: Floor | None = None
    room_type_id: UUID | None = None


class SpaceAdded(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    path: str
    full_name: str


class SpaceRename(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    name: Name


class SpaceRenamed(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    full_name: str
    version: int


class SpaceTakenOut(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class RoomChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    name: Name
    usage: RoomUsage
    coefficient: Coefficient
    floor: Floor | None = None
    room_type_id: UUID | None = None
    handover_on: date | None = None
    move_in_on: date | None = None


class RoomAreasChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    building_area: Area | None = None
    inner_area: Area | None = None
    chargeable_area: Area | None = None
    valid_from: date
    reason: Note = ""


class RoomStateChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    state: RoomState
    on: date | None = None
    note: Note = ""


class RoomClose(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason
    on: date | None = None


class RoomChanged(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    state: str
    version: int


class RoomAreasRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    room_id: UUID
    valid_from: date | None
    building_area: Decimal | None
    inner_area: Decimal | None
    chargeable_area: Decimal | None


class RoomRule(BaseModel):
    """How the rooms of a building are numbered; the facts are those of every room."""

    model_config = ConfigDict(extra="forbid")

    building_id: UUID
    units: Annotated[list[Code], Field(max_length=50), SEVERAL] = []
    floors_from: Floor
    floors_to: Floor
    rooms_per_floor: Annotated[int, Field(ge=1, le=200)]
    pattern: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
    skip_floors: Annotated[list[int], Field(max_length=100), SEVERAL] = []
    skip_sequences: Annotated[list[int], Field(max_length=100), SEVERAL] = []
    areas: Annotated[list[Area | None], Field(max_length=200), SEVERAL] = []
    usage: RoomUsage = RoomUsage.residential
    state: RoomState = RoomState.unsold
    room_type_id: UUID | None = None
    handover_on: date | None = None


class RoomPlanned(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    unit: str | None
    floor: int
    code: str
    area: Decimal | None


class RoomsPlanned(BaseModel):
    """What a rule would add, and by their full names the rooms that stand in its way."""

    model_config = ConfigDict(from_attributes=True)

    count: int
    first: str
    last: str
    new_units: list[str]
    taken: list[str]
    rooms: list[RoomPlanned]


class RoomsGenerated(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    count: int
    first: str
    last: str
    new_units: list[str]
