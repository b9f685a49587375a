"""Spreading an amount over bills when the payer names none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.kernel.money import ZERO
from cloud.modules.receiving.rules import Owed, allocate

MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 30)


def owed(number: int, amount: str, due_on: date = MARCH, priority: int = 10) -> Owed:
    return Owed(UUID(int=number), Decimal(amount), due_on, priority)


def spread(amount: str, bills: Sequence[Owed]) -> tuple[dict[int, str], str]:
    parts, left = allocate(Decimal(amount), bills)
    return {part.bill_id.int: str(part.amount) for part in parts}, str(left)


@pytest.mark.parametrize(
    ("amount", "bills", "expected", "left"),
    [
        # The golden month's 1-201 (spec 6.16): 200.00 against 178.98, 72.75 and 40.00.
        (
            "200.00",
            [owed(1, "178.98"), owed(2, "72.75", priority=20), owed(3, "40.00", priority=30)],
            {1: "178.98", 2: "21.02"},
            "0.00",
        ),
        # The oldest due date comes before the item's priority.
        ("50.00", [owed(1, "80.00", APRIL, 1), owed(2, "80.00", MARCH, 99)], {2: "50.00"}, "0.00"),
        # Alike in both: in proportion, the odd cent to the largest remainder, a tie to the first.
        (
            "100.00",
            [owed(1, "50.00"), owed(2, "50.00"), owed(3, "50.00")],
            {1: "33.34", 2: "33.33", 3: "33.33"},
            "0.00",
        ),
        ("0.01", [owed(1, "5.00"), owed(2, "7.00")], {2: "0.01"}, "0.00"),
        # Enough for all: each is settled and the rest is answered, not lost.
        ("20.00", [owed(1, "5.00"), owed(2, "7.00")], {1: "5.00", 2: "7.00"}, "8.00"),
        ("3.00", [], {}, "3.00"),
    ],
)
def test_the_default_order(
    amount: str, bills: list[Owed], expected: dict[int, str], left: str
) -> None:
    assert spread(amount, bills) == (expected, left)


cents = st.integers(1, 500_000).map(lambda value: Decimal(value).scaleb(-2))
debts = st.lists(
    st.tuples(cents, st.sampled_from([MARCH, APRIL]), st.sampled_from([10, 20])), max_size=8
).map(
    lambda drawn: [
        Owed(UUID(int=place), amount, due_on, priority)
        for place, (amount, due_on, priority) in enumerate(drawn)
    ]
)


@given(cents, debts)
def test_nothing_is_lost_and_no_bill_gets_more_than_it_owes(
    amount: Decimal, bills: list[Owed]
) -> None:
    parts, left = allocate(amount, bills)
    open_of = {bill.bill_id: bill.open for bill in bills}
    assert sum((part.amount for part in parts), left) == amount
    assert all(ZERO < part.amount <= open_of[part.bill_id] for part in parts)
    assert len({part.bill_id for part in parts}) == len(parts)
    assert left == max(ZERO, amount - sum(open_of.values(), ZERO))


@given(cents, debts)
def test_a_later_bill_gets_nothing_while_an_earlier_one_is_open(
    amount: Decimal, bills: list[Owed]
) -> None:
    parts, _ = allocate(amount, bills)
    paid = {part.bill_id: part.amount for part in parts}
    unsettled = [
        (bill.due_on, bill.priority) for bill in bills if paid.get(bill.bill_id, ZERO) < bill.open
    ]
    if unsettled:
        first = min(unsettled)
        assert all((bill.due_on, bill.priority) <= first for bill in bills if bill.bill_id in paid)


@given(cents, debts, st.randoms(use_true_random=False))
def test_the_order_of_reading_does_not_matter(
    amount: Decimal, bills: list[Owed], random: st.DataObject
) -> None:
    shuffled = list(bills)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert allocate(amount, shuffled) == allocate(amount, bills)
