"""Charge items, standards and bindings; runs with their drafts and skips; bills and settlements.

Drafts and facts are different tables: a bill is insert-only, and what changes about it (what is
paid) stands in its settlement, which is locked to change.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKeyConstraint,
    Index,
    Numeric,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint
from sqlmodel import Field

from cloud.kernel.db import (
    Record,
    amount_column,
    enum_column,
    instant_column,
    one_of,
    price_column,
    quantity_column,
    scope_keys,
    scoped_fk,
)
from cloud.kernel.money import RoundingMode, RoundingStep


class ItemCategory(StrEnum):
    property_fee = "property_fee"
    water = "water"
    electricity = "electricity"
    gas = "gas"
    heat = "heat"
    shared = "shared"
    parking = "parking"
    other = "other"


class Method(StrEnum):
    area = "area"
    fixed = "fixed"
    metered = "metered"


class Timing(StrEnum):
    advance = "advance"
    arrears = "arrears"


class AreaBasis(StrEnum):
    chargeable = "chargeable"
    building = "building"
    inner = "inner"


class Proration(StrEnum):
    actual_month = "actual_month"
    fixed_30 = "fixed_30"
    year_365 = "year_365"
    full_month = "full_month"
    half_month = "half_month"
    next_month = "next_month"


class PricePer(StrEnum):
    month = "month"
    cycle = "cycle"


class BandWindow(StrEnum):
    """How long use is added up before the bands begin again."""

    month = "month"
    year = "year"


class ItemState(StrEnum):
    active = "active"
    disabled = "disabled"


class RunState(StrEnum):
    draft = "draft"
    previewed = "previewed"
    generating = "generating"
    generated = "generated"
    publishing = "publishing"
    published = "published"
    cancelled = "cancelled"


class SkipReason(StrEnum):
    area_missing = "area_missing"
    price_missing = "price_missing"
    payer_missing = "payer_missing"
    reading_missing = "reading_missing"
    reading_stale = "reading_stale"
    reading_in_review = "reading_in_review"
    reading_below_last = "reading_below_last"
    earlier_unbilled = "earlier_unbilled"
    already_billed = "already_billed"


class Item(Record, table=True):
    """What is charged for, and where it posts. Nature and tax are fixed once it has bills."""

    __tablename__ = "charging_item"
    __table_args__ = (
        *scope_keys("charging_item"),
        UniqueConstraint("org_id", "code", name="uq_charging_item_code"),
        *scoped_fk(
            "charging_item", "legal_entity_id", "organization_legal_entity", within="company_id"
        ),
        *scoped_fk("charging_item", "receivable_id", "ledger_account", within="company_id"),
        *scoped_fk("charging_item", "revenue_id", "ledger_account", within="company_id"),
        *scoped_fk("charging_item", "tax_id", "ledger_account", within="company_id"),
        *scoped_fk("charging_item", "advance_id", "ledger_account", within="company_id"),
        one_of("category", ItemCategory),
        # 物业管理条例 44: collecting for a utility adds nothing, so it carries no tax of ours.
        CheckConstraint("NOT is_agency OR tax_rate = 0", name="agency_untaxed"),
        CheckConstraint("tax_rate >= 0 AND tax_rate < 1", name="tax_rate"),
        one_of("state", ItemState),
    )

    code: str = Field(max_length=40)
    name: str = Field(max_length=60)
    category: ItemCategory = enum_column()
    is_agency: bool = False
    tax_rate: Decimal = quantity_column()
    allocation_priority: int = 100
    legal_entity_id: UUID
    receivable_id: UUID
    revenue_id: UUID
    tax_id: UUID
    advance_id: UUID
    state: ItemState = enum_column(default=ItemState.active)


class Standard(Record, table=True):
    """How an item is charged: the method and the cycle. Prices are its versions.

    From `closed_on` it holds for nothing; whoever needs it again makes a new one.
    """

    __tablename__ = "charging_standard"
    __table_args__ = (
        *scope_keys("charging_standard"),
        UniqueConstraint("org_id", "code", name="uq_charging_standard_code"),
        *scoped_fk("charging_standard", "item_id", "charging_item", within="company_id"),
        one_of("method", Method),
        one_of("timing", Timing),
        CheckConstraint("cycle_months IN (1, 2, 3, 6, 12)", name="cycle_months"),
        CheckConstraint("due_days BETWEEN 0 AND 366", name="due_days"),
    )

    item_id: UUID
    code: str = Field(max_length=40)
    name: str = Field(max_length=60)
    method: Method = enum_column()
    timing: Timing = enum_column()
    cycle_months: int
    anchor_on: date
    due_days: int
    closed_on: date | None = None


class StandardVersion(Record, table=True):
    """The price of a standard from one date to another, half-open. Versions never overlap, and
    each but the first begins the day another one ends: the key on `follows_on` leaves no gap.

    `bands` are [{"upto", "unit_price"}], ascending, the last without a bound; `unit_price` is then
    that of the first.
    """

    __tablename__ = "charging_standard_version"
    __table_args__ = (
        *scope_keys("charging_standard_version"),
        *scoped_fk(
            "charging_standard_version", "standard_id", "charging_standard", within="company_id"
        ),
        UniqueConstraint("standard_id", "number", name="uq_charging_standard_version_number"),
        UniqueConstraint(
            "company_id",
            "standard_id",
            "effective_to",
            name="uq_charging_standard_version_effective_to",
        ),
        ForeignKeyConstraint(
            ["company_id", "standard_id", "follows_on"],
            [
                f"charging_standard_version.{column}"
                for column in ("company_id", "standard_id", "effective_to")
            ],
            name="fk_charging_standard_version_follows_on",
            ondelete="RESTRICT",
        ),
        Index("ix_charging_standard_version_follows_on", "standard_id", "follows_on"),
        ExcludeConstraint(
            ("standard_id", "="),
            (text("daterange(effective_from, effective_to)"), "&&"),
            name="ex_charging_standard_version_overlap",
            using="gist",
        ),
        one_of("area_basis", AreaBasis),
        one_of("proration", Proration),
        one_of("price_per", PricePer),
        one_of("rounding_step", RoundingStep),
        one_of("rounding_mode", RoundingMode),
        one_of("band_window", BandWindow),
        CheckConstraint("(bands IS NULL) = (band_window IS NULL)", name="bands"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
    )

    standard_id: UUID
    number: int
    unit_price: Decimal = price_column()
    bands: list[dict[str, Any]] | None = Field(default=None, sa_type=JSONB(none_as_null=True))
    band_window: BandWindow | None = enum_column(default=None)
    price_per: PricePer = enum_column()
    area_basis: AreaBasis = enum_column()
    proration: Proration = enum_column()
    rounding_step: RoundingStep = enum_column()
    rounding_mode: RoundingMode = enum_column()
    effective_from: date
    effective_to: date | None = None
    basis: str = Field(default="", max_length=120)
    note: str = Field(default="", max_length=200)
    follows_on: date | None = Field(
        default=None,
        sa_column=Column(
            Date, Computed("CASE WHEN number > 1 THEN effective_from END", persisted=True)
        ),
    )


class Binding(Record, table=True):
    """A standard that holds for a room, or for one of its meters, from one date to another."""

    __tablename__ = "charging_binding"
    __table_args__ = (
        *scope_keys("charging_binding"),
        *scoped_fk("charging_binding", "standard_id", "charging_standard", within="company_id"),
        *scoped_fk("charging_binding", "item_id", "charging_item", within="company_id"),
        *scoped_fk("charging_binding", "room_id", "resources_room"),
        *scoped_fk("charging_binding", "meter_id", "metering_meter"),
        ExcludeConstraint(
            ("room_id", "="),
            ("item_id", "="),
            (text("coalesce(meter_id, room_id)"), "="),
            (text("daterange(starts_on, ends_on)"), "&&"),
            name="ex_charging_binding_overlap",
            using="gist",
        ),
        CheckConstraint("ends_on > starts_on", name="period"),
    )

    standard_id: UUID
    item_id: UUID
    room_id: UUID
    meter_id: UUID | None = None
    starts_on: date
    ends_on: date | None = None


class Run(Record, table=True):
    """One billing of a community for a period: draft → preview → generate → publish."""

    __tablename__ = "charging_run"
    __table_args__ = (
        *scope_keys("charging_run"),
        UniqueConstraint("org_id", "number", name="uq_charging_run_number"),
        CheckConstraint("period_to > period_from", name="period"),
        one_of("state", RunState),
    )

    number: str = Field(max_length=32)
    period_from: date
    period_to: date
    item_ids: list[UUID] = Field(sa_type=ARRAY(Uuid()))
    state: RunState = enum_column()
    work_total: int = 0
    work_done: int = 0
    bills: int = 0
    amount: Decimal = amount_column()
    skipped: int = 0
    posted_at: datetime | None = instant_column(default=None)
    failure: str = Field(default="", max_length=300)

    @property
    def site_id(self) -> UUID:
        return self.org_id

    @property
    def progress(self) -> dict[str, int]:
        """Bindings worked through, of how many."""
        return {"done": min(self.work_done, self.work_total), "total": self.work_total}


class Charge(Record):
    """What a draft and a bill have in common: the computed charge and all it came from."""

    run_id: UUID
    binding_id: UUID
    room_id: UUID
    room_name: str = Field(max_length=80)
    payer_id: UUID
    payer_name: str = Field(max_length=60)
    item_id: UUID
    legal_entity_id: UUID
    cycle_from: date
    period_from: date
    period_to: date
    quantity: Decimal = quantity_column()
    unit_price: Decimal = price_column()
    raw_amount: Decimal = Field(sa_type=Numeric)
    amount: Decimal = amount_column()
    tax: Decimal = amount_column()
    due_on: date
    snapshot: dict[str, Any] = Field(sa_type=JSONB)


class Draft(Charge, table=True):
    """A computed charge that is not yet a fact; cancelled with its run."""

    __tablename__ = "charging_draft"
    __table_args__ = (
        *scope_keys("charging_draft"),
        *scoped_fk("charging_draft", "run_id", "charging_run"),
        UniqueConstraint("run_id", "binding_id", "cycle_from", name="uq_charging_draft_charge"),
    )


class Skip(Record, table=True):
    """An object that a run left out, and why. Never a zero bill in its place."""

    __tablename__ = "charging_skip"
    __table_args__ = (
        *scoped_fk("charging_skip", "run_id", "charging_run"),
        UniqueConstraint("run_id", "binding_id", "cycle_from", name="uq_charging_skip_charge"),
        one_of("reason", SkipReason),
    )

    run_id: UUID
    binding_id: UUID
    cycle_from: date
    room_name: str = Field(max_length=80)
    item_id: UUID
    reason: SkipReason = enum_column()


class Bill(Charge, table=True):
    """A receivable. Insert-only: corrections are linked opposite documents."""

    __tablename__ = "charging_bill"
    __table_args__ = (
        *scope_keys("charging_bill"),
        *scoped_fk("charging_bill", "run_id", "charging_run"),
        *scoped_fk("charging_bill", "binding_id", "charging_binding"),
        *scoped_fk("charging_bill", "room_id", "resources_room"),
        *scoped_fk("charging_bill", "payer_id", "customers_party"),
        *scoped_fk("charging_bill", "item_id", "charging_item", within="company_id"),
        UniqueConstraint("org_id", "number", name="uq_charging_bill_number"),
        Index(
            "ix_charging_bill_company_id_number",
            "company_id",
            "number",
            postgresql_ops={"number": "varchar_pattern_ops"},
        ),
        UniqueConstraint("binding_id", "cycle_from", name="uq_charging_bill_charge"),
        CheckConstraint("amount >= 0 AND tax >= 0 AND tax <= amount", name="amount"),
        CheckConstraint("period_to > period_from", name="period"),
        Index("ix_charging_bill_org_id_due_on", "org_id", "due_on"),
        Index("ix_charging_bill_company_id_cycle_from", "company_id", "cycle_from"),
    )

    number: str = Field(max_length=32)
    issued_on: date


class Settlement(Record, table=True):
    """What has been paid of a bill; the id is the bill's. Receipts lock this row, in id order."""

    __tablename__ = "charging_settlement"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "id"],
            ["charging_bill.org_id", "charging_bill.id"],
            name="fk_charging_settlement_id",
            ondelete="RESTRICT",
        ),
        CheckConstraint("paid >= 0 AND paid <= amount", name="paid"),
        Index(
            "ix_charging_settlement_open", "org_id", "id", postgresql_where=text("paid < amount")
        ),
    )

    amount: Decimal = amount_column()
    paid: Decimal = amount_column()
