"""Cut-off readings and the use between them, for charging.

A period of days is [from, to) at the site's local midnights. A reading is good when it is verified;
the one that counts at a cut-off is the last good one at or before it, not older than 72 hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, select, text
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.periods import Period
from cloud.modules.metering import rules
from cloud.modules.metering.models import Meter, MeterKind, Reading, ReadingState
from cloud.modules.metering.rules import Change, ReadingBelow, Register
from cloud.modules.organization.models import Unit

STALE_AFTER = timedelta(hours=72)


class NoUsage(StrEnum):
    """Why there is no use to charge."""

    missing = "READING_MISSING"
    stale = "READING_STALE"
    review = "READING_REVIEW"
    below = "READING_BELOW_LAST"


@dataclass(frozen=True)
class Cutoff:
    """The reading that counts at a cut-off. `id` is None for the value a meter began with."""

    id: UUID | None
    read_at: datetime
    value: Decimal


@dataclass(frozen=True)
class PeriodUsage:
    """A meter over a period: `usage` with what explains it, or `reason` when there is none."""

    meter_id: UUID
    multiplier: Decimal
    opening: Cutoff | None
    closing: Cutoff | None
    changes: tuple[Change, ...]
    usage: Decimal | None
    reason: NoUsage | None


_AT_CUTOFF = text("""
    SELECT wanted.meter_id, good.id, good.read_at, good.value,
      EXISTS (SELECT 1 FROM metering_reading r WHERE r.meter_id = wanted.meter_id
        AND r.state = 'review' AND r.read_at <= wanted.at
        AND r.read_at > wanted.at - make_interval(secs => :stale_s)) AS in_review
    FROM unnest(CAST(:meters AS uuid[]), CAST(:times AS timestamptz[])) AS wanted (meter_id, at)
    LEFT JOIN LATERAL (
      SELECT id, read_at, value FROM metering_reading r
      WHERE r.meter_id = wanted.meter_id AND r.state = 'verified' AND r.read_at <= wanted.at
      ORDER BY r.read_at DESC LIMIT 1) AS good ON true
""")
_CHANGES = text("""
    SELECT meter_id, changed_at, old_final, new_initial FROM metering_change
    WHERE meter_id = ANY (CAST(:meters AS uuid[])) ORDER BY meter_id, changed_at
