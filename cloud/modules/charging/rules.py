"""The arithmetic of charges: pure functions of values, the only place where a bill is computed.

A charge is computed from a `Basis`, which is stored with the bill and read back years later: the
same `compute` explains and checks it. One rounding, at the very end (spec domain 0.1, M3.2).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any
from uuid import UUID

from cloud.kernel.money import RoundingMode, RoundingStep, cut_ratio, round_ratio, tax_included
from cloud.kernel.periods import ONE_DAY, Period, add_months, cycles
from cloud.kernel.ui.language import Tone
from cloud.modules.charging.models import (
    AreaBasis,
    BandWindow,
    Method,
    PricePer,
    Proration,
    RunState,
    Timing,
)
from cloud.modules.metering import rules as metering

BILL_LABELS: dict[str, tuple[str, Tone]] = {
    "unpaid": ("To be paid", Tone.info),
    "partial": ("Partly paid", Tone.warn),
    "paid": ("Paid", Tone.ok),
    "overdue": ("Overdue", Tone.bad),
}

BINDING_LABELS: dict[str, tuple[str, Tone]] = {
    "holding": ("Holding", Tone.ok),
    "upcoming": ("To come", Tone.wait),
    "ended": ("Ended", Tone.mute),
}

WINDOW_LABELS = {BandWindow.year: "By the year", BandWindow.month: "By the month"}

NOTICE_DAYS = 7  # a bill is never born overdue: due at the earliest so long after it is issued

TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.draft: frozenset({RunState.previewed, RunState.cancelled}),
    RunState.previewed: frozenset({RunState.previewed, RunState.generating, RunState.cancelled}),
    RunState.generating: frozenset({RunState.generated, RunState.previewed}),
    RunState.generated: frozenset({RunState.publishing, RunState.cancelled}),
    RunState.publishing: frozenset({RunState.published, RunState.generated}),
    RunState.published: frozenset(),
    RunState.cancelled: frozenset(),
}


# As bills keep them: the units of what is charged once for each room, and of area.
HOUSEHOLD = "户"
AREA_UNIT = "㎡"


@dataclass(frozen=True)
class Band:
    """The price of what is used up to and with `upto`; None: of all that is above the band before.

    Counted from the day on which the bands began, not within one bill.
    """

    upto: Decimal | None
    unit_price: Decimal


@dataclass(frozen=True)
class Price:
    """One version of a standard. `end` is half-open, None for open."""

    version_id: UUID
    number: int
    unit_price: Decimal
    price_per: PricePer
    area_basis: AreaBasis
    proration: Proration
    rounding_step: RoundingStep
    rounding_mode: RoundingMode
    start: date
    end: date | None
    bands: tuple[Band, ...] = ()
    band_window: BandWindow | None = None


@dataclass(frozen=True)
class Segment:
    """A part of the charged period under one price. Dates are half-open.

    `quantity` is given where it changes inside the period: the area that held in this part.
    """

    version_id: str
    version: int
    unit_price: Decimal
    start: date
    end: date
    quantity: Decimal | None = None


@dataclass(frozen=True)
class Readings:
    """The register behind a metered charge, and each (old final, new initial) change between.

    `closing_id` is the reading that opens the next period, so that no use falls between two.
    """

    meter_no: str
    digits: int
    can_roll_over: bool
    multiplier: Decimal
    opening: Decimal
    closing: Decimal
    opening_at: str
    closing_at: str
    closing_id: str | None
    changes: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True)
class Basis:
    """All that a charge is computed from.

    `quantity` is an area in m², a count, or a usage after the multiplier. `is_whole` says that the
    charged period is a whole cycle of `cycle_months`, which then counts exactly that many months.
    `used_before` is what was charged since `bands_from`, where the price is one of bands.
    """

    method: Method
    standard: str
    quantity: Decimal
    coefficient: Decimal
    segments: tuple[Segment, ...]
    cycle_months: int
    cycle_days: int
    is_whole: bool
    price_per: PricePer
    proration: Proration
    rounding_step: RoundingStep
    rounding_mode: RoundingMode
    tax_rate: Decimal
    area_basis: AreaBasis
    unit: str
    readings: Readings | None = None
    bands: tuple[Band, ...] = ()
    bands_from: date | None = None
    used_before: Decimal = Decimal(0)

    def of(
        self,
        quantity: Decimal,
        *,
        coefficient: Decimal,
        readings: Readings | None = None,
        used_before: Decimal = Decimal(0),
    ) -> Basis:
        """The same terms for another object, with what is worked out of them once for all."""
        made = object.__new__(Basis)
        shared = {"rate": self.rate, "terms_text": self.terms_text}
        own = {"quantity": quantity, "coefficient": coefficient, "readings": readings}
        own["used_before"] = used_before
        vars(made).update(vars(self), **shared, **own)
        return made

    @cached_property
    def rate(self) -> Rate:
        """Price × time over every segment: what one unit of the quantity costs.

        A segment with a quantity of its own counts by what it is of the whole charge's.
        """
        factors = [_factor(self, segment) for segment in self.segments]
        cost = sum(
            (
                Fraction(segment.unit_price) * factor * self._weight(segment)
                for segment, factor in zip(self.segments, factors, strict=True)
            ),
            Fraction(0),
        )
        return Rate(cost.numerator, cost.denominator, sum(factors, Fraction(0)))

    def _weight(self, segment: Segment) -> Fraction:
        if segment.quantity is None:
            return Fraction(1)
        return Fraction(segment.quantity) / Fraction(self.quantity)

    @cached_property
    def terms_text(self) -> str:
        """The snapshot's members that many charges share, without the braces."""
        terms = {name: value for name, value in to_snapshot(self).items() if name not in _OWN}
        return json.dumps(terms, ensure_ascii=False)[1:-1]


