"""Meters, their readings, and changes of the apparatus behind a meter."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from cloud.kernel.db import (
    Record,
    enum_column,
    instant_column,
    one_of,
    quantity_column,
    scope_keys,
    scoped_fk,
)


class MeterKind(StrEnum):
    electricity = "electricity"
    water = "water"
    gas = "gas"
    heat = "heat"


class MeterState(StrEnum):
    in_use = "in_use"
    removed = "removed"


class ReadingSource(StrEnum):
    manual = "manual"
    imported = "import"
    iot = "iot"
    self_read = "self"
    estimate = "estimate"


class ReadingState(StrEnum):
    """review: implausible, waits for a person. rejected: never used."""

    verified = "verified"
    review = "review"
    rejected = "rejected"


class ReadingReason(StrEnum):
    """Why a reading is not verified."""

    none = ""
    below_last = "below_last"
    too_many_digits = "too_many_digits"
    too_high = "too_high"
    refused = "refused"


class Meter(Record, table=True):
    """A place where use is measured. It outlives the apparatus: a change keeps the meter.

    `digits` are those before the decimal point; at 10^digits the register begins again.
    """

    __tablename__ = "metering_meter"
    __table_args__ = (
        *scope_keys("metering_meter"),
        *scoped_fk("metering_meter", "room_id", "resources_room"),
        *scoped_fk("metering_meter", "space_id", "resources_space"),
        *scoped_fk("metering_meter", "parent_id", "metering_meter"),
        ForeignKeyConstraint(
            ["org_id", "point_no"],
            ["devices_point.org_id", "devices_point.point_no"],
            name="fk_metering_meter_point_no",
            ondelete="RESTRICT",
        ),
        UniqueConstraint("company_id", "no", name="uq_metering_meter_no"),
        Index(
            "uq_metering_meter_point_no",
            "point_no",
            unique=True,
            postgresql_where=text("state <> 'removed'"),
        ),
        CheckConstraint("multiplier > 0", name="multiplier"),
        CheckConstraint("digits BETWEEN 3 AND 9", name="digits"),
        CheckConstraint("initial_value >= 0", name="initial_value"),
        CheckConstraint("(state = 'removed') = (removed_on IS NOT NULL)", name="removed_on"),
        one_of("kind", MeterKind),
        one_of("state", MeterState),
    )

    no: str = Field(max_length=40)
    kind: MeterKind = enum_column()
    room_id: UUID | None = None
    space_id: UUID | None = None
    parent_id: UUID | None = None
    multiplier: Decimal = quantity_column(default=Decimal(1))
    digits: int
    can_roll_over: bool = True
    point_no: int | None = None
    initial_value: Decimal = quantity_column()
    installed_on: date
    removed_on: date | None = None
    state: MeterState = enum_column(default=MeterState.in_use)


class Reading(Record, table=True):
    """What a register showed at an instant: a fact. Only its state may change, by a review."""

    __tablename__ = "metering_reading"
    __table_args__ = (
        *scope_keys("metering_reading"),
        *scoped_fk("metering_reading", "meter_id", "metering_meter"),
        UniqueConstraint("meter_id", "read_at", name="uq_metering_reading_meter_id_read_at"),
        Index("ix_metering_reading_org_id_read_at", "org_id", "read_at"),
        CheckConstraint("value >= 0", name="value"),
        one_of("source", ReadingSource),
        one_of("state", ReadingState),
        one_of("reason", ReadingReason),
    )

    meter_id: UUID
    read_at: datetime = instant_column()
    reading_on: date
    value: Decimal = quantity_column()
    source: ReadingSource = enum_column()
    state: ReadingState = enum_column()
    reason: ReadingReason = enum_column(default=ReadingReason.none)


class MeterChange(Record, table=True):
    """Another apparatus took the place: the old register's last value, the new one's first."""

    __tablename__ = "metering_change"
    __table_args__ = (
        *scope_keys("metering_change"),
        *scoped_fk("metering_change", "meter_id", "metering_meter"),
        UniqueConstraint("meter_id", "changed_at", name="uq_metering_change_meter_id_changed_at"),
        CheckConstraint("old_final >= 0 AND new_initial >= 0", name="values"),
    )

    meter_id: UUID
    changed_at: datetime = instant_column()
    changed_on: date
    old_final: Decimal = quantity_column()
    new_initial: Decimal = quantity_column()
    reason: str = Field(default="", max_length=200)
