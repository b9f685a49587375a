"""A cashier's shift over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from cloud.modules.receiving.schemas.typed import Given


class MethodTotal(BaseModel):
    code: str
    name: str
    amount: Decimal
    count: int


class Shift(BaseModel):
    """What the viewer took since their last count today; reversals are netted.

    `id` names the shift that can be closed; `cash` is what the drawer should hold of it.
    """

    id: UUID | None
    opened_at: datetime | None
    count: int
    received: Decimal
    cash: Decimal
    returned: Decimal
    methods: list[MethodTotal]


class ShiftState(StrEnum):
    open = "open"
    closed = "closed"
    differs = "differs"


class ShiftRead(BaseModel):
    id: UUID
    site_id: UUID
    site_name: str
    cashier_name: str
    business_on: date
    opened_at: datetime
    closed_at: datetime | None
    documents: int
    received: Decimal
    cash: Decimal
    counted: Decimal | None
    difference: Decimal | None
    note: str
    state: str


class ShiftClose(BaseModel):
    model_config = ConfigDict(extra="forbid")

    counted: Given
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = None


class ShiftClosed(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    expected: Decimal
    counted: Decimal