# What only a price of bands has: bills without them are stored as they always were.
_BANDED = ("bands", "bands_from", "used_before")
_OWN = ("quantity", "coefficient", "readings", "used_before")


@dataclass(frozen=True)
class Rate:
    """The quotient `numerator` ÷ `denominator` of yuan for one unit, and the months it counts."""

    numerator: int
    denominator: int
    factor: Fraction


@dataclass(frozen=True)
class Computed:
    """`raw` is exact to 12 places; `factor` is the number of months (or cycles) charged."""

    raw: Decimal
    amount: Decimal
    tax: Decimal
    factor: Fraction


def compute(basis: Basis) -> Computed:
    """Quantity × price × time over every segment, or use × price over every band: summed exactly
    and rounded once."""
    total, unit = _cost_in_bands(basis) if basis.bands else _cost(basis)
    amount = round_ratio(total, unit, step=basis.rounding_step, mode=basis.rounding_mode)
    return Computed(
        raw=cut_ratio(total, unit),
        amount=amount,
        tax=tax_included(amount, basis.tax_rate),
        factor=basis.rate.factor,
    )


def _cost(basis: Basis) -> tuple[int, int]:
    """In whole numbers: their quotient is exact, and a tenth of the cost of Fractions."""
    rate = basis.rate
    quantity, parts = basis.quantity.as_integer_ratio()
    coefficient, pieces = basis.coefficient.as_integer_ratio()
    return quantity * coefficient * rate.numerator, parts * pieces * rate.denominator


def _cost_in_bands(basis: Basis) -> tuple[int, int]:
    parts = (Fraction(part) * Fraction(band.unit_price) for band, part in parts_in_bands(basis))
    return (sum(parts, Fraction(0)) * Fraction(basis.coefficient)).as_integer_ratio()


def parts_in_bands(basis: Basis) -> list[tuple[Band, Decimal]]:
    """What of the use falls into which band, in their order; a use of 0 into the band it stands in.

    Progressive: use that crosses a bound pays each part at its own band's price (spec domain
    M3.2 d).
    """
    start, end = basis.used_before, basis.used_before + basis.quantity
    found: list[tuple[Band, Decimal]] = []
    for band in basis.bands:
        until = end if band.upto is None else min(band.upto, end)
        if until > start or (start == end and (band.upto is None or start < band.upto)):
            found.append((band, until - start))
            start = until
        if start == end and found:
            break
    return found


def prices_of(basis: Basis) -> list[Decimal]:
    """The prices that the charge was made of, each once."""
    if basis.bands:
        return [band.unit_price for band, _ in parts_in_bands(basis)]
    return list(dict.fromkeys(segment.unit_price for segment in basis.segments))


def bands_since(*, anchor: date, window: BandWindow, day: date) -> date:
    """The first day of the month or year, as they run from `anchor`, in which a day lies."""
    months = 12 if window is BandWindow.year else 1
    reach = Period(add_months(day, -months - 1), day + ONE_DAY)
    return max(cycle.start for cycle in cycles(anchor, months=months, within=reach))


def in_part(basis: Basis, segment: Segment) -> Decimal:
    """The quantity of one part of the period."""
    return basis.quantity if segment.quantity is None else segment.quantity


def quantities_of(basis: Basis) -> list[Decimal]:
    """The quantities of the period in their order, each once."""
    return list(dict.fromkeys(in_part(basis, segment) for segment in basis.segments))


