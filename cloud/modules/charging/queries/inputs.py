"""What a run computes from: bindings with their rooms, prices, payers and readings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Date, Integer, Uuid, and_, any_, bindparam, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.hot import Hot, id_array
from cloud.kernel.listing import count
from cloud.kernel.money import RoundingMode, RoundingStep
from cloud.kernel.periods import Period
from cloud.modules.charging.models import (
    AreaBasis,
    BandWindow,
    Bill,
    Binding,
    Item,
    Method,
    PricePer,
    Proration,
    Run,
    SkipReason,
    Standard,
    StandardVersion,
    Timing,
)
from cloud.modules.charging.queries.bands import BandUse, Place, band_use
from cloud.modules.charging.rules import (
    AREA_UNIT,
    HOUSEHOLD,
    AreaPart,
    Basis,
    Price,
    Readings,
    bands_of,
    bands_since,
    cut_by_area,
    due_cycles,
    held_part,
    segments_of,
)
from cloud.modules.customers import queries as customers
from cloud.modules.metering import queries as metering
from cloud.modules.metering.models import Meter, MeterKind
from cloud.modules.metering.queries import UNITS, NoUsage, PeriodUsage
from cloud.modules.resources import queries as resources
from cloud.modules.resources.models import Room, Space
from cloud.modules.resources.queries import AreaHeld

_NO_USAGE = {
    NoUsage.missing: SkipReason.reading_missing,
    NoUsage.stale: SkipReason.reading_stale,
    NoUsage.review: SkipReason.reading_in_review,
    NoUsage.below: SkipReason.reading_below_last,
}


class Bound(NamedTuple):
    """A binding with all of its room, item and standard that a charge needs."""

    binding_id: UUID
    room_id: UUID
    room_name: str
    meter_id: UUID | None
    meter_no: str | None
    meter_kind: str | None
    digits: int | None
    can_roll_over: bool | None
    starts_on: date
    ends_on: date | None
    building_area: Decimal | None
    inner_area: Decimal | None
    chargeable_area: Decimal | None
    coefficient: Decimal
    item_id: UUID
    legal_entity_id: UUID
    tax_rate: Decimal
    standard_id: UUID
    standard_name: str
    method: Method
    timing: Timing
    cycle_months: int
    anchor_on: date
    due_days: int


class Payer(NamedTuple):
    id: UUID
    name: str


class Charged(NamedTuple):
    """One cycle of one binding: a basis with its payer, or the reason why there is none."""

    bound: Bound
    cycle: Period
    period: Period
    outcome: Basis | SkipReason
    payer: Payer | None


# A binding with one of the cycles that a run bills, and the part of it in which the binding holds.
Due = tuple[Bound, Period, Period]

_BEFORE_ALL = UUID(int=0)


async def count_bindings(ctx: Ctx, run: Run) -> int:
    bound = select(col(Binding.id)).where(*_bindings_of(run), col(Binding.org_id) == run.org_id)
    return await count(ctx, bound)


async def charges_of(
    ctx: Ctx, run: Run, *, after: UUID | None, limit: int
) -> tuple[list[Charged], UUID | None]:
    """The charges of the next `limit` bindings after `after`, and where to go on, None at the end.

    A handful of queries whatever the number of bindings.
    """
    bound = await _bound(ctx, run, after=after, limit=limit)
    if not bound:
        return [], None
    prices = await _prices(ctx, {each.standard_id for each in bound})
    due = _due(bound, run)
    facts = _Facts(
        prices=prices,
        billed=await _billed(ctx, due),
        payers=await _payers(ctx, run, due),
        usages=await _usages(ctx, due),
        areas=await resources.areas_of_rooms(
            ctx, {each.room_id for each in bound if each.method is Method.area}
        ),
    )
    facts.bands = await band_use(ctx, _places(due, facts))
    charges = [_charge(each, cycle, period, facts) for each, cycle, period in due]
    return charges, bound[-1].binding_id if len(bound) == limit else None


def _bindings_of(run: Run) -> list[Any]:
    return [
        col(Binding.item_id).in_(run.item_ids),
        col(Binding.starts_on) < run.period_to,
    ]


def _bound_row(*values: Any) -> Bound:
    bound = Bound(*values)
    return bound._replace(method=Method(bound.method), timing=Timing(bound.timing))


_RUN_ORG = bindparam("org_id", type_=Uuid())
_BOUND = Hot(
    (
        select(
            col(Binding.id).label("binding_id"),
            col(Binding.room_id).label("room_id"),
            col(Space.full_name).label("room_name"),
            col(Binding.meter_id).label("meter_id"),
            col(Meter.no).label("meter_no"),
            col(Meter.kind).label("meter_kind"),
            col(Meter.digits).label("digits"),
            col(Meter.can_roll_over).label("can_roll_over"),
            col(Binding.starts_on).label("starts_on"),
            col(Binding.ends_on).label("ends_on"),
            col(Room.building_area).label("building_area"),
            col(Room.inner_area).label("inner_area"),
            col(Room.chargeable_area).label("chargeable_area"),
            col(Room.coefficient).label("coefficient"),
            col(Item.id).label("item_id"),
            col(Item.legal_entity_id).label("legal_entity_id"),
            col(Item.tax_rate).label("tax_rate"),
            col(Standard.id).label("standard_id"),
            col(Standard.name).label("standard_name"),
            col(Standard.method).label("method"),
            col(Standard.timing).label("timing"),
            col(Standard.cycle_months).label("cycle_months"),
            col(Standard.anchor_on).label("anchor_on"),
            col(Standard.due_days).label("due_days"),
        )
        .select_from(Binding)
        .join(Standard, col(Standard.id) == col(Binding.standard_id))
        .join(Item, col(Item.id) == col(Binding.item_id))
        .join(Room, and_(col(Room.org_id) == _RUN_ORG, col(Room.id) == col(Binding.room_id)))
        .join(Space, and_(col(Space.org_id) == _RUN_ORG, col(Space.id) == col(Binding.room_id)))
        .outerjoin(
            Meter, and_(col(Meter.org_id) == _RUN_ORG, col(Meter.id) == col(Binding.meter_id))
        )
        .where(
            col(Binding.org_id) == _RUN_ORG,
            col(Binding.item_id) == any_(bindparam("item_ids", type_=ARRAY(Uuid()))),
            col(Binding.starts_on) < bindparam("until", type_=Date()),
            col(Binding.id) > bindparam("after", type_=Uuid()),
        )
        .order_by(col(Binding.id))
        .limit(bindparam("limit", type_=Integer()))
    ),
    _bound_row,
)


async def _bound(ctx: Ctx, run: Run, *, after: UUID | None, limit: int) -> list[Bound]:
    return await _BOUND.all(
        ctx.session,
        org_id=run.org_id,
        item_ids=run.item_ids,
        until=run.period_to,
        after=after or _BEFORE_ALL,
        limit=limit,
    )


async def _prices(ctx: Ctx, standard_ids: set[UUID]) -> dict[UUID, list[Price]]:
    found = await ctx.session.execute(
        select(StandardVersion).where(col(StandardVersion.standard_id).in_(standard_ids))
    )
    prices: dict[UUID, list[Price]] = defaultdict(list)
    for version in found.scalars():
        prices[version.standard_id].append(
            Price(
                version_id=version.id,
                number=version.number,
                unit_price=version.unit_price,
                price_per=PricePer(version.price_per),
                area_basis=AreaBasis(version.area_basis),
                proration=Proration(version.proration),
                rounding_step=RoundingStep(version.rounding_step),
                rounding_mode=RoundingMode(version.rounding_mode),
                start=version.effective_from,
                end=version.effective_to,
                bands=bands_of(version.bands),
                band_window=BandWindow(version.band_window) if version.band_window else None,
            )
        )
    return prices


def _due(bound: Sequence[Bound], run: Run) -> list[Due]:
    """Each cycle that the run bills, with its held part: once for all that are bound alike."""
    alike: dict[tuple[Any, ...], list[tuple[Period, Period]]] = {}
    found = []
    for each in bound:
        terms = (each.standard_id, each.starts_on, each.ends_on)
        if terms not in alike:
            alike[terms] = [(cycle, _held(each, cycle)) for cycle in _cycles(each, run)]
        found += [(each, cycle, period) for cycle, period in alike[terms]]
    return found


def _cycles(bound: Bound, run: Run) -> list[Period]:
    return due_cycles(
        anchor=bound.anchor_on,
        months=bound.cycle_months,
        timing=bound.timing,
        run=Period(run.period_from, run.period_to),
        starts_on=bound.starts_on,
        ends_on=bound.ends_on,
    )


def _held(bound: Bound, cycle: Period) -> Period:
    held = held_part(cycle, starts_on=bound.starts_on, ends_on=bound.ends_on)
    assert held is not None, "only held cycles are due"
    return held


_BILLED = Hot(
    select(col(Bill.binding_id), col(Bill.cycle_from)).where(
        col(Bill.binding_id) == any_(bindparam("binding_ids", type_=ARRAY(Uuid()))),
        col(Bill.cycle_from) == any_(bindparam("cycles", type_=ARRAY(Date()))),
    ),
    lambda *row: row,
)


async def _billed(ctx: Ctx, due: Sequence[Due]) -> set[tuple[UUID, date]]:
    found = await _BILLED.all(
        ctx.session,
        binding_ids=id_array(bound.binding_id for bound, _, _ in due),
        cycles=list({cycle.start for _, cycle, _ in due}),
    )
    return set(found)


async def _payers(ctx: Ctx, run: Run, due: Sequence[Due]) -> dict[date, dict[UUID, Payer]]:
    """Who pays for each room on the first day of each cycle."""
    rooms: dict[date, set[UUID]] = defaultdict(set)
    for bound, cycle, _ in due:
        rooms[cycle.start].add(bound.room_id)
    found = {}
    for day, room_ids in rooms.items():
        payers = await customers.payers_on(ctx, run.org_id, day, room_ids=room_ids)
        found[day] = {room_id: Payer(*payer) for room_id, payer in payers.items()}
    return found


async def _usages(ctx: Ctx, due: Sequence[Due]) -> dict[tuple[UUID, Period], PeriodUsage]:
    """Use of every metered charge. A period opens with the reading that billed the one before."""
    by_period: dict[Period, dict[UUID, UUID]] = defaultdict(dict)
    for bound, _, period in due:
        if bound.meter_id is not None:
            by_period[period][bound.meter_id] = bound.binding_id
    usages = {}
    for period, bindings in by_period.items():
        openings = await _billed_closings(ctx, bindings, until=period.start)
        found = await metering.usage_for_period(
            ctx, meter_ids=list(bindings), period=period, openings=openings
        )
        usages.update({(meter_id, period): usage for meter_id, usage in found.items()})
    return usages


async def _billed_closings(
    ctx: Ctx, bindings: dict[UUID, UUID], *, until: date
) -> dict[UUID, UUID]:
    """By meter, the reading that closed the bill of the period before."""
    closing = col(Bill.snapshot)["readings"]["closing_id"].astext
    found = await ctx.session.execute(
        select(col(Bill.binding_id), closing.label("closing_id")).where(
            col(Bill.binding_id).in_(bindings.values()),
            col(Bill.period_to) == until,
            closing.is_not(None),
        )
    )
    by_binding = {row.binding_id: UUID(row.closing_id) for row in found}
    return {
        meter_id: by_binding[binding_id]
        for meter_id, binding_id in bindings.items()
        if binding_id in by_binding
    }


async def rooms_of_meters(ctx: Ctx, meter_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The room that each meter in scope stands for; a shared meter has none."""
    found = await ctx.session.execute(
        select(col(Meter.id), col(Meter.room_id)).where(
            col(Meter.id).in_(meter_ids), col(Meter.room_id).is_not(None)
        )
    )
    return {row.id: row.room_id for row in found}


