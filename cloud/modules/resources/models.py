"""Buildings, units and rooms: one tree of nodes, and what is measured of a room."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from cloud.kernel.db import (
    Record,
    enum_column,
    one_of,
    quantity_column,
    scope_keys,
    scoped_fk,
)

PATH_SEPARATOR = "-"


class SpaceKind(StrEnum):
    building = "building"
    unit = "unit"
    room = "room"


class RoomUsage(StrEnum):
    residential = "residential"
    commercial = "commercial"
    office = "office"
    parking = "parking"
    storage = "storage"


class RoomState(StrEnum):
    unbuilt = "unbuilt"
    unsold = "unsold"
    sold = "sold"
    delivered = "delivered"
    vacant = "vacant"
    decorating = "decorating"
    occupied = "occupied"
    closed = "closed"


class RoomEventKind(StrEnum):
    """A state that a room entered, under the state's own name, or another change of it."""

    unbuilt = "unbuilt"
    unsold = "unsold"
    sold = "sold"
    delivered = "delivered"
    vacant = "vacant"
    decorating = "decorating"
    occupied = "occupied"
    closed = "closed"
    area_changed = "area_changed"
    transferred = "transferred"


class Space(Record, table=True):
    """A node of a site's tree. `path` is its codes from the building down, like 3-1-1202."""

    __tablename__ = "resources_space"
    __table_args__ = (
        *scope_keys("resources_space"),
        *scoped_fk("resources_space", "parent_id", "resources_space"),
        UniqueConstraint(
            "org_id",
            "parent_id",
            "code",
            name="uq_resources_space_code",
            postgresql_nulls_not_distinct=True,
        ),
        UniqueConstraint("org_id", "path", name="uq_resources_space_path"),
        *(
            Index(
                f"ix_resources_space_company_id_{column}",
                "company_id",
                column,
                postgresql_ops={column: "varchar_pattern_ops"},
            )
            for column in ("path", "code", "full_name")
        ),
        CheckConstraint("(kind = 'building') = (parent_id IS NULL)", name="parent"),
        CheckConstraint("code <> '' AND position('-' in code) = 0", name="code"),
        one_of("kind", SpaceKind),
    )

    kind: SpaceKind = enum_column()
    parent_id: UUID | None = None
    code: str = Field(max_length=20)
    name: str = Field(max_length=60)
    path: str = Field(max_length=80)
    full_name: str = Field(max_length=200)
    sort_key: str = Field(max_length=120)


class Room(Record, table=True):
    """The leaf that is billed, under the id of its node. An area that is unknown is null.

    The areas are those that hold today; `RoomArea` knows since when.
    """

    __tablename__ = "resources_room"
    __table_args__ = (
        *scope_keys("resources_room"),
        ForeignKeyConstraint(
            ["org_id", "id"],
            ["resources_space.org_id", "resources_space.id"],
            name="fk_resources_room_id",
            ondelete="RESTRICT",
        ),
        *scoped_fk("resources_room", "room_type_id", "kernel_catalogue_entry", within="company_id"),
        CheckConstraint("building_area > 0", name="building_area"),
        CheckConstraint("inner_area > 0", name="inner_area"),
        CheckConstraint("chargeable_area > 0", name="chargeable_area"),
        CheckConstraint("coefficient > 0", name="coefficient"),
        one_of("usage", RoomUsage),
        one_of("state", RoomState),
    )

    building_area: Decimal | None = quantity_column(default=None)
    inner_area: Decimal | None = quantity_column(default=None)
    chargeable_area: Decimal | None = quantity_column(default=None)
    coefficient: Decimal = quantity_column(default=Decimal(1))
    usage: RoomUsage = enum_column()
    state: RoomState = enum_column()
    handover_on: date | None = None
    move_in_on: date | None = None
    floor: int | None = None
    room_type_id: UUID | None = None


class RoomArea(Record, table=True):
    """The areas of a room from a day on, or since ever. A room that never changed has no row."""

    __tablename__ = "resources_room_area"
    __table_args__ = (
        *scope_keys("resources_room_area"),
        *scoped_fk("resources_room_area", "room_id", "resources_room"),
        CheckConstraint("building_area > 0", name="building_area"),
        CheckConstraint("inner_area > 0", name="inner_area"),
        CheckConstraint("chargeable_area > 0", name="chargeable_area"),
    )

    room_id: UUID
    valid_from: date | None = None
    building_area: Decimal | None = quantity_column(default=None)
    inner_area: Decimal | None = quantity_column(default=None)
    chargeable_area: Decimal | None = quantity_column(default=None)
    reason: str = Field(default="", max_length=200)


class RoomEvent(Record, table=True):
    """What happened to a room on a day."""

    __tablename__ = "resources_room_event"
    __table_args__ = (
        *scope_keys("resources_room_event"),
        *scoped_fk("resources_room_event", "room_id", "resources_room"),
        one_of("kind", RoomEventKind),
    )

    room_id: UUID
    kind: RoomEventKind = enum_column()
    happened_on: date
    note: str = Field(default="", max_length=300)
