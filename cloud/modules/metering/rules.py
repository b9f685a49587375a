"""Use from readings: rollover, multiplier, change of meter, and what is plausible (spec M3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from cloud.kernel.money import exact_decimal
from cloud.kernel.ui.language import Tone
from cloud.modules.metering.models import MeterKind, MeterState, ReadingReason, ReadingState

METER_KIND_LABELS: dict[MeterKind, tuple[str, Tone]] = {
    MeterKind.electricity: ("Electricity", Tone.mute),
    MeterKind.water: ("Water", Tone.mute),
    MeterKind.gas: ("Gas", Tone.mute),
    MeterKind.heat: ("Heat", Tone.mute),
}

METER_STATE_LABELS: dict[MeterState, tuple[str, Tone]] = {
    MeterState.in_use: ("In use", Tone.ok),
    MeterState.removed: ("Removed", Tone.mute),
}

PLACES = Decimal("0.0001")
HIGH_FACTOR = 3
ONE_DAY = timedelta(days=1)

# Below this much a day nothing is implausible: a bath after a month away is no fault of the meter.
HARMLESS_PER_DAY = {
    MeterKind.electricity: Decimal(30),
    MeterKind.water: Decimal(3),
    MeterKind.gas: Decimal(6),
    MeterKind.heat: Decimal(60),
}
# Without a history, a register that wrapped has used at most this share of its range.
ROLLOVER_SHARE = Fraction(1, 10)


class ReadingBelow(ValueError):
    """The register shows less than before and did not plausibly begin again."""


@dataclass(frozen=True)
class Register:
    """How a meter's register counts. `digits` are those before the decimal point."""

    digits: int
    can_roll_over: bool = True
    multiplier: Decimal = Decimal(1)

    @property
    def range(self) -> Decimal:
        return Decimal(10) ** self.digits

    def fits(self, value: Decimal) -> bool:
        return 0 <= value < self.range


@dataclass(frozen=True)
class Change:
    """Another apparatus took the place."""

    old_final: Decimal
    new_initial: Decimal


@dataclass(frozen=True)
class Shown:
    """What a register showed, and when."""

    at: datetime
    value: Decimal


def quantize_value(value: float) -> Decimal:
    """A measured float as a quantity of four places: the one way from telemetry into metering."""
    return trimmed(Decimal(repr(value)).quantize(PLACES, rounding=ROUND_HALF_UP))


def trimmed(value: Decimal) -> Decimal:
    """Without zeros behind the point that say nothing."""
    short = value.normalize()
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else short


def advance(
    register: Register, before: Decimal, now: Decimal, *, plausible_max: Decimal | None = None
) -> Decimal:
    """What the register counted from `before` to `now`, not multiplied.

    A lower value is a rollover when the meter may, and when what it then used is at most
    `plausible_max`, or a tenth of the range where nothing is known. Raises ReadingBelow otherwise.
    """
    if now >= before:
        return now - before
    used = register.range - before + now
    limit = exact_decimal(Fraction(register.range) * ROLLOVER_SHARE)
    if plausible_max is not None:
        limit = min(limit, plausible_max)
    if not register.can_roll_over or used > limit:
        raise ReadingBelow(f"{now} is less than {before}")
    return used


def usage(
    register: Register, opening: Decimal, closing: Decimal, *, changes: Sequence[Change] = ()
) -> Decimal:
    """Use between two readings over the changes between them, in their order.

    Each stretch is subtracted on its own, and the multiplier comes after the sum. Raises
    ReadingBelow.
    """
    counted = Decimal(0)
    before = opening
    for change in changes:
        counted += advance(register, before, change.old_final)
        before = change.new_initial
    counted += advance(register, before, closing)
    return trimmed((counted * register.multiplier).quantize(PLACES, rounding=ROUND_HALF_UP))


def plausible_max(history: Sequence[Shown], *, kind: MeterKind, days: Fraction) -> Decimal | None:
    """The most that a register plausibly counts in `days`: three times the trailing mean.

    `history` is good readings since the last change, oldest first. None when they span no day.
    """
    if len(history) < 2 or history[-1].at - history[0].at < ONE_DAY:
        return None
    span = _days(history[0].at, history[-1].at)
    mean = Fraction(history[-1].value - history[0].value) / span
    if mean < 0:
        return None
    per_day = max(HIGH_FACTOR * mean, Fraction(HARMLESS_PER_DAY[kind]))
    return exact_decimal(per_day * max(days, Fraction(1)), places=4)


def judge(
    register: Register, *, kind: MeterKind, last: Shown, history: Sequence[Shown], fresh: Shown
) -> tuple[ReadingState, ReadingReason]:
    """Whether a reading is verified, waits for a person, or is rejected.

    `last` is the good reading before it, or the new register's first value after a change.
    `history` reaches back at least a day before it, so that a busy evening is not a fault.
    """
    if not register.fits(fresh.value):
        return ReadingState.rejected, ReadingReason.too_many_digits
    base = history[-1] if history else last
    limit = plausible_max(history, kind=kind, days=_days(last.at, fresh.at))
    try:
        advance(register, last.value, fresh.value, plausible_max=limit)
        used = advance(register, base.value, fresh.value)
    except ReadingBelow:
        return ReadingState.rejected, ReadingReason.below_last
    limit = plausible_max(history, kind=kind, days=_days(base.at, fresh.at))
    if limit is not None and used > limit:
        return ReadingState.review, ReadingReason.too_high
    return ReadingState.verified, ReadingReason.none


def _days(start: datetime, end: datetime) -> Fraction:
    return Fraction((end - start) // timedelta(microseconds=1), 86_400_000_000)
