"""The books over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.kernel.numbering import DocumentKind, Reset
from cloud.kernel.typed import Reason


class AccountRead(BaseModel):
    """An account with what was posted to it in the viewer's scope."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    kind: str
    debit: Decimal
    credit: Decimal
    balance: Decimal


class EntryRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    site_name: str
    business_on: date
    summary: str
    amount: Decimal
    lines: int
    created_at: datetime


class EntryLineRead(BaseModel):
    side: Literal["debit", "credit"]
    account: str
    debit: Decimal | None
    credit: Decimal | None


class EntryOfDocument(BaseModel):
    """An entry as the section "entries" of a detail shows it."""

    number: str
    business_on: date
    summary: str
    source_kind: str
    source_id: UUID
    posted_at: datetime
    posted_by: str
    lines: list[EntryLineRead]


class EntryDetail(BaseModel):
    id: UUID
    number: str
    site_name: str
    business_on: date
    summary: str
    debit: Decimal
    credit: Decimal
    entries: list[EntryOfDocument]


class MonthState(StrEnum):
    """running: not over yet. open: over, and still taking postings."""

    running = "running"
    open = "open"
    closed = "closed"


class MonthRead(BaseModel):
    """A month of a community in which something was posted; `month` is its first day."""

    id: str
    site_id: UUID
    site_name: str
    month: date
    label: str
    entries: int
    state: MonthState
    closed_at: datetime | None
    closed_by: str | None


class MonthClosed(BaseModel):
    site_name: str
    label: str


class MonthReopen(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class NumberRuleRead(BaseModel):
    """A kind of document with the rule that holds for its numbers, and the next one it gives."""

    series: DocumentKind
    kind: str
    pattern: str
    reset: Reset
    preview: str
    state: str
    version: int  # 0: nobody has set one, the standard holds


class NumberRuleState(StrEnum):
    standard = "standard"
    own = "own"


class NumberRuleChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=0)]
    pattern: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    reset: Reset
    reason: Reason


class NumberRuleChanged(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    preview: str