def quantity_of(basis: Basis) -> Decimal:
    """The quantity computed again: use from its registers, everything else as it was stored."""
    readings = basis.readings
    if readings is None:
        return basis.quantity
    register = metering.Register(
        digits=readings.digits,
        can_roll_over=readings.can_roll_over,
        multiplier=readings.multiplier,
    )
    changes = [metering.Change(old, new) for old, new in readings.changes]
    return metering.usage(register, readings.opening, readings.closing, changes=changes)


def _factor(basis: Basis, segment: Segment) -> Fraction:
    if basis.method is Method.metered:
        return Fraction(1)
    period = Period(segment.start, segment.end)
    if basis.price_per is PricePer.cycle:
        return Fraction(period.days, basis.cycle_days)
    if basis.is_whole and len(basis.segments) == 1:
        return Fraction(basis.cycle_months)
    return months_of(period, basis.proration)


def months_of(period: Period, mode: Proration) -> Fraction:
    """How many months a period counts (spec domain M3.2 k). Additive for ACTUAL_MONTH, YEAR_365."""
    if mode is Proration.year_365:
        return Fraction(period.days * 12, 365)
    return sum((_month_share(period, month, mode) for month in period.months()), Fraction(0))


def _month_share(period: Period, month: tuple[date, int, int], mode: Proration) -> Fraction:
    first, inside, length = month
    if inside == length:
        return Fraction(1)
    begins_inside = period.start > first
    match mode:
        case Proration.fixed_30:
            return Fraction(inside, 30)
        case Proration.full_month:
            return Fraction(1)
        case Proration.half_month:
            return Fraction(1, 2) if begins_inside and period.start.day > 15 else Fraction(1)
        case Proration.next_month:
            return Fraction(0) if begins_inside else Fraction(1)
        case _:
            return Fraction(inside, length)


def due_cycles(
    *,
    anchor: date,
    months: int,
    timing: Timing,
    run: Period,
    starts_on: date,
    ends_on: date | None,
) -> list[Period]:
    """The cycles that a run over `run` bills for a binding that holds in [starts_on, ends_on).

    In advance: those whose first held day falls in it, so that who moves in during a quarter is
    billed from then. In arrears: those whose last held day does.
    """
    found = []
    reach = Period(run.start - timedelta(days=31 * months + 1), run.end)
    for cycle in cycles(anchor, months=months, within=reach):
        held = held_part(cycle, starts_on=starts_on, ends_on=ends_on)
        if held is None:
            continue
        day = held.start if timing is Timing.advance else held.last
        if run.start <= day < run.end:
            found.append(cycle)
    return found


def held_part(cycle: Period, *, starts_on: date, ends_on: date | None) -> Period | None:
    """The part of a cycle in which a binding holds, None when it does not."""
    cut = cycle.until(ends_on)
    if cut is None or cut.end <= starts_on:
        return None
    return Period(max(cut.start, starts_on), cut.end)


def segments_of(period: Period, prices: Sequence[Price], *, split: bool) -> tuple[Segment, ...]:
    """Cut a period where the price changes; a day without a price leaves it out (empty tuple).

    Without `split` the price on the first day holds for all of it: a register cannot be cut.
    """
    if not split:
        first = next((p for p in prices if _holds(p, period.start)), None)
        return () if first is None else (_segment(first, period),)
    found = []
    covered = 0
    for price in sorted(prices, key=lambda price: price.start):
        part = period.intersection(Period(price.start, price.end or period.end + timedelta(days=1)))
        if part is not None:
            found.append(_segment(price, part))
            covered += part.days
    return tuple(found) if covered == period.days else ()


@dataclass(frozen=True)
class AreaPart:
    """An area and since when it holds, half-open; None is since ever, and for ever."""

    area: Decimal | None
    start: date | None
    end: date | None


def cut_by_area(
    segments: Sequence[Segment], areas: Sequence[AreaPart]
) -> tuple[Segment, ...] | None:
    """Cut segments where the area changes. None when an area is not known on one of the days.

    `areas` follow on each other without a gap.
    """
    found: list[Segment] = []
    for segment in segments:
        for part in areas:
            start = max(segment.start, part.start or segment.start)
            end = min(segment.end, part.end or segment.end)
            if start >= end:
                continue
            if part.area is None or part.area <= 0:
                return None
            last = found[-1] if found else None
            if last and last.version_id == segment.version_id and last.quantity == part.area:
                found[-1] = replace(last, end=end)
            else:
                found.append(replace(segment, start=start, end=end, quantity=part.area))
    return tuple(found)


def _holds(price: Price, day: date) -> bool:
    return price.start <= day and (price.end is None or day < price.end)


