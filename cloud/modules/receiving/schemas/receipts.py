"""Receipts over HTTP, and the statement of a room."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.kernel.typed import Reason
from cloud.modules.charging.schemas import ClosedPeriod, TimelineEvent
from cloud.modules.ledger.schemas import EntryOfDocument
from cloud.modules.receiving.schemas.typed import Amount, Given, MethodCode


class AllocationWanted(BaseModel):
    """`version` is the bill's as the cashier saw it."""

    model_config = ConfigDict(extra="forbid")

    bill_id: UUID
    amount: Amount
    version: int


class LineWanted(BaseModel):
    """What comes by one method. `deposit_id` where a deposit pays."""

    model_config = ConfigDict(extra="forbid")

    method: MethodCode
    amount: Amount
    deposit_id: UUID | None = None


class PrepayWanted(BaseModel):
    """Paid ahead for any charge, or for one item only."""

    model_config = ConfigDict(extra="forbid")

    amount: Amount
    item_id: UUID | None = None


class DepositTaken(BaseModel):
    model_config = ConfigDict(extra="forbid")

    item_id: UUID
    amount: Amount
    release_on: date | None = None
    terms: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""


class ReceiptCreate(BaseModel):
    """The payer names bills, or gives an `amount` that goes to the oldest first.

    `keep_rest` is the payer's consent to keep as prepaid what an `amount` leaves over. All comes by
    one `method`, or by `lines` that add up to it.
    """

    model_config = ConfigDict(extra="forbid")

    room_id: UUID
    method: MethodCode | None = None
    lines: Annotated[list[LineWanted], Field(max_length=10)] = []
    allocations: Annotated[list[AllocationWanted], Field(max_length=200)] = []
    amount: Amount | None = None
    keep_rest: bool = False
    prepay: PrepayWanted | None = None
    deposits: Annotated[list[DepositTaken], Field(max_length=10)] = []
    tendered: Given | None = None


class ReceiptReverse(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


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


class ReceiptRead(BaseModel):
    id: UUID
    number: str
    site_id: UUID
    site_name: str
    room_id: UUID
    room_name: str
    payer_name: str
    method: str
    method_name: str
    amount: Decimal
    offset: Decimal
    business_on: date
    received_at: datetime
    cashier_name: str
    state: str


class MethodLineRead(BaseModel):
    method_name: str
    account: str
    amount: Decimal


class HeldLine(BaseModel):
    """What a receipt did to a prepaid account or a deposit."""

    name: str
    kind: str
    amount: Decimal
    balance: Decimal


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
    method_name: str
    amount: Decimal
    tendered: Decimal | None
    change: Decimal
    business_on: date
    received_at: datetime
    cashier_name: str
    state: str
    linked_number: str
    lines: list[MethodLineRead]
    allocations: list[AllocationLine]
    held: list[HeldLine]
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
    prepaid: Decimal | None
    prepaid_balance: Decimal
    deposit: Decimal | None
    deposit_balance: Decimal


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
    prepaid: Decimal
    deposits: Decimal
    lines: list[StatementLine]
