"""Receipts: how each was paid, what it paid, and the shifts and methods behind it.

Receipts, their lines and allocations are insert-only: a mistake is reversed.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from cloud.kernel.db import (
    Record,
    amount_column,
    enum_column,
    instant_column,
    one_of,
    scope_keys,
    scoped_fk,
)
from cloud.kernel.money import ZERO


class Method(StrEnum):
    """Codes of the methods that every company begins with; it may keep others beside them."""

    cash = "cash"
    card = "card"
    wechat = "wechat"
    alipay = "alipay"
    scan = "scan"
    transfer = "transfer"
    prepaid = "prepaid"
    deposit = "deposit"


MIXED = "mixed"


class MethodKind(StrEnum):
    """What a method is: only cash gives change; the last two spend what is already ours."""

    cash = "cash"
    card = "card"
    channel = "channel"
    transfer = "transfer"
    other = "other"
    prepaid = "prepaid"
    deposit = "deposit"


OFFSETS = (MethodKind.prepaid, MethodKind.deposit)


class ReceiptState(StrEnum):
    received = "received"
    reversed = "reversed"
    reversal = "reversal"


class PaymentMethod(Record, table=True):
    """A way to pay and the account it is booked on. The company's; disabled, never deleted.

    An empty name is the standard one of its code, in the reader's language.
    """

    __tablename__ = "receiving_payment_method"
    __table_args__ = (
        *scope_keys("receiving_payment_method"),
        *scoped_fk("receiving_payment_method", "account_id", "ledger_account", within="company_id"),
        UniqueConstraint("company_id", "code", name="uq_receiving_payment_method_code"),
        one_of("kind", MethodKind),
    )

    code: str = Field(max_length=20)
    name: str = Field(default="", max_length=40)
    kind: MethodKind = enum_column()
    account_id: UUID
    rank: int = 100
    is_active: bool = True


class Shift(Record, table=True):
    """A cashier's receipts from one count of the drawer to the next, within a business day."""

    __tablename__ = "receiving_shift"
    __table_args__ = (
        *scope_keys("receiving_shift"),
        Index(
            "uq_receiving_shift_open",
            "org_id",
            "cashier_id",
            "business_on",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        CheckConstraint(
            "(closed_at IS NULL) = (expected IS NULL) AND (closed_at IS NULL) = (counted IS NULL)",
            name="closed",
        ),
        CheckConstraint("counted IS NULL OR counted = expected OR note <> ''", name="explained"),
    )

    cashier_id: UUID
    business_on: date
    opened_at: datetime = instant_column()
    closed_at: datetime | None = instant_column(default=None)
    expected: Decimal | None = amount_column(default=None)
    counted: Decimal | None = amount_column(default=None)
    note: str = Field(default="", max_length=200)


class Receipt(Record, table=True):
    """Money taken at a counter, or (with `reverses_id`) its linked opposite, which is negative."""

    __tablename__ = "receiving_receipt"
    __table_args__ = (
        *scope_keys("receiving_receipt"),
        *scoped_fk("receiving_receipt", "room_id", "resources_room"),
        *scoped_fk("receiving_receipt", "payer_id", "customers_party"),
        *scoped_fk(
            "receiving_receipt", "legal_entity_id", "organization_legal_entity", within="company_id"
        ),
        # Its unique key is its index.
        scoped_fk("receiving_receipt", "reverses_id", "receiving_receipt")[0],
        UniqueConstraint("org_id", "number", name="uq_receiving_receipt_number"),
        Index(
            "ix_receiving_receipt_company_id_number",
            "company_id",
            "number",
            postgresql_ops={"number": "varchar_pattern_ops"},
        ),
        UniqueConstraint("reverses_id", name="uq_receiving_receipt_reverses_id"),
        CheckConstraint("amount <> 0 AND (amount < 0) = (reverses_id IS NOT NULL)", name="amount"),
        CheckConstraint("(reason <> '') = (reverses_id IS NOT NULL)", name="reason"),
        CheckConstraint(
            "(tendered IS NULL AND change = 0) OR (change >= 0 AND tendered > change)",
            name="tendered",
        ),
        *scoped_fk("receiving_receipt", "shift_id", "receiving_shift"),
        Index("ix_receiving_receipt_org_id_business_on", "org_id", "business_on"),
        Index("ix_receiving_receipt_created_by_business_on", "created_by", "business_on"),
    )

    number: str = Field(max_length=32)
    business_on: date
    room_id: UUID
    payer_id: UUID
    payer_name: str = Field(max_length=100)
    legal_entity_id: UUID
    method: str = Field(max_length=20)  # the code of its one method, else MIXED
    amount: Decimal = amount_column()
    tendered: Decimal | None = amount_column(default=None)
    change: Decimal = amount_column(default=ZERO)
    reverses_id: UUID | None = None
    reason: str = Field(default="", max_length=200)
    shift_id: UUID | None = None


class MethodLine(Record, table=True):
    """The part of a receipt that came by one method; they sum to the receipt. Insert-only."""

    __tablename__ = "receiving_method_line"
    __table_args__ = (
        *scope_keys("receiving_method_line"),
        # Its unique key is its index.
        scoped_fk("receiving_method_line", "receipt_id", "receiving_receipt")[0],
        *scoped_fk(
            "receiving_method_line", "method_id", "receiving_payment_method", within="company_id"
        ),
        *scoped_fk("receiving_method_line", "account_id", "ledger_account", within="company_id"),
        *scoped_fk("receiving_method_line", "deposit_id", "receiving_deposit"),
        UniqueConstraint("receipt_id", "place", name="uq_receiving_method_line_place"),
        CheckConstraint("amount <> 0", name="amount"),
        one_of("kind", MethodKind),
        CheckConstraint("(kind = 'deposit') = (deposit_id IS NOT NULL)", name="deposit"),
    )

    receipt_id: UUID
    place: int
    method_id: UUID
    code: str = Field(max_length=20)
    kind: MethodKind = enum_column()
    account_id: UUID
    amount: Decimal = amount_column()
    deposit_id: UUID | None = None


class Allocation(Record, table=True):
    """The part of a receipt that pays a bill; negative for a reversal."""

    __tablename__ = "receiving_allocation"
    __table_args__ = (
        *scope_keys("receiving_allocation"),
        # Its unique key is its index.
        scoped_fk("receiving_allocation", "receipt_id", "receiving_receipt")[0],
        *scoped_fk("receiving_allocation", "bill_id", "charging_bill"),
        UniqueConstraint("receipt_id", "bill_id", name="uq_receiving_allocation_bill"),
        CheckConstraint("amount <> 0", name="amount"),
    )

    receipt_id: UUID
    bill_id: UUID
    amount: Decimal = amount_column()


class PrepaidAccount(Record, table=True):
    """What a party has paid ahead for a room, for any charge or for one. Locked to change.

    The balance is the sum of its moves; the database refuses one below zero.
    """

    __tablename__ = "receiving_prepaid_account"
    __table_args__ = (
        *scope_keys("receiving_prepaid_account"),
        *scoped_fk("receiving_prepaid_account", "room_id", "resources_room"),
        *scoped_fk("receiving_prepaid_account", "party_id", "customers_party"),
        *scoped_fk(
            "receiving_prepaid_account",
            "legal_entity_id",
            "organization_legal_entity",
            within="company_id",
        ),
        *scoped_fk("receiving_prepaid_account", "item_id", "charging_item", within="company_id"),
        UniqueConstraint(
            "org_id",
            "room_id",
            "party_id",
            "legal_entity_id",
            "item_id",
            name="uq_receiving_prepaid_account_owner",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("balance >= 0", name="balance"),
    )

    room_id: UUID
    party_id: UUID
    legal_entity_id: UUID
    item_id: UUID | None = None
    balance: Decimal = amount_column(default=ZERO)


class DepositItem(Record, table=True):
    """A kind of deposit that the company takes, such as for a renovation. Disabled, not deleted."""

    __tablename__ = "receiving_deposit_item"
    __table_args__ = (
        *scope_keys("receiving_deposit_item"),
        *scoped_fk(
            "receiving_deposit_item",
            "legal_entity_id",
            "organization_legal_entity",
            within="company_id",
        ),
        UniqueConstraint("company_id", "code", name="uq_receiving_deposit_item_code"),
        CheckConstraint("usual_amount IS NULL OR usual_amount > 0", name="usual_amount"),
    )

    code: str = Field(max_length=20)
    name: str = Field(max_length=40)
    legal_entity_id: UUID
    usual_amount: Decimal | None = amount_column(default=None)
    is_active: bool = True


class DepositState(StrEnum):
    held = "held"
    partly = "partly"
    returned = "returned"
    reversed = "reversed"


class Deposit(Record, table=True):
    """A deposit that a receipt took. What is still held of it is its balance, locked to change."""

    __tablename__ = "receiving_deposit"
    __table_args__ = (
        *scope_keys("receiving_deposit"),
        *scoped_fk("receiving_deposit", "item_id", "receiving_deposit_item", within="company_id"),
        *scoped_fk("receiving_deposit", "receipt_id", "receiving_receipt"),
        *scoped_fk("receiving_deposit", "room_id", "resources_room"),
        *scoped_fk("receiving_deposit", "party_id", "customers_party"),
        *scoped_fk(
            "receiving_deposit", "legal_entity_id", "organization_legal_entity", within="company_id"
        ),
        CheckConstraint("amount > 0 AND balance >= 0 AND balance <= amount", name="balance"),
        one_of("state", DepositState),
    )

    item_id: UUID
    receipt_id: UUID
    room_id: UUID
    party_id: UUID
    party_name: str = Field(max_length=100)
    legal_entity_id: UUID
    business_on: date
    release_on: date | None = None
    terms: str = Field(default="", max_length=200)
    amount: Decimal = amount_column()
    balance: Decimal = amount_column()
    state: DepositState = enum_column()


class PayoutKind(StrEnum):
    prepaid = "prepaid"
    deposit = "deposit"


class Payout(Record, table=True):
    """Money handed back: of a prepayment or of a deposit. Insert-only."""

    __tablename__ = "receiving_payout"
    __table_args__ = (
        *scope_keys("receiving_payout"),
        *scoped_fk("receiving_payout", "room_id", "resources_room"),
        *scoped_fk("receiving_payout", "party_id", "customers_party"),
        *scoped_fk(
            "receiving_payout", "legal_entity_id", "organization_legal_entity", within="company_id"
        ),
        *scoped_fk(
            "receiving_payout", "method_id", "receiving_payment_method", within="company_id"
        ),
        *scoped_fk("receiving_payout", "shift_id", "receiving_shift"),
        UniqueConstraint("org_id", "number", name="uq_receiving_payout_number"),
        one_of("kind", PayoutKind),
        one_of("method_kind", MethodKind),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("reason <> ''", name="reason"),
    )

    number: str = Field(max_length=32)
    business_on: date
    kind: PayoutKind = enum_column()
    room_id: UUID
    party_id: UUID
    party_name: str = Field(max_length=100)
    legal_entity_id: UUID
    method_id: UUID
    method: str = Field(max_length=20)
    method_kind: MethodKind = enum_column()
    amount: Decimal = amount_column()
    reason: str = Field(max_length=200)
    shift_id: UUID


class MoveKind(StrEnum):
    """What moved a prepaid account or a deposit."""

    received = "received"
    used = "used"
    refunded = "refunded"
    deducted = "deducted"
    reversed = "reversed"
    restored = "restored"


class PrepaidMove(Record, table=True):
    """A change of a prepaid account. Insert-only."""

    __tablename__ = "receiving_prepaid_move"
    __table_args__ = (
        *scope_keys("receiving_prepaid_move"),
        *scoped_fk("receiving_prepaid_move", "account_id", "receiving_prepaid_account"),
        *scoped_fk("receiving_prepaid_move", "receipt_id", "receiving_receipt"),
        *scoped_fk("receiving_prepaid_move", "payout_id", "receiving_payout"),
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint("(receipt_id IS NULL) <> (payout_id IS NULL)", name="document"),
        one_of("kind", MoveKind),
    )

    account_id: UUID
    kind: MoveKind = enum_column()
    amount: Decimal = amount_column()
    balance: Decimal = amount_column()
    business_on: date
    receipt_id: UUID | None = None
    payout_id: UUID | None = None


class DepositMove(Record, table=True):
    """A change of what is held of a deposit. Insert-only; a deduction is its own document."""

    __tablename__ = "receiving_deposit_move"
    __table_args__ = (
        *scope_keys("receiving_deposit_move"),
        *scoped_fk("receiving_deposit_move", "deposit_id", "receiving_deposit"),
        *scoped_fk("receiving_deposit_move", "receipt_id", "receiving_receipt"),
        *scoped_fk("receiving_deposit_move", "payout_id", "receiving_payout"),
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint("kind <> 'deducted' OR reason <> ''", name="evidence"),
        one_of("kind", MoveKind),
    )

    deposit_id: UUID
    kind: MoveKind = enum_column()
    amount: Decimal = amount_column()
    balance: Decimal = amount_column()
    business_on: date
    receipt_id: UUID | None = None
    payout_id: UUID | None = None
    reason: str = Field(default="", max_length=200)