@dataclass
class _Facts:
    """What the queries of a chunk found, for all of its charges. `terms` fills as they are met."""

    prices: dict[UUID, list[Price]]
    billed: set[tuple[UUID, date]]
    payers: dict[date, dict[UUID, Payer]]
    usages: dict[tuple[UUID, Period], PeriodUsage]
    areas: dict[UUID, list[AreaHeld]]
    bands: BandUse = field(default_factory=lambda: BandUse({}, {}))
    terms: dict[tuple[Any, ...], Basis | None] = field(default_factory=dict)

    def terms_of(self, bound: Bound, cycle: Period, period: Period) -> Basis | None:
        """What the charges of one standard and period share; None without a price."""
        key = (bound.standard_id, bound.item_id, bound.meter_kind, cycle, period)
        if key not in self.terms:
            prices = self.prices.get(bound.standard_id, [])
            self.terms[key] = _terms(bound, cycle, period, prices)
        return self.terms[key]


def _charge(bound: Bound, cycle: Period, period: Period, facts: _Facts) -> Charged:
    payer = facts.payers[cycle.start].get(bound.room_id)
    outcome: Basis | SkipReason
    if (bound.binding_id, cycle.start) in facts.billed:
        outcome = SkipReason.already_billed
    elif payer is None:
        outcome = SkipReason.payer_missing
    else:
        usage = facts.usages.get((bound.meter_id, period)) if bound.meter_id else None
        terms = facts.terms_of(bound, cycle, period)
        outcome = basis_of(bound, terms, usage, facts.areas.get(bound.room_id))
        if isinstance(outcome, Basis) and outcome.bands:
            outcome = _in_bands(bound, period, outcome, facts.bands)
    return Charged(bound=bound, cycle=cycle, period=period, outcome=outcome, payer=payer)


