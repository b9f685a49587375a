"""Units, departments and legal entities over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from cloud.kernel.typed import Reason
from cloud.kernel.ui.language import Tone

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
TaxNumber = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=1, max_length=20)
]


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UnitRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    parent_id: UUID | None
    parent_name: str | None
    kind: str
    state: str
    code: str
    name: str
    city: str
    opened_on: date | None
    closed_on: date | None
    version: int


class UnitCreate(Wanted):
    """A region stands below the company, a project below a region or the company."""

    kind: Literal["region", "project"]
    parent_id: UUID
    code: Code
    name: Name
    city: ShortText | None = None


class UnitChange(Wanted):
    version: int
    name: Name
    city: ShortText | None = None


class UnitMove(Wanted):
    parent_id: UUID


class UnitOpen(Wanted):
    on: date


class UnitClose(Wanted):
    on: date
    reason: Reason


class PlacementRead(BaseModel):
    parent_name: str
    valid_from: date
    valid_to: date | None


class UnitEvent(BaseModel):
    at: datetime
    title: str
    text: str | None
    who: str | None
    tone: Tone


class UnitDetail(UnitRead):
    children: list[UnitRead]
    departments: list[DepartmentRead]
    placements: list[PlacementRead]
    timeline: list[UnitEvent]


class DepartmentRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    unit_id: UUID
    unit_name: str
    code: str
    name: str
    leader: str
    state: str
    version: int


class DepartmentCreate(Wanted):
    unit_id: UUID
    code: Code
    name: Name
    leader: ShortText | None = None


class DepartmentChange(Wanted):
    version: int
    name: Name
    leader: ShortText | None = None


class CloseWithReason(Wanted):
    reason: Reason


class RecordKept(BaseModel):
    """What a change answers: which row, how people call it, and its new version."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    version: int


class LegalEntityRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    tax_number: str
    version: int


class LegalEntityCreate(Wanted):
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    tax_number: TaxNumber


class LegalEntityChange(LegalEntityCreate):
    version: int


UnitDetail.model_rebuild()
