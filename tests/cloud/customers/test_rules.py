"""Shares of owners over time."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cloud.modules.customers.rules import Holding, half_blank_on, overbooked_on

JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


def held(share: str | None, start: date, end: date | None = None) -> Holding:
    return Holding(None if share is None else Decimal(share), start, end)


def test_shares_may_sum_to_the_whole_but_not_beyond() -> None:
    assert overbooked_on([held("60", JAN), held("40", FEB)]) is None
    assert overbooked_on([held("60", JAN), held("40.0001", FEB)]) == (FEB, Decimal("100.0001"))


def test_a_share_that_ends_makes_room_on_that_day() -> None:
    assert overbooked_on([held("100", JAN, FEB), held("100", FEB)]) is None
    assert overbooked_on([held("100", JAN, MAR), held("100", FEB)]) == (FEB, Decimal(200))


def test_shares_are_all_given_or_all_blank() -> None:
    assert half_blank_on([held(None, JAN), held(None, FEB)]) is None
    assert half_blank_on([held(None, JAN, FEB), held("100", FEB)]) is None
    assert half_blank_on([held(None, JAN), held("50", MAR)]) == MAR


days = st.dates(date(2026, 1, 1), date(2026, 3, 1))


@given(st.lists(st.tuples(st.integers(1, 100), days, st.none() | days), max_size=6))
def test_no_day_is_overbooked_when_none_is_reported(
    drawn: list[tuple[int, date, date | None]],
) -> None:
    holdings = [
        Holding(Decimal(share), start, end)
        for share, start, end in drawn
        if end is None or end > start
    ]
    worst = max(
        (
            sum(h.share or 0 for h in holdings if h.holds_on(date.fromordinal(day)))
            for day in range(JAN.toordinal(), MAR.toordinal() + 1)
        ),
        default=Decimal(0),
    )
    assert (overbooked_on(holdings) is None) == (worst <= 100)
