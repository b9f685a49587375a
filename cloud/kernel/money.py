"""Money: rounding in one place, and splitting that loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from enum import StrEnum
from fractions import Fraction

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


class RoundingStep(StrEnum):
    cent = "cent"
    dime = "dime"
    yuan = "yuan"


class RoundingMode(StrEnum):
    half_up = "half_up"
    up = "up"
    down = "down"


_STEP = {
    RoundingStep.cent: CENT,
    RoundingStep.dime: Decimal("0.1"),
    RoundingStep.yuan: Decimal(1),
}
_MODE = {
    RoundingMode.half_up: ROUND_HALF_UP,
    RoundingMode.up: ROUND_UP,
    RoundingMode.down: ROUND_DOWN,
}


def round_money(
    value: Decimal | Fraction,
    *,
    step: RoundingStep = RoundingStep.cent,
    mode: RoundingMode = RoundingMode.half_up,
) -> Decimal:
    """Round once, away from zero on a tie, to two stored places (spec domain 0.1)."""
    exact = exact_decimal(value)
    return exact.quantize(_STEP[step], rounding=_MODE[mode]).quantize(CENT)


def exact_decimal(value: Decimal | Fraction, *, places: int = 12) -> Decimal:
    """A Fraction as a Decimal cut at `places`; exact when it has no more.

    Cutting cannot turn a tie into a non-tie or back: a tie at the cent ends within 3 places.
    """
    if isinstance(value, Decimal):
        return value
    scaled = value * 10**places
    whole = abs(scaled.numerator) // scaled.denominator
    if Fraction(whole) != abs(scaled):
        whole = whole - whole % 10 + (whole % 10 or 1)  # a remainder keeps the cut off a false tie
    sign = -1 if value < 0 else 1
    return Decimal(sign * whole).scaleb(-places)


def split_money(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Parts proportional to `weights`, in their order, summing to `total` to the cent.

    Largest remainder; ties go to the earlier weight. Weights are ≥ 0 and not all zero, the total
    has at most two decimals (ValueError): a third could not be shared out in cents.
    """
    if total != total.quantize(CENT):
        raise ValueError(f"{total} has more than two decimals")
    whole = sum(weights, Decimal(0))
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-negative and not all zero")
    cents = int(abs(total) / CENT)
    exact = [Fraction(cents) * Fraction(weight) / Fraction(whole) for weight in weights]
    floors = [share.numerator // share.denominator for share in exact]
    left = cents - sum(floors)
    by_remainder = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    for index in by_remainder[:left]:
        floors[index] += 1
    sign = -1 if total < 0 else 1
    return [sign * part * CENT for part in floors]


def tax_included(total: Decimal, rate: Decimal) -> Decimal:
    """The tax inside a tax-inclusive total: round(total × r ÷ (1 + r)) (spec domain M3.12)."""
    return round_money(Fraction(total) * Fraction(rate) / (1 + Fraction(rate)))
