"""Taking readings from people and from devices, and deciding about those in doubt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.bulk import insert_records
from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.kernel.errors import AppError, Conflict, FieldError, NotFound, Unprocessable
from cloud.kernel.imports.rows import good, then, tried
from cloud.kernel.listing import among
from cloud.modules.metering import queries, rules
from cloud.modules.metering.models import (
    Meter,
    MeterKind,
    Reading,
    ReadingReason,
    ReadingSource,
    ReadingState,
)
from cloud.modules.metering.rules import Shown
from cloud.modules.metering.service.meters import refuse_removed, refuse_too_long
from cloud.modules.metering.service.neighbors import Neighbors, neighbors_of

SLOT = timedelta(minutes=15)
ROWS_MAX = 20_000
VALUE_MAX = 10**13


class ReadingInFuture(Unprocessable):
    message = "A reading cannot be dated in the future. Check the day."


class ReadingExists(Conflict):
    message = "Meter {no} already has a reading of that moment."


class ReadingBelowLast(Conflict):
    message = "The reading {value} is less than the last one, {last}. Read the meter again."


class ReadingAboveNext(Conflict):
    message = "A later reading shows {next}; one before it cannot show {value}."


class ReadingNotInReview(Conflict):
    message = "This reading does not wait for a decision."


@dataclass(frozen=True)
class Arrived:
    """A good reading of a billing register, from a device or out of a file."""

    meter: Meter
    read_at: datetime
    value: Decimal


@dataclass(frozen=True)
class TakenOff:
    """What a person read off a meter, on a day or now."""

    meter_id: UUID
    value: Decimal
    read_on: date | None = None


async def record_reading(
    ctx: Ctx,
    *,
    meter_id: UUID,
    value: Decimal,
    read_on: date | None = None,
    source: ReadingSource = ReadingSource.manual,
) -> Reading:
    """What a person read off a meter, on a day or now.

    An implausibly high one is kept for review. Raises NotFound, MeterRemoved, ReadingInFuture,
    ValueTooLong, ReadingExists, ReadingBelowLast, ReadingAboveNext.
    """
    meters = await _locked(ctx, {meter_id})
    told = (await _judged(ctx, meters, [TakenOff(meter_id, value, read_on)], source))[0]
    if isinstance(told, AppError):
        raise told
    ctx.session.add(told)
    return told


async def record_readings(
    ctx: Ctx, *, readings: Sequence[TakenOff], source: ReadingSource
) -> list[Reading | AppError]:
    """Many as `record_reading` takes one, each as if those before it were there. What that would
    raise stands in the place of a reading that is left out."""
    meters = await _locked(ctx, {one.meter_id for one in readings})
    told: list[Reading | AppError] = [NotFound()] * len(readings)
    waves = _waves(readings)
    if len(waves) > 1:
        await ctx.session.execute(_BY_METER)
    for wave in waves:
        judged = await _judged(ctx, meters, [readings[index] for index in wave], source)
        await insert_records(ctx, [one for one in judged if isinstance(one, Reading)])
        for index, one in zip(wave, judged, strict=True):
            told[index] = one
    return told


async def _judged(
    ctx: Ctx, meters: Mapping[UUID, Meter], readings: Sequence[TakenOff], source: ReadingSource
) -> list[Reading | AppError]:
    """At most one reading of each meter: what it would be, or why it is refused."""
    placed = tried(readings, partial(_placed, ctx, meters))
    fine = good(placed)
    known = await _known(ctx, fine)
    around = await neighbors_of(ctx, [(one.meter, one.shown.at) for one in fine])

    def judge(pair: tuple[_Placed, Neighbors]) -> Reading:
        one, beside = pair
        if (one.meter.id, one.shown.at) in known:
            raise ReadingExists(no=one.meter.no)
        return _read(ctx, one.meter, one.shown, beside, source)

    return then(placed, tried(zip(fine, around, strict=True), judge))


def _waves(readings: Sequence[TakenOff]) -> list[list[int]]:
    """First every meter's first reading, then every meter's second: none stands on another of its
    own wave."""
    waves: list[list[int]] = []
    counts = Counter[UUID]()
    for index, one in enumerate(readings):
        if counts[one.meter_id] == len(waves):
            waves.append([])
        waves[counts[one.meter_id]].append(index)
        counts[one.meter_id] += 1
    return waves


@dataclass(frozen=True)
class _Placed:
    meter: Meter
    shown: Shown


def _placed(ctx: Ctx, meters: Mapping[UUID, Meter], taken: TakenOff) -> _Placed:
    meter = meters.get(taken.meter_id)
    if meter is None:
        raise NotFound
    refuse_removed(meter)
    read_at = _moment(ctx, taken.read_on)
    refuse_too_long(meter, taken.value)
    return _Placed(meter, Shown(read_at, taken.value))


def _read(
    ctx: Ctx, meter: Meter, shown: Shown, around: Neighbors, source: ReadingSource
) -> Reading:
    read_at, value = shown.at, shown.value
    state, reason = _judge(meter, around, shown)
    if reason == ReadingReason.below_last:
        raise ReadingBelowLast(
            value=value,
            last=around.last.value,
            fields=(FieldError("value", "reading-below-last"),),
        )
    if around.following is not None and around.following.value < value:
        raise ReadingAboveNext(
            value=value,
            next=around.following.value,
            fields=(FieldError("value", "reading-above-next"),),
        )
    return Reading(
        **ctx.stamp(meter.org_id),
        meter_id=meter.id,
        read_at=read_at,
        reading_on=read_at.astimezone(ZoneInfo(ctx.principal.time_zone)).date(),
        value=value,
        source=source,
        state=state,
        reason=reason,
    )


async def record_measured(
    ctx: Ctx, *, site_id: UUID, rows: Sequence[tuple[int, int, float]]
) -> int:
    """Good values of billing registers as (point, µs, value): kept once in each quarter of an hour,
    the first one, so that a meter read on the minute has one of each local midnight.

    Points without a meter in use are skipped. Answers how many were recorded.
    """
    assert len(rows) <= ROWS_MAX
    meters = await queries.meters_of_points(ctx, site_id=site_id, points=[row[0] for row in rows])
    arrived = [
        Arrived(meters[point], at, rules.quantize_value(value))
        for point, at, value in _first_of_slots(rows)
        if point in meters and 0 <= value < VALUE_MAX
    ]
    return await record_arrived(
        ctx, site_id=site_id, arrived=arrived, source=ReadingSource.iot, within=SLOT
    )


async def record_arrived(
    ctx: Ctx,
    *,
    site_id: UUID,
    arrived: Sequence[Arrived],
    source: ReadingSource,
    within: timedelta | None = None,
) -> int:
    """Readings in bulk; each is judged like a person's, but kept with its verdict.

    One that is known already, or, with `within`, whose stretch of time has one, is skipped.
    """
    fresh = await _unknown(ctx, arrived, within)
    if not fresh:
        return 0
    zone = ZoneInfo(ctx.principal.time_zone)
    around = await neighbors_of(ctx, [(one.meter, one.read_at) for one in fresh])
    rows, last = [], dict[UUID, Shown]()
    for one, stored in zip(fresh, around, strict=True):
        shown = Shown(one.read_at, one.value)
        beside = _after(stored, last.get(one.meter.id))
        state, reason = _judge(one.meter, beside, shown)
        if beside.following is not None and beside.following.value < one.value:
            state, reason = ReadingState.rejected, ReadingReason.below_last
        if state == ReadingState.verified:
            last[one.meter.id] = shown
        rows.append(
            {
                **ctx.stamp(site_id),
                "id": uuid7(),
                "version": 1,
                "meter_id": one.meter.id,
                "read_at": one.read_at,
                "reading_on": one.read_at.astimezone(zone).date(),
                "value": one.value,
                "source": source,
                "state": state,
                "reason": reason,
            }
        )
    await ctx.session.execute(insert(Reading).on_conflict_do_nothing(), rows)
    return len(rows)


async def accept_reading(ctx: Ctx, *, reading_id: UUID) -> Reading:
    """A person says that the reading is right. Raises NotFound, ReadingNotInReview."""
    return await _decide(ctx, reading_id, ReadingState.verified, ReadingReason.none)


async def refuse_reading(ctx: Ctx, *, reading_id: UUID) -> Reading:
    """A person says that the reading is wrong: it is never used. Raises as `accept_reading`."""
    return await _decide(ctx, reading_id, ReadingState.rejected, ReadingReason.refused)


async def _decide(
    ctx: Ctx, reading_id: UUID, state: ReadingState, reason: ReadingReason
) -> Reading:
    reading = await ctx.get(Reading, reading_id, lock=True)
    if reading.state == state:
        return reading
    if reading.state != ReadingState.review:
        raise ReadingNotInReview
    reading.state, reading.reason = state, reason
    reading.version += 1
    await audit.record_on(
        ctx,
        reading,
        f"metering.reading.{state.value}",
        before={"state": "review"},
        after={"state": state.value, "value": str(reading.value)},
    )
    return reading


def slot_of(at_us: int) -> int:
    """The quarter of an hour that an instant in µs belongs to."""
    return at_us // (SLOT // timedelta(microseconds=1))


def _first_of_slots(rows: Iterable[tuple[int, int, float]]) -> list[tuple[int, datetime, float]]:
    first: dict[tuple[int, int], tuple[int, float]] = {}
    for point, at_us, value in rows:
        key = (point, slot_of(at_us))
        if key not in first or at_us < first[key][0]:
            first[key] = (at_us, value)
    epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return sorted(
        (point, epoch + timedelta(microseconds=at_us), value)
        for (point, _), (at_us, value) in first.items()
    )


async def _unknown(ctx: Ctx, arrived: Sequence[Arrived], within: timedelta | None) -> list[Arrived]:
    if not arrived:
        return []
    times = [one.read_at for one in arrived]
    around = within or timedelta(0)
    known = await ctx.session.execute(
        select(col(Reading.meter_id), col(Reading.read_at)).where(
            col(Reading.meter_id).in_({one.meter.id for one in arrived}),
            col(Reading.read_at) >= min(times) - around,
            col(Reading.read_at) <= max(times) + around,
        )
    )
    taken = {(row.meter_id, _stretch(row.read_at, within)) for row in known}
    fresh = []
    for one in sorted(arrived, key=lambda one: one.read_at):
        key = (one.meter.id, _stretch(one.read_at, within))
        if key not in taken:
            taken.add(key)
            fresh.append(one)
    return fresh


def _stretch(at: datetime, within: timedelta | None) -> Any:
    return at if within is None else int(at.timestamp()) // int(within.total_seconds())


def _after(beside: Neighbors, last: Shown | None) -> Neighbors:
    if last is None or last.at <= beside.last.at:
        return beside
    return Neighbors(last=last, following=beside.following, history=beside.history)


def _judge(meter: Meter, beside: Neighbors, fresh: Shown) -> tuple[ReadingState, ReadingReason]:
    return rules.judge(
        queries.register_of(meter),
        kind=MeterKind(meter.kind),
        last=beside.last,
        history=beside.history,
        fresh=fresh,
    )


def _moment(ctx: Ctx, read_on: date | None) -> datetime:
    """Now for today; the local noon of an earlier day. Raises ReadingInFuture."""
    if read_on is None or read_on == ctx.business_on:
        return ctx.now
    if read_on > ctx.business_on:
        raise ReadingInFuture(fields=(FieldError("read_on", "reading-in-future"),))
    return datetime.combine(read_on, time(12), tzinfo=ZoneInfo(ctx.principal.time_zone))


async def _locked(ctx: Ctx, meter_ids: Collection[UUID]) -> dict[UUID, Meter]:
    found = await ctx.session.execute(
        select(Meter)
        .where(among(col(Meter.id), meter_ids))
        .order_by(col(Meter.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {meter.id: meter for meter in found.scalars()}


# A table that this transaction fills has no statistics yet: Postgres would read every reading of
# the company for each meter, beside the meter's own.
_BY_METER = text("SET LOCAL enable_bitmapscan = off")

_KNOWN = text("""
    SELECT r.meter_id, r.read_at
    FROM unnest(CAST(:meters AS uuid[]), CAST(:times AS timestamptz[])) AS wanted (meter_id, at)
    JOIN metering_reading r ON r.meter_id = wanted.meter_id AND r.read_at = wanted.at
""")


async def _known(ctx: Ctx, wanted: Sequence[_Placed]) -> set[tuple[UUID, datetime]]:
    found = await ctx.session.execute(
        _KNOWN,
        {
            "meters": [one.meter.id for one in wanted],
            "times": [one.shown.at for one in wanted],
        },
    )
    return {(row.meter_id, row.read_at) for row in found}
