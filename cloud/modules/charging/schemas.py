"""Charging over HTTP: items, standards, runs and bills."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.kernel.money import RoundingMode, RoundingStep
from cloud.kernel.ui.language import Tone
from cloud.modules.charging.models import (
    AreaBasis,
    BandWindow,
    ItemCategory,
    Method,
    PricePer,
    Proration,
    Timing,
)
from cloud.modules.ledger.schemas import EntryOfDocument
from cloud.modules.resources.models import RoomUsage

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Named = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
UnitPrice = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=6)]
Bound = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=4)]
DueDays = Annotated[int, Field(ge=0, le=366)]


class ClosedPeriod(BaseModel):
    """Closed at both ends, as people read and type it."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid")

    first: Annotated[date, Field(alias="from")]
    last: Annotated[date, Field(alias="to")]


class TaxRate(StrEnum):
    """The rates of the value-added tax, and the levy rates (spec domain M3.12)."""

    none = "0"
    one = "0.01"
    three = "0.03"
    five = "0.05"
    six = "0.06"
    nine = "0.09"
    thirteen = "0.13"


class Income(StrEnum):
    own = "own"
    agency = "agency"


class Cycle(StrEnum):
    """Months that one bill covers."""

    month = "1"
    two_months = "2"
    quarter = "3"
    half_year = "6"
    year = "12"


class ItemRead(BaseModel):
    id: UUID
    code: str
    name: str
    category: str
    agency: str
    tax_rate: Decimal
    allocation_priority: int
    legal_entity_id: UUID
    legal_entity: str
    receivable_id: UUID
    revenue_id: UUID
    revenue: str
    state: str
    version: int


