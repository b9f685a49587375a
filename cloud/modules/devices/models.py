"""Gateways, devices, points and their last values; telemetry; commands; what happened."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from cloud.kernel.db import (
    Record,
    UtcDateTime,
    big_integer_column,
    enum_column,
    instant_column,
    one_of,
    price_column,
    scope_keys,
    scoped_fk,
)


class GatewayState(StrEnum):
    never = "never"
    online = "online"
    offline = "offline"


class DeviceKind(StrEnum):
    electricity = "electricity"
    water = "water"
    gas = "gas"
    heat = "heat"
    other = "other"


class DeviceState(StrEnum):
    """disabled: not read any more; what it measured stays."""

    in_use = "in_use"
    disabled = "disabled"


class PointLane(StrEnum):
    """meter: a billing register. tele: a measurement for the live screen."""

    meter = "meter"
    tele = "tele"


class CommandState(StrEnum):
    sent = "sent"
    accepted = "accepted"
    finished = "finished"


class CommandOutcome(StrEnum):
    """unknown: the order left and no answer came in time; it may or may not have had effect."""

    done = "done"
    failed = "failed"
    rejected = "rejected"
    expired = "expired"
    unknown = "unknown"


class EventKind(StrEnum):
    gateway_online = "gateway_online"
    gateway_offline = "gateway_offline"
    gap = "gap"
    command_done = "command_done"
    command_failed = "command_failed"


def point_fk(table: str) -> tuple[ForeignKeyConstraint, Index]:
    """A reference to a point of the same site by its number."""
    return (
        ForeignKeyConstraint(
            ["org_id", "point_no"],
            ["devices_point.org_id", "devices_point.point_no"],
            name=f"fk_{table}_point_no",
            ondelete="RESTRICT",
        ),
        Index(f"ix_{table}_point_no", "point_no"),
    )


class Gateway(Record, table=True):
    """The box of a site. `backlog` counts what it holds and the platform has not committed."""

    __tablename__ = "devices_gateway"
    __table_args__ = (
        *scope_keys("devices_gateway"),
        UniqueConstraint("org_id", name="uq_devices_gateway_site"),
        UniqueConstraint("company_id", "code", name="uq_devices_gateway_code"),
        one_of("state", GatewayState),
    )

    code: str = Field(max_length=64)
    state: GatewayState = enum_column(default=GatewayState.never)
    since: datetime | None = instant_column(default=None)
    seen_at: datetime | None = instant_column(default=None)
    epoch: UUID | None = None
    boot_id: UUID | None = None
    backlog: int = big_integer_column(default=0)
    config_hash: str = Field(default="", max_length=64)
    agent_version: str = Field(default="", max_length=40)


class Device(Record, table=True):
    """A meter or another apparatus on one of a gateway's buses."""

    __tablename__ = "devices_device"
    __table_args__ = (
        *scope_keys("devices_device"),
        *scoped_fk("devices_device", "gateway_id", "devices_gateway"),
        *scoped_fk("devices_device", "space_id", "resources_space"),
        UniqueConstraint("org_id", "code", name="uq_devices_device_code"),
        UniqueConstraint("gateway_id", "bus", "unit_id", name="uq_devices_device_address"),
        CheckConstraint("unit_id BETWEEN 0 AND 247", name="unit_id"),
        one_of("kind", DeviceKind),
        one_of("state", DeviceState),
    )

    gateway_id: UUID
    bus: str = Field(max_length=20)
    unit_id: int
    code: str = Field(max_length=40)
    name: str = Field(max_length=60)
    kind: DeviceKind = enum_column()
    place: str = Field(default="", max_length=120)
    space_id: UUID | None = None
    state: DeviceState = enum_column(default=DeviceState.in_use)


class Point(Record, table=True):
    """One value of a device, and where its registers are. value = register × scale."""

    __tablename__ = "devices_point"
    __table_args__ = (
        *scope_keys("devices_point"),
        *scoped_fk("devices_point", "device_id", "devices_device"),
        UniqueConstraint("point_no", name="uq_devices_point_point_no"),
        UniqueConstraint("org_id", "point_no", name="uq_devices_point_org_id_point_no"),
        UniqueConstraint("device_id", "code", name="uq_devices_point_code"),
        CheckConstraint("address BETWEEN 0 AND 65535", name="address"),
        CheckConstraint("digits BETWEEN 0 AND 6", name="digits"),
        CheckConstraint("every_s BETWEEN 1 AND 86400", name="every_s"),
        CheckConstraint("register_table IN ('holding', 'input')", name="register_table"),
        one_of("lane", PointLane),
    )

    point_no: int | None = Field(
        default=None, sa_column=Column(Integer, Identity(always=True), nullable=False)
    )
    device_id: UUID
    code: str = Field(max_length=40)
    label: str = Field(max_length=40)
    unit: str = Field(max_length=12)
    digits: int
    lane: PointLane = enum_column()
    register_table: str = Field(max_length=10)
    address: int
    register_type: str = Field(max_length=10)
    word_order: str = Field(default="big", max_length=6)
    scale: Decimal = price_column()
    every_s: int = 60


