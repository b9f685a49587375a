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
    decorating = "decorating"
    occupied = "occupied"


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
    """The leaf that is billed, under the id of its node. An area that is unknown is null."""

    __tablename__ = "resources_room"
    __table_args__ = (
        *scope_keys("resources_room"),
        ForeignKeyConstraint(
            ["org_id", "id"],
            ["resources_space.org_id", "resources_space.id"],
            name="fk_resources_room_id",
            ondelete="RESTRICT",
        ),
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
