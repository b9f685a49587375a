"""Money is rounded once, exactly, and split without loss."""

from __future__ import annotations

import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.kernel.money import (
    CENT,
    RoundingMode,
    RoundingStep,
    exact_decimal,
    round_money,
    split_money,
    tax_included,
)

STEPS = {
    RoundingStep.cent: Fraction(1, 100),
    RoundingStep.dime: Fraction(1, 10),
    RoundingStep.yuan: Fraction(1),
}

amounts = st.decimals(
    min_value=Decimal("-1e9"), max_value=Decimal("1e9"), places=2, allow_nan=False
)
weights = st.lists(
    st.decimals(min_value=0, max_value=Decimal("1e6"), places=4, allow_nan=False),
    min_size=1,
    max_size=30,
).filter(any)


def rounded(value: Fraction, step: Fraction, mode: RoundingMode) -> Fraction:
    """The definition, in rationals: the nearest step, or the step away from or towards zero."""
    steps, rest = divmod(abs(value) / step, 1)
    half = Fraction(1, 2)
    is_up = {
        RoundingMode.half_up: rest >= half,
        RoundingMode.up: rest > 0,
        RoundingMode.down: False,
    }[mode]
    return (-1 if value < 0 else 1) * (steps + is_up) * step


class TestRoundMoney:
    @pytest.mark.parametrize(
        ("case", "value", "step", "expected"),
        [
            ("RC-01", Decimal("444.195"), RoundingStep.cent, "444.20"),
            ("RC-02", Decimal("0.15") * Decimal("130.70"), RoundingStep.cent, "19.61"),
            ("RC-03", Decimal("1.40") * Decimal("100.24") * 12, RoundingStep.cent, "1684.03"),
            ("RC-03", Decimal("1.40") * Decimal("100.24") * 12, RoundingStep.yuan, "1684.00"),
            ("RC-04", Decimal("1.20") * Decimal("317.06") * 12, RoundingStep.cent, "4565.66"),
            ("RC-04", Decimal("1.20") * Decimal("317.06") * 12, RoundingStep.yuan, "4566.00"),
            ("RC-05", Decimal("2.38") * Decimal("89.53"), RoundingStep.cent, "213.08"),
            ("RC-05", Decimal("2.38") * Decimal("89.53") * 3, RoundingStep.cent, "639.24"),
            ("RC-07", Decimal("2.675"), RoundingStep.cent, "2.68"),
            ("RC-07", Decimal("1.005"), RoundingStep.cent, "1.01"),
            ("below zero", Decimal("-1.005"), RoundingStep.cent, "-1.01"),
            ("to the dime", Decimal("0.05"), RoundingStep.dime, "0.10"),
            ("a third", Fraction(1, 3), RoundingStep.cent, "0.33"),
            ("two thirds", Fraction(-2, 3), RoundingStep.cent, "-0.67"),
        ],
    )
    def test_follows_the_table(
        self, case: str, value: Decimal | Fraction, step: RoundingStep, expected: str
    ) -> None:
        assert str(round_money(value, step=step)) == expected, case

    def test_rounding_each_month_first_would_lose_a_cent(self) -> None:
        monthly = round_money(Decimal("1.20") * Decimal("317.06"))

        assert monthly * 12 == Decimal("4565.64")
        assert round_money(Decimal("1.20") * Decimal("317.06") * 12) == Decimal("4565.66")

    @given(
        st.fractions(-(10**15), 10**15),
        st.sampled_from(RoundingStep),
        st.sampled_from(RoundingMode),
    )
    def test_is_the_rational_definition(
        self, value: Fraction, step: RoundingStep, mode: RoundingMode
    ) -> None:
        expected = rounded(value, STEPS[step], mode)

        assert Fraction(round_money(value, step=step, mode=mode)) == expected

    @given(
        st.integers(min_value=-(10**9), max_value=10**9),
        st.integers(min_value=13, max_value=30),
        st.sampled_from([-1, 0, 1]),
        st.sampled_from(RoundingMode),
    )
    def test_is_exact_right_beside_a_tie(
        self, cents: int, places: int, side: int, mode: RoundingMode
    ) -> None:
        value = Fraction(2 * cents + 1, 200) + Fraction(side, 10**places)

        expected = rounded(value, Fraction(1, 100), mode)

        assert Fraction(round_money(value, mode=mode)) == expected

    @given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
    def test_says_two_places(self, value: Decimal) -> None:
        assert round_money(value).as_tuple().exponent == -2

    @pytest.mark.parametrize("value", [Decimal("12345678901234.565"), Decimal("-99999999999.995")])
    def test_large_amounts_lose_nothing(self, value: Decimal) -> None:
        expected = rounded(Fraction(value), Fraction(1, 100), RoundingMode.half_up)

        assert Fraction(round_money(value)) == expected