class Twin(SQLModel, table=True):
    """The newest value of a point. `value` is null while its quality is bad."""

    __tablename__ = "devices_twin"
    __table_args__ = (point_fk("devices_twin")[0],)

    point_no: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    company_id: UUID
    org_id: UUID = Field(index=True)
    value: float | None = Field(default=None, sa_type=Double)
    quality: int = Field(sa_type=SmallInteger)
    measured_at: datetime = instant_column()
    received_at: datetime = instant_column()


class Watermark(SQLModel, table=True):
    """The next sequence number that a lane of an outbox may send. The row is the lock."""

    __tablename__ = "devices_watermark"

    org_id: UUID = Field(primary_key=True)
    lane: str = Field(primary_key=True, max_length=10)
    epoch: UUID = Field(primary_key=True)
    company_id: UUID
    next_seq: int = big_integer_column()
    updated_at: datetime = instant_column()


class Gap(Record, table=True):
    """Readings that will never come, and why. Nothing is dropped without one."""

    __tablename__ = "devices_gap"
    __table_args__ = (
        *scope_keys("devices_gap"),
        Index("ix_devices_gap_org_id_created_at", "org_id", "created_at"),
    )

    lane: str = Field(max_length=10)
    epoch: UUID | None = None
    seq_from: int | None = big_integer_column(default=None)
    seq_to: int | None = big_integer_column(default=None)
    from_at: datetime | None = instant_column(default=None)
    to_at: datetime | None = instant_column(default=None)
    count: int | None = big_integer_column(default=None)
    reason: str = Field(max_length=500)


class DeviceCommand(Record, table=True):
    """An order to a device, and what became of it. Its id is the command's on the wire."""

    __tablename__ = "devices_command"
    __table_args__ = (
        *scope_keys("devices_command"),
        *point_fk("devices_command"),
        CheckConstraint("op IN ('read_now', 'write')", name="op"),
        CheckConstraint("(state = 'finished') = (outcome IS NOT NULL)", name="finished"),
        one_of("state", CommandState),
        one_of("outcome", CommandOutcome),
    )

    point_no: int
    op: str = Field(max_length=10)
    argument: float | None = Field(default=None, sa_type=Double)
    issued_at: datetime = instant_column()
    expires_at: datetime = instant_column()
    state: CommandState = enum_column(default=CommandState.sent)
    outcome: CommandOutcome | None = enum_column(default=None)
    value: float | None = Field(default=None, sa_type=Double)
    measured_at: datetime | None = instant_column(default=None)
    detail: str = Field(default="", max_length=500)
    finished_at: datetime | None = instant_column(default=None)


class SiteEvent(Record, table=True):
    """A line of the live screen's timeline; its text is made from `kind` and `params` when read."""

    __tablename__ = "devices_event"
    __table_args__ = (
        *scope_keys("devices_event"),
        Index("ix_devices_event_org_id_at", "org_id", "at"),
        one_of("kind", EventKind),
    )

    at: datetime = instant_column()
    kind: EventKind = enum_column()
    params: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, nullable=False)


# Which company a site belongs to, for a host that knows a topic only. No policy: the app has no
# right on it but through the functions of the migration.
UplinkSite = Table(
    "devices_uplink_site",
    SQLModel.metadata,
    Column("site_id", Uuid, primary_key=True),
    Column("company_id", Uuid, nullable=False),
)

# Partitioned by month; filled by hosts with COPY into the partition named, read through a policy.
Telemetry = Table(
    "devices_telemetry",
    SQLModel.metadata,
    Column("point_no", Integer, nullable=False),
    Column("measured_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("value", Double, nullable=False),
    Column("quality", SmallInteger, nullable=False),
    Index("ix_devices_telemetry_point_no_measured_at", "point_no", "measured_at"),
)