def _segment(price: Price, period: Period) -> Segment:
    return Segment(
        version_id=str(price.version_id),
        version=price.number,
        unit_price=price.unit_price,
        start=period.start,
        end=period.end,
    )


def due_on(*, timing: Timing, cycle: Period, due_days: int, issued_on: date) -> date:
    """Counted from the start of the cycle in advance, from the bill's date in arrears; never
    earlier than seven days after the bill (spec domain M3.2 l)."""
    start = cycle.start if timing is Timing.advance else issued_on
    return max(start + timedelta(days=due_days), issued_on + timedelta(days=NOTICE_DAYS))


def to_snapshot(basis: Basis) -> dict[str, Any]:
    """The basis as JSON: numbers as text, dates as ISO dates."""
    plain = {name: _plain(getattr(basis, name)) for name in Basis.__dataclass_fields__}
    plain["segments"] = [_plain_fields(segment) for segment in basis.segments]
    if basis.bands:
        plain["bands"] = stored_bands(basis.bands)
    else:
        for name in _BANDED:
            del plain[name]
    plain["readings"] = None if basis.readings is None else _plain_fields(basis.readings)
    return plain


def snapshot_text(basis: Basis) -> str:
    """The same as a JSON text, whose greater part is written once for all that share it."""
    readings = "null"
    if basis.readings is not None:
        readings = json.dumps(_plain_fields(basis.readings), ensure_ascii=False)
    used = f' "used_before": "{basis.used_before}",' if basis.bands else ""
    return (
        f'{{"quantity": "{basis.quantity}", "coefficient": "{basis.coefficient}",'
        f' "readings": {readings},{used} {basis.terms_text}}}'
    )


def stored_bands(bands: Sequence[Band]) -> list[dict[str, Any]]:
    return [_plain_fields(band) for band in bands]


def bands_of(stored: Sequence[dict[str, Any]] | None) -> tuple[Band, ...]:
    return tuple(
        Band(
            upto=None if band["upto"] is None else Decimal(band["upto"]),
            unit_price=Decimal(band["unit_price"]),
        )
        for band in stored or ()
    )


def _plain_fields(part: Segment | Readings | Band) -> dict[str, Any]:
    return {name: _plain(value) for name, value in vars(part).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal | date):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def from_snapshot(snapshot: dict[str, Any]) -> Basis:
    """The basis of a stored bill. Raises KeyError or ValueError for one that is damaged."""
    readings = snapshot["readings"]
    return Basis(
        method=Method(snapshot["method"]),
        standard=snapshot["standard"],
        quantity=Decimal(snapshot["quantity"]),
        coefficient=Decimal(snapshot["coefficient"]),
        segments=tuple(
            Segment(
                version_id=part["version_id"],
                version=part["version"],
                unit_price=Decimal(part["unit_price"]),
                start=date.fromisoformat(part["start"]),
                end=date.fromisoformat(part["end"]),
                quantity=Decimal(part["quantity"]) if part.get("quantity") else None,
            )
            for part in snapshot["segments"]
        ),
        cycle_months=snapshot["cycle_months"],
        cycle_days=snapshot["cycle_days"],
        is_whole=snapshot["is_whole"],
        price_per=PricePer(snapshot["price_per"]),
        proration=Proration(snapshot["proration"]),
        rounding_step=RoundingStep(snapshot["rounding_step"]),
        rounding_mode=RoundingMode(snapshot["rounding_mode"]),
        tax_rate=Decimal(snapshot["tax_rate"]),
        area_basis=AreaBasis(snapshot["area_basis"]),
        unit=snapshot["unit"],
        readings=None if readings is None else _readings(readings),
        bands=bands_of(snapshot.get("bands")),
        bands_from=date.fromisoformat(snapshot["bands_from"]) if "bands" in snapshot else None,
        used_before=Decimal(snapshot.get("used_before", 0)),
    )


def _readings(stored: dict[str, Any]) -> Readings:
    return Readings(
        meter_no=stored["meter_no"],
        digits=stored["digits"],
        can_roll_over=stored["can_roll_over"],
        multiplier=Decimal(stored["multiplier"]),
        opening=Decimal(stored["opening"]),
        closing=Decimal(stored["closing"]),
        opening_at=stored["opening_at"],
        closing_at=stored["closing_at"],
        closing_id=stored["closing_id"],
        changes=tuple((Decimal(old), Decimal(new)) for old, new in stored["changes"]),
    )


def plain_number(value: Decimal) -> str:
    """Without trailing zeros and without an exponent: 2.380000 is 2.38, 100 is 100."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