def _places(due: Sequence[Due], facts: _Facts) -> list[tuple[Place, date]]:
    """The charges by meter whose price is one of bands."""
    found = []
    for bound, cycle, period in due:
        terms = facts.terms_of(bound, cycle, period) if bound.meter_id else None
        if terms is not None and terms.bands:
            found.append((_place(bound, terms), period.start))
    return found


def _place(bound: Bound, terms: Basis) -> Place:
    assert bound.meter_id is not None, "bands are of what a meter counts"
    assert terms.bands_from is not None, "bands began on a day"
    return Place(bound.meter_id, bound.item_id, terms.bands_from)


def _in_bands(bound: Bound, period: Period, basis: Basis, use: BandUse) -> Basis | SkipReason:
    """The same after what was used before it; a place in the bands is never guessed."""
    place = _place(bound, basis)
    before = use.before(place, period.start)
    if before is None:
        return SkipReason.earlier_unbilled
    use.add(place, period, basis.quantity)
    return basis.of(
        basis.quantity,
        coefficient=basis.coefficient,
        readings=basis.readings,
        used_before=before,
    )


def basis_of(
    bound: Bound,
    terms: Basis | None,
    usage: PeriodUsage | None,
    areas: Sequence[AreaHeld] | None = None,
) -> Basis | SkipReason:
    """The basis of a charge, or why there is none: a missing area is skipped, never billed 0."""
    if terms is None:
        return SkipReason.price_missing
    match bound.method:
        case Method.area:
            if areas:
                return _basis_over(bound, terms, areas)
            area = _area(bound, terms.area_basis)
            if area is None or area <= 0:
                return SkipReason.area_missing
            return terms.of(area, coefficient=bound.coefficient)
        case Method.metered:
            if usage is None:
                return SkipReason.reading_missing
            if usage.usage is None:
                return _NO_USAGE[usage.reason or NoUsage.missing]
            readings = _readings(bound, usage)
            return terms.of(usage.usage, coefficient=Decimal(1), readings=readings)
        case _:
            return terms