""")


async def usage_for_period(
    ctx: Ctx,
    *,
    meter_ids: Sequence[UUID],
    period: Period,
    openings: Mapping[UUID, UUID] | None = None,
) -> dict[UUID, PeriodUsage]:
    """Use of each meter in scope over the period; others are left out.

    `openings` names, by meter, the reading that a former period closed with: it opens this one even
    when a better one arrived since, so that no use falls between two periods.
    """
    meters = await _meters(ctx, meter_ids)
    opened = await _at(ctx, {m.id: _midnight(m, period.start) for m in meters})
    closed = await _at(ctx, {m.id: _closing_at(m, period) for m in meters})
    former = await _former(ctx, openings or {})
    changes = await _changes(ctx, [meter.id for meter in meters])
    found = {}
    for meter in meters:
        opening = former.get(meter.id) or _opening(meter, period, opened[meter.id])
        closing = _closing(meter, period, closed[meter.id])
        found[meter.id] = _between(meter, opening, closing, changes.get(meter.id, ()))
    return found


async def readings_at_cutoff(
    ctx: Ctx, *, site_id: UUID, kind: MeterKind, on: date
) -> dict[UUID, Cutoff | NoUsage]:
    """The reading of each meter of a site that counts at the local midnight when `on` begins."""
    statement = select(col(Meter.id)).where(col(Meter.org_id) == site_id, col(Meter.kind) == kind)
    ids = list((await ctx.session.execute(statement)).scalars())
    meters = await _meters(ctx, ids)
    found = await _at(ctx, {meter.id: _midnight(meter, on) for meter in meters})
    return {meter.id: _fresh(found[meter.id], at=_midnight(meter, on)) for meter in meters}


@dataclass(frozen=True)
class _Metered:
    id: UUID
    register: Register
    initial_value: Decimal
    installed_on: date
    removed_on: date | None
    zone: ZoneInfo


async def _meters(ctx: Ctx, meter_ids: Sequence[UUID]) -> list[_Metered]:
    found = await ctx.session.execute(
        select(Meter, col(Unit.time_zone))
        .join(Unit, col(Unit.id) == col(Meter.org_id))
        .where(col(Meter.id).in_(meter_ids))
        .order_by(col(Meter.no))
    )
    return [
        _Metered(
            id=meter.id,
            register=register_of(meter),
            initial_value=meter.initial_value,
            installed_on=meter.installed_on,
            removed_on=meter.removed_on,
            zone=ZoneInfo(zone),
        )
        for meter, zone in found
    ]


def register_of(meter: Meter) -> Register:
    return Register(
        digits=meter.digits, can_roll_over=meter.can_roll_over, multiplier=meter.multiplier
    )


def _midnight(meter: _Metered, on: date) -> datetime:
    return datetime.combine(on, time.min, tzinfo=meter.zone)


def _closing_at(meter: _Metered, period: Period) -> datetime:
    return _midnight(meter, period.end)


async def _at(ctx: Ctx, wanted: Mapping[UUID, datetime]) -> dict[UUID, RowMapping]:
    found = await ctx.session.execute(
        _AT_CUTOFF,
        {
            "meters": list(wanted),
            "times": list(wanted.values()),
            "stale_s": STALE_AFTER.total_seconds(),
        },
    )
    return {row["meter_id"]: row for row in found.mappings()}


async def _former(ctx: Ctx, openings: Mapping[UUID, UUID]) -> dict[UUID, Cutoff]:
    if not openings:
        return {}
    statement = select(Reading).where(
        col(Reading.id).in_(openings.values()), col(Reading.state) == ReadingState.verified
    )
    return {
        reading.meter_id: Cutoff(reading.id, reading.read_at, reading.value)
        for reading in (await ctx.session.execute(statement)).scalars()
        if openings.get(reading.meter_id) == reading.id
    }


async def _changes(
    ctx: Ctx, meter_ids: Sequence[UUID]
) -> dict[UUID, list[tuple[datetime, Change]]]:
    found: dict[UUID, list[tuple[datetime, Change]]] = {}
    for row in await ctx.session.execute(_CHANGES, {"meters": list(meter_ids)}):
        change = Change(old_final=row.old_final, new_initial=row.new_initial)
        found.setdefault(row.meter_id, []).append((row.changed_at, change))
    return found


def _fresh(row: Any, *, at: datetime) -> Cutoff | NoUsage:
    if row["id"] is not None and at - row["read_at"] <= STALE_AFTER:
        return Cutoff(row["id"], row["read_at"], row["value"])
    if row["in_review"]:
        return NoUsage.review
    return NoUsage.missing if row["id"] is None else NoUsage.stale


def _opening(meter: _Metered, period: Period, row: Any) -> Cutoff | NoUsage:
    if meter.installed_on >= period.start:
        return Cutoff(None, _midnight(meter, meter.installed_on), meter.initial_value)
    return _fresh(row, at=_midnight(meter, period.start))


def _closing(meter: _Metered, period: Period, row: Any) -> Cutoff | NoUsage:
    """A meter that was taken away closes with its last reading, however old."""
    is_gone = meter.removed_on is not None and meter.removed_on < period.end
    if is_gone and row["id"] is not None:
        return Cutoff(row["id"], row["read_at"], row["value"])
    return _fresh(row, at=_closing_at(meter, period))


def _between(
    meter: _Metered,
    opening: Cutoff | NoUsage,
    closing: Cutoff | NoUsage,
    changes: Sequence[tuple[datetime, Change]],
) -> PeriodUsage:
    if isinstance(opening, NoUsage) or isinstance(closing, NoUsage):
        return _none(meter, opening, closing)
    within = tuple(change for at, change in changes if opening.read_at < at <= closing.read_at)
    try:
        used = rules.usage(meter.register, opening.value, closing.value, changes=within)
    except ReadingBelow:
        return _none(meter, opening, closing, NoUsage.below)
    return PeriodUsage(
        meter_id=meter.id,
        multiplier=meter.register.multiplier,
        opening=opening,
        closing=closing,
        changes=within,
        usage=used,
        reason=None,
    )


def _none(
    meter: _Metered,
    opening: Cutoff | NoUsage,
    closing: Cutoff | NoUsage,
    reason: NoUsage | None = None,
) -> PeriodUsage:
    reasons = [part for part in (closing, opening) if isinstance(part, NoUsage)]
    return PeriodUsage(
        meter_id=meter.id,
        multiplier=meter.register.multiplier,
        opening=opening if isinstance(opening, Cutoff) else None,
        closing=closing if isinstance(closing, Cutoff) else None,
        changes=(),
        usage=None,
        reason=reason or reasons[0],
    )


__all__ = [
    "Cutoff",
    "NoUsage",
    "PeriodUsage",
    "readings_at_cutoff",
    "register_of",
    "usage_for_period",
]
