"""Prices in bands: whether they make sense, and what a meter has used of them already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import FieldError, Unprocessable
from cloud.kernel.periods import Period
from cloud.modules.charging.models import BandWindow, Bill, Binding, Method
from cloud.modules.charging.rules import Band, plain_number
from cloud.modules.charging.schemas import Pricing

ONE_MONTH = 1


class PriceMissing(Unprocessable):
    message = "There is no price. Give one, or the bands."


class PriceTwice(Unprocessable):
    message = "There is one price, and there are bands. Leave one of the two out."


class BandsNeedMeter(Unprocessable):
    message = "Bands are of what a meter counts. Give one price for what is charged otherwise."


class BandsNeedWindow(Unprocessable):
    message = "Say whether the bands begin again every month or every year."


class BandsNeedMonths(Unprocessable):
    message = "Bands of a month need a bill of each month. Bill monthly, or count by the year."


class BandsGap(Unprocessable):
    message = "Band {number} has no upper bound: only the last one is without."


class BandsOpen(Unprocessable):
    message = "Nothing has a price above {upto}. Leave the last band without an upper bound."


class BandsNotAscending(Unprocessable):
    message = "Band {number} must reach further than {before}, where the one before it ends."


def bands_in(price: Pricing) -> tuple[Band, ...]:
    return tuple(Band(upto=each.upto, unit_price=each.unit_price) for each in price.bands or ())


def first_price(unit_price: Decimal | None, bands: Sequence[Band]) -> Decimal:
    """The price, or that of the first band. Raises PriceMissing, PriceTwice."""
    if bands:
        if unit_price is not None:
            raise PriceTwice(fields=(FieldError("unit_price", "price-twice"),))
        return bands[0].unit_price
    if unit_price is None:
        raise PriceMissing(fields=(FieldError("unit_price", "price-missing"),))
    return unit_price


def check_bands(
    bands: Sequence[Band], window: BandWindow | None, *, method: Method, cycle_months: int
) -> None:
    """Bands lie without a gap: each begins where the one before it ends, and the last has no end.

    Raises BandsNeedMeter, BandsNeedWindow, BandsNeedMonths, BandsGap, BandsNotAscending, BandsOpen.
    """
    if not bands:
        return
    if method is not Method.metered:
        raise BandsNeedMeter(fields=(FieldError("bands", "bands-need-meter"),))
    if window is None:
        raise BandsNeedWindow(fields=(FieldError("band_window", "bands-need-window"),))
    if window is BandWindow.month and cycle_months != ONE_MONTH:
        raise BandsNeedMonths(fields=(FieldError("band_window", "bands-need-months"),))
    for number, band in enumerate(bands[:-1], start=1):
        if band.upto is None:
            path = f"bands.{number - 1}.upto"
            raise BandsGap(number=number, fields=(FieldError(path, "bands-gap"),))
    for number, (before, band) in enumerate(pairwise(bands), start=2):
        if band.upto is not None and before.upto is not None and band.upto <= before.upto:
            path = f"bands.{number - 1}.upto"
            raise BandsNotAscending(
                number=number,
                before=plain_number(before.upto),
                fields=(FieldError(path, "bands-not-ascending"),),
            )
    if bands[-1].upto is not None:
        path = f"bands.{len(bands) - 1}.upto"
        raise BandsOpen(upto=plain_number(bands[-1].upto), fields=(FieldError(path, "bands-open"),))


class Place(NamedTuple):
    """A charge among those that share bands: of a meter, for an item, since the bands began."""

    meter_id: UUID
    item_id: UUID
    since: date


@dataclass
class BandUse:
    """What was charged before, billed or in the same run, of each place that is asked for."""

    billed: dict[tuple[Place, date], tuple[Decimal, int]]
    held: dict[tuple[Place, date], int]
    charged: dict[tuple[UUID, UUID], list[tuple[Period, Decimal]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def before(self, place: Place, start: date) -> Decimal | None:
        """The use since the bands began; None while a day before `start` is not charged yet."""
        used, days = self.billed.get((place, start), (Decimal(0), 0))
        for period, quantity in self.charged[place.meter_id, place.item_id]:
            part = period.intersection(Period(place.since, start)) if place.since < start else None
            if part is not None:
                used += quantity if period.start >= place.since else 0
                days += part.days
        return used if days >= self.held.get((place, start), 0) else None

    def add(self, place: Place, period: Period, quantity: Decimal) -> None:
        self.charged[place.meter_id, place.item_id].append((period, quantity))


async def band_use(ctx: Ctx, asked: Sequence[tuple[Place, date]]) -> BandUse:
    """What is billed, and for how many days a binding held, between the bands' beginning and the
    charge's first day. Two queries for each pair of these days, whatever the number of meters."""
    use = BandUse(billed={}, held={})
    spans: dict[tuple[UUID, date, date], set[UUID]] = defaultdict(set)
    for place, start in asked:
        if place.since < start:
            spans[place.item_id, place.since, start].add(place.meter_id)
    for (item_id, since, start), meter_ids in spans.items():
        span = Period(since, start)
        for meter_id, used, days in await _billed(ctx, item_id, meter_ids, span):
            use.billed[Place(meter_id, item_id, since), start] = (used, days)
        for meter_id, days in await _held(ctx, item_id, meter_ids, span):
            use.held[Place(meter_id, item_id, since), start] = days
    return use


async def _billed(
    ctx: Ctx, item_id: UUID, meter_ids: set[UUID], span: Period
) -> Sequence[tuple[UUID, Decimal, int]]:
    """A charge that reaches over the bands' beginning belongs to where it began: its use is not
    counted, its days are."""
    counted = case((col(Bill.period_from) >= span.start, col(Bill.quantity)), else_=0)
    found = await ctx.session.execute(
        select(
            col(Binding.meter_id),
            func.sum(counted),
            func.sum(_days(col(Bill.period_from), col(Bill.period_to), span)),
        )
        .join(Bill, col(Bill.binding_id) == col(Binding.id))
        .where(
            col(Binding.meter_id).in_(meter_ids),
            col(Binding.item_id) == item_id,
            col(Bill.period_from) < span.end,
            col(Bill.period_to) > span.start,
        )
        .group_by(col(Binding.meter_id))
    )
    return [(meter_id, Decimal(used), int(days)) for meter_id, used, days in found]


async def _held(
    ctx: Ctx, item_id: UUID, meter_ids: set[UUID], span: Period
) -> Sequence[tuple[UUID, int]]:
    until = func.coalesce(col(Binding.ends_on), span.end)
    found = await ctx.session.execute(
        select(col(Binding.meter_id), func.sum(_days(col(Binding.starts_on), until, span)))
        .where(
            col(Binding.meter_id).in_(meter_ids),
            col(Binding.item_id) == item_id,
            col(Binding.starts_on) < span.end,
            or_(col(Binding.ends_on).is_(None), col(Binding.ends_on) > span.start),
        )
        .group_by(col(Binding.meter_id))
    )
    return [(meter_id, int(days)) for meter_id, days in found]


def _days(start: Any, end: Any, span: Period) -> Any:
    return func.least(end, span.end) - func.greatest(start, span.start)