class TestExactDecimal:
    @given(st.decimals(min_value=-1e14, max_value=1e14, allow_nan=False, places=6))
    def test_is_exact_when_the_places_suffice(self, value: Decimal) -> None:
        assert exact_decimal(Fraction(value)) == value

    def test_leaves_a_decimal_alone(self) -> None:
        value = Decimal("1.23456789012345678")

        assert exact_decimal(value) is value


class TestSplitMoney:
    @pytest.mark.parametrize(
        ("case", "total", "shares", "expected"),
        [
            ("RC-40", "100.00", ["1"] * 3, "33.34 33.33 33.33"),
            (
                "RC-41",
                "560.00",
                ["89.50", "120.30", "75.20", "140.00", "89.50", "64.37"],
                "86.58 116.38 72.75 135.44 86.58 62.27",
            ),
            ("RC-42", "560.00", ["1"] * 300, " ".join(["1.87"] * 200 + ["1.86"] * 100)),
            ("a loss", "-0.05", ["1", "1"], "-0.03 -0.02"),
            ("a share of nothing", "1.00", ["0", "3"], "0.00 1.00"),
            ("nothing", "0.00", ["1", "2"], "0.00 0.00"),
        ],
    )
    def test_follows_the_table(
        self, case: str, total: str, shares: list[str], expected: str
    ) -> None:
        parts = split_money(Decimal(total), [Decimal(share) for share in shares])

        assert [f"{part:.2f}" for part in parts] == expected.split(), case

    @given(amounts, weights)
    def test_parts_sum_to_the_whole(self, total: Decimal, shares: list[Decimal]) -> None:
        assert sum(split_money(total, shares)) == total

    @given(amounts, weights)
    def test_no_part_is_a_cent_away_from_its_share(
        self, total: Decimal, shares: list[Decimal]
    ) -> None:
        whole = Fraction(sum(shares, Decimal(0)))

        off = [
            abs(Fraction(part) - Fraction(total) * Fraction(share) / whole)
            for part, share in zip(split_money(total, shares), shares, strict=True)
        ]

        assert max(off) < Fraction(CENT)

    @given(amounts, weights)
    def test_a_larger_weight_never_gets_less(self, total: Decimal, shares: list[Decimal]) -> None:
        parts = split_money(abs(total), shares)

        by_weight = sorted(zip(shares, parts, strict=True))
        pairs = itertools.pairwise(by_weight)
        assert all(low[1] <= high[1] for low, high in pairs if low[0] < high[0])

    @pytest.mark.parametrize("shares", [[], ["0", "0"], ["2", "-1"]])
    def test_refuses_weights_that_share_nothing(self, shares: list[str]) -> None:
        with pytest.raises(ValueError, match="weights"):
            split_money(Decimal("1.00"), [Decimal(share) for share in shares])

    def test_refuses_a_whole_with_a_third_decimal(self) -> None:
        with pytest.raises(ValueError, match="two decimals"):
            split_money(Decimal("0.005"), [Decimal(1)])


class TestTaxIncluded:
    @pytest.mark.parametrize(
        ("total", "rate", "tax"),
        [("106.00", "0.06", "6.00"), ("100.00", "0.06", "5.66"), ("100.00", "0", "0.00")],
    )
    def test_is_the_tax_inside(self, total: str, rate: str, tax: str) -> None:
        assert str(tax_included(Decimal(total), Decimal(rate))) == tax
