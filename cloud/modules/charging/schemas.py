"""Charging over HTTP: items, standards, runs and bills."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from cloud.kernel.ui.language import Tone
from cloud.modules.ledger.schemas import EntryOfDocument


class ClosedPeriod(BaseModel):
    """Closed at both ends, as people read and type it."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid")

    first: Annotated[date, Field(alias="from")]
    last: Annotated[date, Field(alias="to")]


class ItemRead(BaseModel):
    id: UUID
    code: str
    name: str
    category: str
    agency: str
    tax_rate: Decimal
    legal_entity: str


class StandardRead(BaseModel):
    id: UUID
    code: str
    name: str
    item_name: str
    site_name: str
    method: str
    timing: str
    cycle_months: int
    unit_price: Decimal | None
    version_number: int | None
    effective_from: date | None
    due_days: int


class BindingRead(BaseModel):
    id: UUID
    site_name: str
    room_name: str
    item_name: str
    standard_name: str
    meter_no: str | None
    starts_on: date
    ends_on: date | None


class RunCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site_id: UUID
    item_ids: Annotated[list[UUID], Field(min_length=1, max_length=50)]
    period: ClosedPeriod


class RunRead(BaseModel):
    id: UUID
    number: str
    site_id: UUID
    site_name: str
    period: ClosedPeriod
    items: str
    state: str
    bills: int
    amount: Decimal
    skipped: int
    created_at: datetime
    failure: str


class Progress(BaseModel):
    done: int
    total: int


class RunProgress(BaseModel):
    """The answer of every step of a run."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site_id: UUID
    number: str
    state: str
    bills: int
    amount: Decimal
    skipped: int
    progress: Progress


class RunRef(BaseModel):
    model_config = ConfigDict(extra="forbid")

    run_id: UUID


class RunEnd(BaseModel):
    """How a run's job ended. `failure` is empty when it did what it was asked."""

    model_config = ConfigDict(extra="forbid")

    run_id: UUID
    failure: str


class DraftLine(BaseModel):
    room_name: str
    item_name: str
    payer_name: str
    period: ClosedPeriod
    basis: str
    amount: Decimal
    due_on: date


class SkipLine(BaseModel):
    room_name: str
    item_name: str
    reason: str


class RunDetail(RunRead):
    progress: Progress
    drafts: list[DraftLine]
    skips: list[SkipLine]


class BillRead(BaseModel):
    id: UUID
    number: str
    site_id: UUID
    site_name: str
    room_id: UUID
    room_name: str
    payer_name: str
    item_name: str
    period: ClosedPeriod
    amount: Decimal
    paid: Decimal
    open: Decimal
    due_on: date
    overdue_days: int
    overdue_note: str | None
    state: str
    is_overdue: bool
    version: int


class Operand(BaseModel):
    value: str
    unit: str
    caption: str


class ExplainedLine(BaseModel):
    label: str
    value: str
    source: str


class Explanation(BaseModel):
    """How a bill was computed, and whether computing it again gives the same."""

    operands: list[Operand]
    raw: str
    amount: Decimal
    recomputed: bool
    lines: list[ExplainedLine]


class TimelineEvent(BaseModel):
    at: datetime
    title: str
    text: str
    who: str
    tone: Tone


class BillDetail(BillRead):
    item_code: str
    issued_on: date
    explanation: Explanation
    entries: list[EntryOfDocument]
    timeline: list[TimelineEvent]


class Choice(BaseModel):
    value: str
    label: str


class Choices(BaseModel):
    items: list[Choice]
