"""The kernel's own tables: idempotency keys, numbers, copies, audit, timers, shard leases."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    LargeBinary,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from cloud.kernel.db import Record, big_integer_column, instant_column, uuid7


class IdempotencyKey(SQLModel, table=True):
    """An answer that was given, stored in the transaction that earned it."""

    __tablename__ = "kernel_idempotency_key"

    company_id: UUID = Field(primary_key=True)
    principal_id: UUID = Field(primary_key=True)
    key: str = Field(primary_key=True, max_length=100)
    route: str
    digest: bytes = Field(sa_type=LargeBinary)
    status: int | None = None
    answer: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    created_at: datetime = instant_column(index=True)


class NumberSeries(SQLModel, table=True):
    """The next number of a kind of document in a unit and a month; the row is the lock."""

    __tablename__ = "kernel_number_series"

    company_id: UUID = Field(primary_key=True)
    org_id: UUID = Field(primary_key=True)
    series: str = Field(primary_key=True, max_length=16)
    period: str = Field(primary_key=True, max_length=8)
    next_number: int = big_integer_column()


class PrintCount(SQLModel, table=True):
    """How often a document was printed; the row is the lock, so no two copies share a number."""

    __tablename__ = "kernel_print_count"

    company_id: UUID = Field(primary_key=True)
    subject_kind: str = Field(primary_key=True, max_length=60)
    subject_id: UUID = Field(primary_key=True)
    org_id: UUID
    copies: int
    printed_at: datetime = instant_column()


class NumberRule(Record, table=True):
    """How the numbers of a kind of document look, for a company or one of its units.

    `earlier` keeps the patterns before it: a new one must not repeat a number of theirs.
    """

    __tablename__ = "kernel_number_rule"
    __table_args__ = (
        UniqueConstraint("org_id", "series", name="uq_kernel_number_rule_series"),
        CheckConstraint("reset IN ('never', 'year', 'month', 'day')", name="reset"),
    )

    series: str = Field(max_length=16)
    pattern: str = Field(max_length=80)
    reset: str = Field(max_length=8)
    earlier: list[dict[str, str]] = Field(default_factory=list, sa_type=JSONB)


class AuditRow(SQLModel, table=True):
    """Who did what to which record, and what it was before. Appended plain, sealed by a job."""

    __tablename__ = "kernel_audit_row"
    __table_args__ = (
        Index("ix_kernel_audit_row_subject", "subject_kind", "subject_id"),
        Index("ix_kernel_audit_row_company_id_xact", "company_id", "xact"),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    company_id: UUID
    org_id: UUID
    xact: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, nullable=False, server_default=text("kernel_xact()")),
    )
    at: datetime = instant_column()
    actor_kind: str
    actor_id: UUID | None = None
    address: str = ""
    action: str
    subject_kind: str
    subject_id: UUID | None = None
    before: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    reason: str = ""
    request_id: str


class AuditSeal(SQLModel, table=True):
    """A hash over the audit rows of a range of transactions and over the seal before it."""

    __tablename__ = "kernel_audit_seal"

    company_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    first_xact: int = big_integer_column()
    last_xact: int = big_integer_column()
    row_count: int
    sealed_at: datetime = instant_column()
    digest: bytes = Field(sa_type=LargeBinary)


class Timer(SQLModel, table=True):
    """When a job of a manifest runs next. No tenant data: a job opens its own scopes."""

    __tablename__ = "kernel_timer"

    name: str = Field(primary_key=True)
    cron: str
    next_at: datetime = instant_column()
    last_at: datetime | None = instant_column(default=None)


class ShardLease(SQLModel, table=True):
    """Which host owns a shard of sites, until when, under which fencing epoch."""

    __tablename__ = "kernel_shard_lease"

    shard: int = Field(primary_key=True)
    host: str | None = None
    address: str | None = None
    epoch: int = big_integer_column()
    expires_at: datetime | None = instant_column(default=None)


# The base of transaction ids in this cluster: revision 0015 says why. One row.
Cluster = Table(
    "kernel_cluster",
    SQLModel.metadata,
    Column("one", Boolean, primary_key=True, server_default=text("true")),
    Column("identifier", BigInteger, nullable=False),
    Column("base", BigInteger, nullable=False),
)


class PageLayout(SQLModel, table=True):
    """How a person arranged the columns of a page."""

    __tablename__ = "kernel_page_layout"

    company_id: UUID = Field(primary_key=True)
    principal_id: UUID = Field(primary_key=True)
    page: str = Field(primary_key=True, max_length=80)
    layout: dict[str, Any] = Field(sa_type=JSONB)
    changed_at: datetime = instant_column()


class SavedView(SQLModel, table=True):
    """A person's own view of a page: what is asked, in which order, with which columns."""

    __tablename__ = "kernel_saved_view"
    __table_args__ = (
        UniqueConstraint(
            "company_id", "principal_id", "page", "name", name="uq_kernel_saved_view_name"
        ),
    )

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    company_id: UUID
    principal_id: UUID
    page: str = Field(max_length=80)
    name: str = Field(max_length=30)
    filters: dict[str, str] = Field(sa_type=JSONB)
    sort: str = Field(max_length=60)
    layout: dict[str, Any] = Field(sa_type=JSONB)
    created_at: datetime = instant_column()