class ItemSaved(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    state: str
    version: int


class ItemFacts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name
    category: ItemCategory
    agency: Income
    tax_rate: TaxRate
    allocation_priority: Annotated[int, Field(ge=1, le=999)] = 100
    legal_entity_id: UUID
    receivable_id: UUID | None = None
    revenue_id: UUID | None = None


class ItemCreate(ItemFacts):
    code: Code


class ItemChange(ItemFacts):
    version: int


class Reason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Said


class StandardRead(BaseModel):
    id: UUID
    code: str
    name: str
    item_id: UUID
    item_name: str
    site_id: UUID
    site_name: str
    method: str
    timing: str
    cycle_months: int
    unit_price: Decimal | None
    price_unit: str
    priced: str  # by one "price", or by "bands"
    next_price: str | None
    version_number: int | None
    effective_from: date | None
    price_per: str | None
    area_basis: str | None
    proration: str | None
    rounding_step: str | None
    rounding_mode: str | None
    due_days: int
    bound: int
    state: str
    last_day: date | None
    next_version_on: date  # the first day, from today on, that a new version may begin
    version: int


class Band(BaseModel):
    """A price up to and with a bound; without one, for all above the band before."""

    model_config = ConfigDict(extra="forbid")

    upto: Bound | None = None
    unit_price: UnitPrice


class VersionLine(BaseModel):
    """`in_bands` says the bands in words, None where there is one price."""

    number: int
    unit_price: Decimal
    bands: list[Band]
    band_window: BandWindow | None
    in_bands: str | None
    effective_from: date
    effective_to: date | None
    basis: str
    note: str
    state: str


class BoundLine(BaseModel):
    room_name: str
    meter_no: str | None
    starts_on: date
    ends_on: date | None


class StandardDetail(StandardRead):
    versions: list[VersionLine]
    bindings: list[BoundLine]


class StandardSaved(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    version: int


class VersionSaved(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    standard_id: UUID
    number: int
    unit_price: Decimal
    effective_from: date


class Pricing(BaseModel):
    """One price, or bands of what a meter counts, and how it is applied."""

    model_config = ConfigDict(extra="forbid")

    unit_price: UnitPrice | None = None
    bands: Annotated[list[Band], Field(min_length=2, max_length=10)] | None = None
    band_window: BandWindow | None = None
    price_per: PricePer = PricePer.month
    area_basis: AreaBasis = AreaBasis.chargeable
    proration: Proration = Proration.actual_month
    rounding_step: RoundingStep = RoundingStep.cent
    rounding_mode: RoundingMode = RoundingMode.half_up


class VersionTrial(Pricing):
    effective_from: date


class VersionCreate(VersionTrial):
    """The contract, approval or resolution that a price rests on; a price of 0 needs a note."""

    basis: Named
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = None


class StandardTrial(VersionTrial):
    site_id: UUID
    item_id: UUID
    method: Method
    cycle_months: Cycle


class StandardCreate(VersionCreate):
    """Cycles are counted from `anchor_on`, from the year's first day when it is left open."""

    site_id: UUID
    item_id: UUID
    code: Code
    name: Name
    method: Method
    timing: Timing
    cycle_months: Cycle
    anchor_on: date | None = None
    due_days: DueDays


class StandardChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    name: Name
    due_days: DueDays


class LastDay(BaseModel):
    """The last day on which something holds, and why it ends."""

    model_config = ConfigDict(extra="forbid")

    last_day: date
    reason: Said


class BindingsEnd(LastDay):
    ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class BindingsEnded(BaseModel):
    ended: int


class StandardCopy(BaseModel):
    model_config = ConfigDict(extra="forbid")

    from_site_id: UUID
    site_id: UUID


class StandardsCopied(BaseModel):
    """`left` names the codes that the other community had already."""

    model_config = ConfigDict(from_attributes=True)

    copied: int
    skipped: int
    left: str


class BindingRead(BaseModel):
    """`next_change_on` is the first day that another standard may hold from."""

    id: UUID
    site_name: str
    room_id: UUID
    room_name: str
    item_name: str
    standard_name: str
    unit_price: Decimal | None
    price_unit: str
    meter_no: str | None
    starts_on: date
    ends_on: date | None
    state: str
    next_change_on: date
    version: int


class BindingCreate(BaseModel):
    """Rooms of the standard's community: those named, or all of a building or a use."""

    model_config = ConfigDict(extra="forbid")

    standard_id: UUID
    building_id: UUID | None = None
    usage: RoomUsage | None = None
    room_ids: Annotated[list[UUID], Field(max_length=5_000)] = []
    starts_on: date


class SkippedRoom(BaseModel):
    room_name: str
    reason: str


class BoundRooms(BaseModel):
    id: UUID
    bound: int
    skipped: int
    skips: list[SkippedRoom]


class BindingChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    standard_id: UUID
    starts_on: date


class BindingSaved(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    standard_id: UUID
    starts_on: date
    ends_on: date | None
    version: int


class RunCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site_id: UUID
    item_ids: Annotated[list[UUID], Field(min_length=1, max_length=50)]
    period: ClosedPeriod


class RunRead(BaseModel):
    id: UUID
    number: str
    site_id: UUID
    site_name: str
    period: ClosedPeriod
    items: str
    state: str
    bills: int
    amount: Decimal
    skipped: int
    created_at: datetime
    failure: str


class Progress(BaseModel):
    done: int
    total: int


class RunProgress(BaseModel):
    """The answer of every step of a run."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site_id: UUID
    number: str
    state: str
    bills: int
    amount: Decimal
    skipped: int
    progress: Progress


class RunRef(BaseModel):
    model_config = ConfigDict(extra="forbid")

    run_id: UUID


class RunEnd(BaseModel):
    """How a run's job ended. `failure` is empty when it did what it was asked."""

    model_config = ConfigDict(extra="forbid")

    run_id: UUID
    failure: str


class DraftLine(BaseModel):
    room_name: str
    item_name: str
    payer_name: str
    period: ClosedPeriod
    basis: str
    amount: Decimal
    due_on: date


class SkipLine(BaseModel):
    room_name: str
    item_name: str
    reason: str


class RunDetail(RunRead):
    progress: Progress
    drafts: list[DraftLine]
    skips: list[SkipLine]


class BillRead(BaseModel):
    id: UUID
    number: str
    site_id: UUID
    site_name: str
    room_id: UUID
    room_name: str
    payer_name: str
    item_name: str
    period: ClosedPeriod
    amount: Decimal
    paid: Decimal
    open: Decimal
    due_on: date
    overdue_days: int
    overdue_note: str | None
    state: str
    is_overdue: bool
    version: int


class Operand(BaseModel):
    value: str
    unit: str
    caption: str


class ExplainedLine(BaseModel):
    label: str
    value: str
    source: str


class Explanation(BaseModel):
    """How a bill was computed, and whether computing it again gives the same."""

    operands: list[Operand]
    raw: str
    amount: Decimal
    recomputed: bool
    lines: list[ExplainedLine]


class TimelineEvent(BaseModel):
    """`opens` is the page of the document that made it happen."""

    at: datetime
    title: str
    text: str
    who: str
    tone: Tone
    opens: str | None = None


class OverdueBySite(BaseModel):
    """What is open and past its due day in each site in scope that has any of it."""

    amounts: dict[UUID, Decimal]


class BillDetail(BillRead):
    item_code: str
    issued_on: date
    explanation: Explanation
    entries: list[EntryOfDocument]
    timeline: list[TimelineEvent]
