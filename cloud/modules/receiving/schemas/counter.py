"""What the counter shows of a room, and what a cashier chooses from."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel

from cloud.kernel.choices import Choice
from cloud.kernel.ui.language import Tone
from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.receiving.models import MethodKind


class Hit(BaseModel):
    """A room that the counter's search found, with what it owes.

    `plate` is that of the vehicle it was found by; empty when it was found by anything else.
    """

    room_id: UUID
    room_name: str
    room_code: str
    site_id: UUID
    site_name: str
    payer_name: str
    phone_masked: str
    plate: str
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
