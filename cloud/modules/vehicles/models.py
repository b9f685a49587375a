"""Vehicles that a community knows."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Computed, Index, String, text
from sqlmodel import Field

from cloud.kernel.db import Record, enum_column, one_of, scope_keys, scoped_fk


class PlateType(StrEnum):
    fuel = "fuel"
    new_energy = "new_energy"
    hk_macau = "hk_macau"
    other = "other"
    unlicensed = "unlicensed"


class Vehicle(Record, table=True):
    """A vehicle of a room, of a party, of both or of none. Out of use from `closed_on` on.

    `plate_key` and `serial_key` are what `rules.folded` makes of the plate, and of the plate
    without its province and letter: O is 0 and I is 1.
    """

    __tablename__ = "vehicles_vehicle"
    __table_args__ = (
        *scope_keys("vehicles_vehicle"),
        *scoped_fk("vehicles_vehicle", "room_id", "resources_room"),
        *scoped_fk("vehicles_vehicle", "party_id", "customers_party"),
        Index(
            "uq_vehicles_vehicle_plate_key",
            "org_id",
            "plate_key",
            unique=True,
            postgresql_where=text("closed_on IS NULL AND plate <> ''"),
        ),
        *(
            Index(
                f"ix_vehicles_vehicle_company_id_{column}",
                "company_id",
                column,
                postgresql_ops={column: "varchar_pattern_ops"},
            )
            for column in ("plate_key", "serial_key")
        ),
        CheckConstraint("(plate = '') = (plate_type = 'unlicensed')", name="plate"),
        one_of("plate_type", PlateType),
    )

    plate: str = Field(default="", max_length=20)
    plate_type: PlateType = enum_column()
    room_id: UUID | None = None
    party_id: UUID | None = None
    brand: str = Field(default="", max_length=40)
    color: str = Field(default="", max_length=20)
    note: str = Field(default="", max_length=200)
    closed_on: date | None = None
    plate_key: str = Field(
        default=None,
        sa_column=Column(
            String(20), Computed("translate(plate, 'OI', '01')", persisted=True), nullable=False
        ),
    )
    serial_key: str = Field(
        default=None,
        sa_column=Column(
            String(20),
            Computed("substr(translate(plate, 'OI', '01'), 3)", persisted=True),
            nullable=False,
        ),
    )
