"""The room grid and the whole of one room over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.receiving.schemas.counter import DepositAtCounter, PrepaidAtCounter, Shown


class BuildingOnGrid(BaseModel):
    """`arrears_rate` is what is overdue of all that has fallen due; null before anything has."""

    id: UUID
    code: str
    name: str
    rooms: int
    in_arrears: int
    overdue: Decimal
    arrears_rate: Decimal | None


class BuildingsOnGrid(BaseModel):
    items: list[BuildingOnGrid]


class Cell(BaseModel):
    """A room of the grid. `months` counts those begun since its oldest overdue bill fell due."""

    id: UUID
    code: str
    name: str
    full_name: str
    unit: str
    floor: int | None
    area: Decimal | None
    usage: str
    state: Shown
    look: str
    open: Decimal
    overdue: Decimal
    months: int
    payer_name: str
    phone_masked: str


class BuildingGrid(BaseModel):
    id: UUID
    code: str
    name: str
    open: Decimal
    cells: list[Cell]


class RoomFacts(BaseModel):
    id: UUID
    name: str
    code: str
    site_id: UUID
    site_name: str
    building_id: UUID
    floor: int | None
    usage: str
    state: Shown
    building_area: Decimal | None
    inner_area: Decimal | None
    chargeable_area: Decimal | None
    payer_name: str


class PersonOfRoom(BaseModel):
    """A role over time. `state` says whether it holds today, will, or has ended."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    party_id: UUID
    name: str
    phone_masked: str
    role: str
    relation: str
    share: Decimal | None
    valid_from: date
    last_on: date | None
    is_payer: bool
    state: str


class BillOfRoom(BaseModel):
    id: UUID
    number: str
    item_name: str
    period: ClosedPeriod
    amount: Decimal
    open: Decimal
    due_on: date
    overdue_days: int
    state: Shown


class ReceiptOfRoom(BaseModel):
    id: UUID
    number: str
    received_at: datetime
    method_name: str
    amount: Decimal
    state: Shown


class MonthOfMeter(BaseModel):
    """`usage` is null where no reading tells it."""

    month: str
    usage: Decimal | None


class MeterInRoom(BaseModel):
    id: UUID
    no: str
    kind: Shown
    unit: str
    state: Shown
    last_value: Decimal | None
    last_on: date | None
    months: list[MonthOfMeter]


class VehicleOfRoom(BaseModel):
    id: UUID
    plate: str
    plate_type: Shown
    party_name: str
    brand: str
    color: str


class BindingOfRoom(BaseModel):
    """`last_on` is the last day that the standard holds; null while no end is set."""

    id: UUID
    item_name: str
    standard_name: str
    meter_no: str
    starts_on: date
    last_on: date | None
    state: Shown


class EventOfRoom(BaseModel):
    kind: Shown
    happened_on: date
    note: str
    who: str


class RoomProfile(BaseModel):
    """All that is known of one room; bills and receipts are the latest ones. `vehicles` is empty
    for who may not read them."""

    room: RoomFacts
    people: list[PersonOfRoom]
    open_total: Decimal
    overdue: Decimal
    bills: list[BillOfRoom]
    receipts: list[ReceiptOfRoom]
    prepaid: list[PrepaidAtCounter]
    deposits: list[DepositAtCounter]
    meters: list[MeterInRoom]
    bindings: list[BindingOfRoom]
    vehicles: list[VehicleOfRoom]
    events: list[EventOfRoom]
