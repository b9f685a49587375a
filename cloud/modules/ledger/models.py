"""The chart of accounts, the journal, and which months are locked."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from cloud.kernel.db import (
    Record,
    amount_column,
    enum_column,
    instant_column,
    one_of,
    scope_keys,
    scoped_fk,
)


class AccountKind(StrEnum):
    asset = "asset"
    liability = "liability"
    equity = "equity"
    income = "income"
    expense = "expense"


class Account(Record, table=True):
    """An account of the company's chart. Codes are the common enterprise chart's, and data."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        *scope_keys("ledger_account"),
        UniqueConstraint("company_id", "code", name="uq_ledger_account_code"),
        one_of("kind", AccountKind),
    )

    code: str = Field(max_length=15)
    name: str = Field(max_length=60)
    kind: AccountKind = enum_column()


class Entry(Record, table=True):
    """A voucher: one event of money on one business date of one community. Insert-only."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        *scope_keys("ledger_entry"),
        UniqueConstraint("org_id", "number", name="uq_ledger_entry_number"),
        UniqueConstraint("source_kind", "source_id", name="uq_ledger_entry_source"),
        Index("ix_ledger_entry_org_id_business_on", "org_id", "business_on"),
    )

    number: str = Field(max_length=32)
    business_on: date
    summary: str = Field(max_length=120)
    source_kind: str = Field(max_length=40)
    source_id: UUID


class Line(SQLModel, table=True):
    """One side of an entry. Insert-only; the database refuses an entry that does not balance.

    Dimensions carry no foreign keys: they are copied, set-based, from documents that have them.
    """

    __tablename__ = "ledger_line"
    __table_args__ = (
        *scoped_fk("ledger_line", "entry_id", "ledger_entry"),
        *scoped_fk("ledger_line", "account_id", "ledger_account", within="company_id"),
        CheckConstraint(
            "debit >= 0 AND credit >= 0 AND (debit = 0 OR credit = 0)", name="one_side"
        ),
        Index("ix_ledger_line_org_id_account_id", "org_id", "account_id"),
        Index("ix_ledger_line_bill_id", "bill_id"),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    company_id: UUID
    org_id: UUID
    entry_id: UUID
    account_id: UUID
    legal_entity_id: UUID
    debit: Decimal = amount_column()
    credit: Decimal = amount_column()
    room_id: UUID | None = None
    party_id: UUID | None = None
    item_id: UUID | None = None
    bill_id: UUID | None = None
    cashier_id: UUID | None = None
    channel: str | None = Field(default=None, max_length=20)


class PeriodLock(Record, table=True):
    """A closed month of a community: nothing may be posted with a business date in it."""

    __tablename__ = "ledger_period_lock"
    __table_args__ = (UniqueConstraint("org_id", "month", name="uq_ledger_period_lock_month"),)

    month: date
    locked_at: datetime = instant_column()
