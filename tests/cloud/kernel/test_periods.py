"""Periods are half-open, read closed, and months are counted from the anchor."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.kernel.periods import EmptyPeriod, Period, add_months, cycles

days = st.dates(min_value=date(1990, 1, 1), max_value=date(2090, 12, 31))


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start = draw(days)
    return Period(start, start + timedelta(days=draw(st.integers(1, 1200))))


def days_of(period: Period | None) -> set[date]:
    if period is None:
        return set()
    return {period.start + timedelta(days=index) for index in range(period.days)}


def of(first: str, last: str) -> Period:
    return Period(date.fromisoformat(first), date.fromisoformat(last))


class TestPeriod:
    def test_people_type_the_last_day(self) -> None:
        november = Period.closed(date(2026, 11, 1), date(2026, 11, 30))

        assert november == of("2026-11-01", "2026-12-01")
        assert november.last == date(2026, 11, 30)
        assert november.days == 30

    def test_one_day_is_a_period(self) -> None:
        assert Period.closed(date(2026, 2, 28), date(2026, 2, 28)).days == 1

    @pytest.mark.parametrize("end", [date(2026, 11, 1), date(2026, 10, 31)])
    def test_refuses_an_end_that_is_not_after_the_start(self, end: date) -> None:
        with pytest.raises(EmptyPeriod):
            Period(date(2026, 11, 1), end)

    @given(periods(), periods())
    def test_intersection_is_that_of_the_days(self, one: Period, other: Period) -> None:
        assert days_of(one.intersection(other)) == days_of(one) & days_of(other)

    @given(periods(), days)
    def test_until_keeps_the_days_before(self, period: Period, end: date) -> None:
        assert days_of(period.until(end)) == {day for day in days_of(period) if day < end}

    @given(periods())
    def test_an_open_end_cuts_nothing(self, period: Period) -> None:
        assert period.until(None) == period

    def test_touching_periods_share_no_day(self) -> None:
        assert of("2026-01-01", "2026-02-01").intersection(of("2026-02-01", "2026-03-01")) is None


class TestMonths:
    def test_counts_what_is_inside_each(self) -> None:
        found = list(of("2024-01-20", "2024-03-02").months())

        assert found == [
            (date(2024, 1, 1), 12, 31),
            (date(2024, 2, 1), 29, 29),
            (date(2024, 3, 1), 1, 31),
        ]

    def test_a_period_that_ends_on_the_first_leaves_that_month_out(self) -> None:
        assert [month for month, _, _ in of("2026-11-01", "2026-12-01").months()] == [
            date(2026, 11, 1)
        ]

    @given(periods())
    def test_days_of_the_months_are_the_days_of_the_period(self, period: Period) -> None:
        months = list(period.months())

        assert sum(inside for _, inside, _ in months) == period.days
        assert all(0 < inside <= whole for _, inside, whole in months)


class TestAddMonths:
    def test_rc_14_monthly_from_the_end_of_january(self) -> None:
        starts = [add_months(date(2024, 1, 31), index) for index in range(6)]

        assert [f"{start:%m-%d}" for start in starts] == [
            "01-31", "02-29", "03-31", "04-30", "05-31", "06-30",
        ]  # fmt: skip

    def test_rc_15_yearly_from_a_leap_day(self) -> None:
        starts = [add_months(date(2024, 2, 29), 12 * index) for index in range(5)]

        assert [start.isoformat() for start in starts] == [
            "2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29",
        ]  # fmt: skip

    def test_chaining_would_lose_the_anchor(self) -> None:
        anchor = date(2026, 1, 31)

        assert add_months(add_months(anchor, 1), 1) == date(2026, 3, 28)
        assert add_months(anchor, 2) == date(2026, 3, 31)

    @given(days, st.integers(-600, 600))
    def test_lands_in_the_right_month_on_the_day_or_its_last(
        self, anchor: date, months: int
    ) -> None:
        found = add_months(anchor, months)

        moved = (found.year - anchor.year) * 12 + found.month - anchor.month
        assert moved == months
        is_last = (found + timedelta(days=1)).day == 1
        assert found.day == anchor.day or (is_last and found.day < anchor.day)


class TestCycles:
    def test_starts_are_counted_from_the_anchor(self) -> None:
        found = cycles(date(2024, 1, 31), months=1, within=of("2024-01-31", "2024-07-01"))

        assert [f"{cycle.start:%m-%d}" for cycle in found] == [
            "01-31", "02-29", "03-31", "04-30", "05-31", "06-30",
        ]  # fmt: skip

    def test_an_anchor_behind_or_ahead_changes_nothing(self) -> None:
        year = of("2026-01-01", "2027-01-01")

        behind = list(cycles(date(2020, 1, 1), months=3, within=year))
        ahead = list(cycles(date(2030, 4, 1), months=3, within=year))

        assert behind == ahead
        assert [cycle.start.month for cycle in behind] == [1, 4, 7, 10]

    @given(days, st.sampled_from([1, 2, 3, 6, 12]), periods())
    def test_follow_each_other_without_gap_and_start_inside(
        self, anchor: date, months: int, within: Period
    ) -> None:
        found = list(cycles(anchor, months=months, within=within))

        assert all(within.start <= cycle.start < within.end for cycle in found)
        assert [cycle.end for cycle in found[:-1]] == [cycle.start for cycle in found[1:]]

    @given(days, st.sampled_from([1, 3, 12]), periods())
    def test_none_is_missed(self, anchor: date, months: int, within: Period) -> None:
        found = list(cycles(anchor, months=months, within=within))

        first = -(anchor.year - 1980) * 12 // months
        last = (2100 - anchor.year) * 12 // months
        starts = [add_months(anchor, index * months) for index in range(first, last)]
        assert [cycle.start for cycle in found] == [
            start for start in starts if within.start <= start < within.end
        ]
