"""Use from readings, worked out by hand (spec domain 6.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.modules.metering import rules
from cloud.modules.metering.models import MeterKind, ReadingReason, ReadingState
from cloud.modules.metering.rules import Change, ReadingBelow, Register, Shown

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)


def test_rc_30_register_begins_again() -> None:
    assert rules.usage(Register(digits=5), Decimal(99_876), Decimal(123)) == 247


def test_rc_31_multiplier_comes_after_the_subtraction() -> None:
    register = Register(digits=5, multiplier=Decimal(40))
    assert rules.usage(register, Decimal("180.2"), Decimal("215.4")) == Decimal("1408.0")


def test_rc_32_change_of_meter_adds_both_stretches() -> None:
    change = Change(old_final=Decimal("1290.5"), new_initial=Decimal("3.0"))
    used = rules.usage(Register(digits=5), Decimal("1250.0"), Decimal("21.0"), changes=[change])
    assert used == Decimal("58.5")


def test_rc_33_less_than_before_without_rollover_is_refused() -> None:
    with pytest.raises(ReadingBelow):
        rules.usage(Register(digits=5, can_roll_over=False), Decimal(350), Decimal(340))


def test_less_than_before_is_no_rollover_when_the_use_would_be_absurd() -> None:
    with pytest.raises(ReadingBelow):
        rules.usage(Register(digits=5), Decimal(350), Decimal(340))


def test_rollover_is_measured_against_the_trailing_mean() -> None:
    register = Register(digits=5)
    with pytest.raises(ReadingBelow):
        rules.advance(register, Decimal(99_000), Decimal(500), plausible_max=Decimal(1_000))
    used = rules.advance(register, Decimal(99_000), Decimal(500), plausible_max=Decimal(2_000))
    assert used == 1_500


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        ("1100", (ReadingState.verified, ReadingReason.none)),
        ("1900", (ReadingState.verified, ReadingReason.none)),
        ("1900.0001", (ReadingState.review, ReadingReason.too_high)),
        ("999.9999", (ReadingState.rejected, ReadingReason.below_last)),
        ("100000", (ReadingState.rejected, ReadingReason.too_many_digits)),
    ],
)
def test_three_times_the_trailing_mean_goes_to_review(
    value: str, verdict: tuple[ReadingState, ReadingReason]
) -> None:
    """The mean is 20 a day over fifteen days, the reading comes fifteen days later."""
    history = (
        Shown(NOON - timedelta(days=30), Decimal(700)),
        Shown(NOON - timedelta(days=15), Decimal(1_000)),
    )
    found = rules.judge(
        Register(digits=5),
        kind=MeterKind.electricity,
        last=history[-1],
        history=history,
        fresh=Shown(NOON, Decimal(value)),
    )
    assert found == verdict


def test_busy_evening_is_measured_against_whole_days() -> None:
    """Half a day's use in a quarter of an hour's step is no fault of the meter."""
    history = (
        Shown(NOON - timedelta(days=20), Decimal(800)),
        Shown(NOON - timedelta(days=1), Decimal(1_000)),
    )
    found = rules.judge(
        Register(digits=5),
        kind=MeterKind.electricity,
        last=Shown(NOON - timedelta(minutes=15), Decimal(1_004)),
        history=history,
        fresh=Shown(NOON, Decimal(1_009)),
    )
    assert found == (ReadingState.verified, ReadingReason.none)


def test_little_use_is_never_implausible() -> None:
    history = (
        Shown(NOON - timedelta(days=60), Decimal(10)),
        Shown(NOON - timedelta(days=2), Decimal(10)),
    )
    limit = rules.plausible_max(history, kind=MeterKind.water, days=Fraction(2))
    assert limit == 6


@pytest.mark.parametrize(
    ("measured", "value"),
    [
        (0.1 + 0.2, "0.3"),
        (2506.31, "2506.31"),
        (100.0, "100"),
        (1e9, "1000000000"),
        (0.00005, "0.0001"),
    ],
)
def test_float_becomes_a_quantity_of_four_places(measured: float, value: str) -> None:
    assert str(rules.quantize_value(measured)) == value


@given(
    start=st.integers(0, 99_999),
    steps=st.lists(st.integers(0, 300), min_size=1, max_size=20),
)
def test_use_of_a_period_is_the_sum_of_its_parts(start: int, steps: list[int]) -> None:
    """However the register wraps on the way, no use falls between two periods."""
    register = Register(digits=5)
    shown = [Decimal(start)]
    for step in steps:
        shown.append((shown[-1] + step) % 100_000)
    parts = sum(rules.usage(register, before, after) for before, after in pairwise(shown))
    assert parts == sum(steps)
