"""The counter, receipts and a room's statement over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.kernel.choices import Choice
from cloud.kernel.ui.language import Tone
from cloud.modules.charging.schemas import ClosedPeriod, TimelineEvent
from cloud.modules.ledger.schemas import EntryOfDocument
from cloud.modules.receiving.models import MethodKind

Amount = Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=2)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
MethodCode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Given = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=2)]


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
    item_id: UUID
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


class PrepaidAtCounter(BaseModel):
    """`item_id` is null for what may pay any charge."""

    id: UUID
    item_id: UUID | None
    item_name: str
    party_name: str
    balance: Decimal


class DepositAtCounter(BaseModel):
    id: UUID
    item_name: str
    party_name: str
    balance: Decimal


class Accounts(BaseModel):
    """`prepaid` is the sum of the room's accounts, null while it has none."""

    prepaid: Decimal | None
    accounts: list[PrepaidAtCounter]
    deposits: list[DepositAtCounter]


class MethodAtCounter(BaseModel):
    code: str
    name: str
    kind: MethodKind


class DepositItemAtCounter(BaseModel):
    id: UUID
    name: str
    usual_amount: Decimal | None


class Desk(BaseModel):
    """What a cashier may choose from, whatever the room."""

    methods: list[MethodAtCounter]
    deposit_items: list[DepositItemAtCounter]
    items: list[Choice]


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


class MoveLine(BaseModel):
    """A change of a prepaid account or of a deposit."""

    business_on: date
    kind: str
    number: str
    amount: Decimal
    balance: Decimal
    reason: str
    by: str


class PrepaidRead(BaseModel):
    id: UUID
    site_id: UUID
    site_name: str
    room_id: UUID
    room_name: str
    party_name: str
    item_name: str
    legal_entity_name: str
    balance: Decimal
    state: str


class PrepaidDetail(PrepaidRead):
    moves: list[MoveLine]


class HeldState(StrEnum):
    held = "held"
    empty = "empty"


class DepositRead(BaseModel):
    id: UUID
    site_id: UUID
    site_name: str
    room_id: UUID
    room_name: str
    party_name: str
    item_name: str
    receipt_number: str
    business_on: date
    release_on: date | None
    terms: str
    amount: Decimal
    balance: Decimal
    state: str


class DepositDetail(DepositRead):
    moves: list[MoveLine]


class RefundWanted(BaseModel):
    """Money that goes back; the reason stands on the document and in the audit trail."""

    model_config = ConfigDict(extra="forbid")

    amount: Amount
    method: MethodCode
    reason: Reason


class DepositUsed(BaseModel):
    """What of a deposit is kept or pays bills, and what shows that it is right."""

    model_config = ConfigDict(extra="forbid")

    amount: Amount
    evidence: Reason


class PayoutMade(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    amount: Decimal


class Deducted(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    balance: Decimal


class PayoutRead(BaseModel):
    id: UUID
    number: str
    site_name: str
    room_name: str
    party_name: str
    kind: str
    method_name: str
    amount: Decimal
    reason: str
    business_on: date
    cashier_name: str


class ActiveState(StrEnum):
    active = "active"
    disabled = "disabled"


class Switch(BaseModel):
    """The state that is wanted, so that two people who disable do not enable again."""

    model_config = ConfigDict(extra="forbid")

    state: ActiveState
    reason: Reason


class MethodCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Code
    name: Name
    kind: MethodKind
    account: Annotated[str, Field(min_length=1, max_length=15)]
    rank: Annotated[int, Field(ge=1, le=999)] = 100


class MethodChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    name: Name
    account: Annotated[str, Field(min_length=1, max_length=15)]
    rank: Annotated[int, Field(ge=1, le=999)]


class MethodRead(BaseModel):
    id: UUID
    version: int
    code: str
    name: str
    kind: str
    account: str
    account_name: str
    rank: int
    state: str


class DepositItemCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Code
    name: Name
    legal_entity_id: UUID
    usual_amount: Amount | None = None


class DepositItemChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    name: Name
    usual_amount: Amount | None = None


class DepositItemRead(BaseModel):
    id: UUID
    version: int
    code: str
    name: str
    legal_entity_name: str
    usual_amount: Decimal | None
    state: str


class Changed(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