def _basis_over(bound: Bound, terms: Basis, areas: Sequence[AreaHeld]) -> Basis | SkipReason:
    """The basis of a room whose area ever changed: its period is cut on the day."""
    parts = [AreaPart(_area(held, terms.area_basis), held.start, held.end) for held in areas]
    cut = cut_by_area(terms.segments, parts)
    if not cut:
        return SkipReason.area_missing
    area = cut[-1].quantity
    assert area is not None, "every part of the cut has its area"
    if len({segment.quantity for segment in cut}) == 1:  # not inside this period
        return terms.of(area, coefficient=bound.coefficient)
    return replace(terms, segments=cut, quantity=area, coefficient=bound.coefficient)


def _area(measured: Bound | AreaHeld, basis: AreaBasis) -> Decimal | None:
    match basis:
        case AreaBasis.building:
            return measured.building_area
        case AreaBasis.inner:
            return measured.inner_area
        case AreaBasis.chargeable:
            return measured.chargeable_area or measured.building_area


def _readings(bound: Bound, usage: PeriodUsage) -> Readings:
    opening, closing = usage.opening, usage.closing
    assert opening is not None
    assert closing is not None
    assert bound.digits is not None
    return Readings(
        meter_no=bound.meter_no or "",
        digits=bound.digits,
        can_roll_over=bool(bound.can_roll_over),
        multiplier=usage.multiplier,
        opening=opening.value,
        closing=closing.value,
        opening_at=opening.read_at.isoformat(),
        closing_at=closing.read_at.isoformat(),
        closing_id=str(closing.id) if closing.id else None,
        changes=tuple((change.old_final, change.new_initial) for change in usage.changes),
    )


def _terms(bound: Bound, cycle: Period, period: Period, prices: Sequence[Price]) -> Basis | None:
    """A basis for one unit, from which each object's own is made."""
    segments = segments_of(period, prices, split=bound.method is not Method.metered)
    if not segments:
        return None
    price = next(each for each in prices if str(each.version_id) == segments[0].version_id)
    since = None
    if price.band_window is not None:
        since = bands_since(anchor=bound.anchor_on, window=price.band_window, day=period.start)
    return Basis(
        method=bound.method,
        standard=bound.standard_name,
        quantity=Decimal(1),
        coefficient=Decimal(1),
        segments=segments,
        cycle_months=bound.cycle_months,
        cycle_days=cycle.days,
        is_whole=period == cycle,
        price_per=price.price_per,
        proration=price.proration,
        rounding_step=price.rounding_step,
        rounding_mode=price.rounding_mode,
        tax_rate=bound.tax_rate,
        area_basis=price.area_basis,
        unit=_unit(bound),
        bands=price.bands,
        bands_from=since,
    )


def _unit(bound: Bound) -> str:
    match bound.method:
        case Method.area:
            return AREA_UNIT
        case Method.metered:
            assert bound.meter_kind is not None
            return UNITS[MeterKind(bound.meter_kind)]
        case _:
            return HOUSEHOLD
