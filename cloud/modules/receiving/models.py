"""Receipts and how each is allocated over bills. Both are insert-only: a mistake is reversed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from cloud.kernel.db import (
    Record,
    amount_column,
    enum_column,
    one_of,
    scope_keys,
    scoped_fk,
)


class Method(StrEnum):
    cash = "cash"
    scan = "scan"
    card = "card"
    transfer = "transfer"


class ReceiptState(StrEnum):
    received = "received"
    reversed = "reversed"
    reversal = "reversal"


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
        UniqueConstraint("reverses_id", name="uq_receiving_receipt_reverses_id"),
        CheckConstraint("amount <> 0 AND (amount < 0) = (reverses_id IS NOT NULL)", name="amount"),
        CheckConstraint("(reason <> '') = (reverses_id IS NOT NULL)", name="reason"),
        CheckConstraint(
            "tendered IS NULL OR (method = 'cash' AND tendered >= amount)", name="tendered"
        ),
        one_of("method", Method),
        Index("ix_receiving_receipt_org_id_business_on", "org_id", "business_on"),
        Index("ix_receiving_receipt_created_by_business_on", "created_by", "business_on"),
    )

    number: str = Field(max_length=32)
    business_on: date
    room_id: UUID
    payer_id: UUID
    payer_name: str = Field(max_length=100)
    legal_entity_id: UUID
    method: Method = enum_column()
    amount: Decimal = amount_column()
    tendered: Decimal | None = amount_column(default=None)
    reverses_id: UUID | None = None
    reason: str = Field(default="", max_length=200)

    @property
    def change(self) -> Decimal:
        return Decimal("0.00") if self.tendered is None else self.tendered - self.amount


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
