"""Money: rounding in one place, and splitting that loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
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


_STEPS_OF_A_YUAN = {RoundingStep.cent: 100, RoundingStep.dime: 10, RoundingStep.yuan: 1}


def round_money(
    value: Decimal | Fraction,
    *,
    step: RoundingStep = RoundingStep.cent,
    mode: RoundingMode = RoundingMode.half_up,
) -> Decimal:
    """Round once, away from zero on a tie, to two stored places (spec domain 0.1)."""
    return round_ratio(*value.as_integer_ratio(), step=step, mode=mode)


def round_ratio(
    numerator: int,
    denominator: int,
    *,
    step: RoundingStep = RoundingStep.cent,
    mode: RoundingMode = RoundingMode.half_up,
) -> Decimal:
    """The same of a quotient of whole numbers, which need not be reduced: many bills are one."""
    steps = _STEPS_OF_A_YUAN[step]
    whole, rest = divmod(abs(numerator) * steps, denominator)
    if mode is RoundingMode.half_up:
        whole += 2 * rest >= denominator
    elif mode is RoundingMode.up:
        whole += rest > 0
    cents = whole * (100 // steps)
    return Decimal(-cents if numerator < 0 else cents).scaleb(-2)


def exact_decimal(value: Decimal | Fraction, *, places: int = 12) -> Decimal:
    """A Fraction as a Decimal cut at `places`; exact when it has no more.

    Cutting cannot turn a tie into a non-tie or back: a tie at the cent ends within 3 places.
    """
    if isinstance(value, Decimal):
        return value
    return cut_ratio(value.numerator, value.denominator, places=places)


def cut_ratio(numerator: int, denominator: int, *, places: int = 12) -> Decimal:
    """The same of a quotient of whole numbers, which need not be reduced."""
    whole, rest = divmod(abs(numerator) * 10**places, denominator)
    if rest:
        whole = whole - whole % 10 + (whole % 10 or 1)  # a remainder keeps the cut off a false tie
    return Decimal(-whole if numerator < 0 else whole).scaleb(-places)


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
    part, whole = rate.as_integer_ratio()
    amount, parts = total.as_integer_ratio()
    return round_ratio(amount * part, parts * (whole + part))
