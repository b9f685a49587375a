"""Targets and the list of dashboards over HTTP."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Rate = Annotated[Decimal, Field(ge=0, le=1, max_digits=5, decimal_places=4)]


class DashboardRead(BaseModel):
    """Where a dashboard stands, for a viewer who may open it."""

    code: str
    path: str
    locale: str


class TargetRead(BaseModel):
    """A target of the unit's own, or the one that it takes from a unit above: then `id` is the
    unit's, and there is nothing to change here."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    unit_name: str
    kind: str
    month: date
    current_rate: Decimal
    old_rate: Decimal | None
    combined_rate: Decimal
    is_own: bool
    inherited_note: str | None


class TargetSaved(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    month: date


class TargetCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    unit_id: UUID
    month: date
    current_rate: Rate
    old_rate: Rate | None = None
    combined_rate: Rate


class TargetChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    current_rate: Rate
    old_rate: Rate | None = None
    combined_rate: Rate
