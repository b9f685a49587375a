"""The counter, receipts and a room's statement over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.kernel.ui.language import Tone
from cloud.modules.charging.schemas import ClosedPeriod, TimelineEvent
from cloud.modules.ledger.schemas import EntryOfDocument
from cloud.modules.receiving.models import Method

Amount = Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=2)]
Given = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2)]


class AllocationWanted(BaseModel):
    """`version` is the bill's as the cashier saw it."""

    model_config = ConfigDict(extra="forbid")

    bill_id: UUID
    amount: Amount
    version: int


class ReceiptCreate(BaseModel):
    """The payer names bills, or gives an `amount` that goes to the oldest first."""

    model_config = ConfigDict(extra="forbid")

    room_id: UUID
    method: Method
    allocations: Annotated[list[AllocationWanted], Field(max_length=200)] = []
    amount: Amount | None = None
    tendered: Given | None = None


class ReceiptReverse(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class ReceiptTaken(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    amount: Decimal
    change: Decimal
    received_at: Annotated[datetime, Field(validation_alias="created_at")]


class ReceiptReversed(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str


class RevealedPhone(BaseModel):
    phone: str


class Shift(BaseModel):
    """What the viewer took today; reversals are netted."""

    count: int
    received: Decimal
    cash: Decimal


class Hit(BaseModel):
    """A room that the counter's search found, with what it owes."""

    room_id: UUID
    room_name: str
    room_code: str
    site_id: UUID
    site_name: str
    payer_name: str
    phone_masked: str
    open: Decimal
    bills: int


class Hits(BaseModel):
    items: list[Hit]


class Shown(BaseModel):
    """A value with its label in the viewer's language."""

    value: str
    label: str
    tone: Tone


class RoomAtCounter(BaseModel):
    id: UUID
    name: str
    code: str
    site_id: UUID
    site_name: str
    area: Decimal | None
    usage: str
    state: Shown


class PartyAtCounter(BaseModel):
    id: UUID
    name: str
    role: str
    phone_masked: str


class BillAtCounter(BaseModel):
    id: UUID
    number: str
    item_name: str
    note: str
    period: ClosedPeriod
    amount: Decimal
    paid: Decimal
    open: Decimal
    due_on: date
    overdue_days: int
    version: int


class RecentReceipt(BaseModel):
    id: UUID
    number: str
    received_at: datetime
    method: str
    method_label: str
    amount: Decimal
    reversed: bool


class Accounts(BaseModel):
    """`prepaid` is null while no prepayments are kept."""

    prepaid: Decimal | None


class CounterRoom(BaseModel):
    room: RoomAtCounter
    parties: list[PartyAtCounter]
    bills: list[BillAtCounter]
    open_total: Decimal
    recent: list[RecentReceipt]
    balance: Accounts


class ReceiptRead(BaseModel):
    id: UUID
    number: str
    site_id: UUID
    site_name: str
    room_id: UUID
    room_name: str
    payer_name: str
    method: str
    amount: Decimal
    business_on: date
    received_at: datetime
    cashier_name: str
    state: str


class AllocationLine(BaseModel):
    bill_number: str
    item_name: str
    period: ClosedPeriod
    amount: Decimal


class ReceiptDetail(BaseModel):
    id: UUID
    number: str
    site_name: str
    room_name: str
    payer_name: str
    method: str
    amount: Decimal
    tendered: Decimal | None
    change: Decimal
    business_on: date
    received_at: datetime
    cashier_name: str
    state: str
    linked_number: str
    allocations: list[AllocationLine]
    entries: list[EntryOfDocument]
    timeline: list[TimelineEvent]


class StatementLine(BaseModel):
    on: date
    kind: str
    number: str
    summary: str
    charge: Decimal | None
    payment: Decimal | None
    balance: Decimal


class RoomStatement(BaseModel):
    """What a room was charged and paid in a period, with the balance before and after."""

    id: UUID
    room_name: str
    room_code: str
    site_name: str
    period: ClosedPeriod
    opening: Decimal
    charged: Decimal
    paid: Decimal
    closing: Decimal
    lines: list[StatementLine]
