"""The worked examples of spec 6.1, 6.2 and 6.4 through the pure rules."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.kernel.money import RoundingMode, RoundingStep
from cloud.kernel.periods import Period
from cloud.modules.charging.models import AreaBasis, Method, PricePer, Proration, Timing
from cloud.modules.charging.rules import (
    Basis,
    Price,
    Readings,
    Segment,
    compute,
    due_cycles,
    due_on,
    from_snapshot,
    months_of,
    quantity_of,
    segments_of,
    snapshot_text,
    to_snapshot,
)

NIL = UUID(int=0)


def basis(
    *,
    quantity: str,
    price: str,
    start: date = date(2026, 1, 1),
    months: int = 1,
    end: date | None = None,
    is_whole: bool = True,
    proration: Proration = Proration.actual_month,
    step: RoundingStep = RoundingStep.cent,
    method: Method = Method.area,
    tax_rate: str = "0",
) -> Basis:
    stop = end or date(
        start.year + (start.month + months - 1) // 12, (start.month + months - 1) % 12 + 1, 1
    )
    segment = Segment(str(NIL), 1, Decimal(price), start, stop)
    return Basis(
        method=method,
        standard="高层住宅物业费",
        quantity=Decimal(quantity),
        coefficient=Decimal(1),
        segments=(segment,),
        cycle_months=months,
        cycle_days=(stop - start).days,
        is_whole=is_whole,
        price_per=PricePer.month,
        proration=proration,
        rounding_step=step,
        rounding_mode=RoundingMode.half_up,
        tax_rate=Decimal(tax_rate),
        area_basis=AreaBasis.chargeable,
        unit="㎡",
    )


class TestAreaCharges:
    @pytest.mark.parametrize(
        ("case", "price", "area", "months", "step", "expected"),
        [
            ("RC-02", "0.15", "130.70", 1, RoundingStep.cent, "19.61"),
            ("RC-03", "1.40", "100.24", 12, RoundingStep.cent, "1684.03"),
            ("RC-03 yuan", "1.40", "100.24", 12, RoundingStep.yuan, "1684.00"),
            ("RC-04", "1.20", "317.06", 12, RoundingStep.cent, "4565.66"),
            ("RC-04 yuan", "1.20", "317.06", 12, RoundingStep.yuan, "4566.00"),
            ("RC-05", "2.38", "89.53", 1, RoundingStep.cent, "213.08"),
            ("RC-05 quarter", "2.38", "89.53", 3, RoundingStep.cent, "639.24"),
        ],
    )
    def test_worked_examples(
        self, case: str, price: str, area: str, months: int, step: RoundingStep, expected: str
    ) -> None:
        computed = compute(basis(quantity=area, price=price, months=months, step=step))

        assert str(computed.amount) == expected, case

    def test_keeps_the_unrounded_amount(self) -> None:
        assert compute(basis(quantity="89.53", price="2.38", months=3)).raw == Decimal("639.2442")

    def test_takes_the_tax_out_of_the_price(self) -> None:
        computed = compute(basis(quantity="89.50", price="2.38", tax_rate="0.06"))

        assert (computed.amount, computed.tax) == (Decimal("213.01"), Decimal("12.06"))


class TestProration:
    @pytest.mark.parametrize(
        ("case", "price", "start", "end", "mode", "expected"),
        [
            ("RC-10", "300.00", (2024, 1, 16), (2024, 3, 10), Proration.actual_month, "551.61"),
            ("RC-10", "300.00", (2024, 1, 16), (2024, 3, 10), Proration.fixed_30, "560.00"),
            ("RC-10", "300.00", (2024, 1, 16), (2024, 3, 10), Proration.year_365, "542.47"),
            ("RC-11", "10000.00", (2024, 1, 16), (2024, 3, 10), Proration.actual_month, "18387.10"),
            ("RC-11", "10000.00", (2024, 1, 16), (2024, 3, 10), Proration.fixed_30, "18666.67"),
            ("RC-11", "10000.00", (2024, 1, 16), (2024, 3, 10), Proration.year_365, "18082.19"),
            ("RC-12", "237.11", (2025, 2, 10), (2025, 4, 30), Proration.actual_month, "635.12"),
            ("RC-12", "237.11", (2025, 2, 10), (2025, 4, 30), Proration.fixed_30, "624.39"),
            ("RC-12", "237.11", (2025, 2, 10), (2025, 4, 30), Proration.year_365, "623.63"),
            ("RC-13", "350.00", (2026, 11, 23), (2026, 12, 31), Proration.actual_month, "443.33"),
            ("RC-13", "350.00", (2026, 11, 23), (2026, 12, 31), Proration.fixed_30, "443.33"),
            ("RC-13", "350.00", (2026, 11, 23), (2026, 12, 31), Proration.year_365, "448.77"),
        ],
    )
    def test_worked_examples(
        self,
        case: str,
        price: str,
        start: tuple[int, int, int],
        end: tuple[int, int, int],
        mode: Proration,
        expected: str,
    ) -> None:
        period = Period.closed(date(*start), date(*end))

        computed = compute(
            basis(
                quantity="1",
                price=price,
                start=period.start,
                end=period.end,
                is_whole=False,
                proration=mode,
                method=Method.fixed,
            )
        )

        assert str(computed.amount) == expected, case

    def test_half_month_from_the_sixteenth(self) -> None:
        until = date(2026, 4, 1)

        assert months_of(Period(date(2026, 3, 15), until), Proration.half_month) == 1
        assert months_of(Period(date(2026, 3, 16), until), Proration.half_month) == Fraction(1, 2)

    def test_next_month_leaves_the_first_part_out(self) -> None:
        period = Period(date(2026, 3, 2), date(2026, 5, 1))

        assert months_of(period, Proration.next_month) == 1

    @given(
        start=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
        first=st.integers(1, 400),
        second=st.integers(1, 400),
        mode=st.sampled_from([Proration.actual_month, Proration.year_365]),
    )
    def test_is_additive(self, start: date, first: int, second: int, mode: Proration) -> None:
        middle = date.fromordinal(start.toordinal() + first)
        end = date.fromordinal(middle.toordinal() + second)

        parts = months_of(Period(start, middle), mode) + months_of(Period(middle, end), mode)

        assert parts == months_of(Period(start, end), mode)


def due(timing: Timing, run: Period, *, starts_on: date, ends_on: date | None) -> list[Period]:
    """The quarters from 2025-01-01 on that the run bills."""
    return due_cycles(
        anchor=date(2025, 1, 1),
        months=3,
        timing=timing,
        run=run,
        starts_on=starts_on,
        ends_on=ends_on,
    )


class TestCycles:
    SINCE = date(2025, 1, 1)
    QUARTER = Period(date(2026, 10, 1), date(2027, 1, 1))
    OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1))
    NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1))
    DECEMBER = Period(date(2026, 12, 1), date(2027, 1, 1))

    def test_advance_bills_what_starts_in_the_run(self) -> None:
        found = due(Timing.advance, self.OCTOBER, starts_on=self.SINCE, ends_on=None)

        assert found == [self.QUARTER]
        assert due(Timing.advance, self.NOVEMBER, starts_on=self.SINCE, ends_on=None) == []

    def test_advance_bills_who_moves_in_during_the_quarter_from_then(self) -> None:
        moved_in = date(2026, 11, 23)

        assert due(Timing.advance, self.OCTOBER, starts_on=moved_in, ends_on=None) == []
        assert due(Timing.advance, self.NOVEMBER, starts_on=moved_in, ends_on=None) == [
            self.QUARTER
        ]

    def test_arrears_bills_what_ends_in_the_run(self) -> None:
        found = due(Timing.arrears, self.DECEMBER, starts_on=self.SINCE, ends_on=None)

        assert found == [self.QUARTER]

    def test_arrears_bills_who_leaves_during_the_quarter_at_once(self) -> None:
        left = date(2026, 11, 10)

        assert due(Timing.arrears, self.NOVEMBER, starts_on=self.SINCE, ends_on=left) == [
            self.QUARTER
        ]
        assert due(Timing.arrears, self.DECEMBER, starts_on=self.SINCE, ends_on=left) == []

    def test_is_never_born_overdue(self) -> None:
        cycle = Period(date(2025, 1, 1), date(2025, 2, 1))

        due = due_on(timing=Timing.advance, cycle=cycle, due_days=30, issued_on=date(2026, 11, 24))

        assert due == date(2026, 12, 1)


def price(start: date, end: date | None, amount: str, number: int) -> Price:
    return Price(
        version_id=UUID(int=number),
        number=number,
        unit_price=Decimal(amount),
        price_per=PricePer.month,
        area_basis=AreaBasis.chargeable,
        proration=Proration.actual_month,
        rounding_step=RoundingStep.cent,
        rounding_mode=RoundingMode.half_up,
        start=start,
        end=end,
    )


class TestSegments:
    CYCLE = Period(date(2026, 1, 1), date(2026, 2, 1))
    CHANGED = date(2026, 1, 16)
    PRICES = (
        price(date(2025, 1, 1), CHANGED, "2.00", 1),
        price(CHANGED, None, "2.50", 2),
    )

    def test_splits_at_the_day_of_the_change(self) -> None:
        segments = segments_of(self.CYCLE, self.PRICES, split=True)

        assert [(s.version, s.start, s.end) for s in segments] == [
            (1, self.CYCLE.start, self.CHANGED),
            (2, self.CHANGED, self.CYCLE.end),
        ]

    def test_keeps_the_first_price_for_a_register(self) -> None:
        segments = segments_of(self.CYCLE, self.PRICES, split=False)

        assert [segment.version for segment in segments] == [1]

    def test_a_day_without_a_price_leaves_it_out(self) -> None:
        assert segments_of(self.CYCLE, self.PRICES[1:], split=True) == ()


class TestMetered:
    def readings(self, opening: str, closing: str, **changes: object) -> Readings:
        values: dict[str, object] = {
            "meter_no": "E-1",
            "digits": 5,
            "can_roll_over": True,
            "multiplier": Decimal(1),
            "opening": Decimal(opening),
            "closing": Decimal(closing),
            "opening_at": "2026-10-01T00:00:00+08:00",
            "closing_at": "2026-11-01T00:00:00+08:00",
            "closing_id": None,
            "changes": (),
        }
        return Readings(**{**values, **changes})  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("case", "opening", "closing", "changes", "expected"),
        [
            ("RC-30", "99876", "123", {}, "247"),
            ("RC-31", "180.2", "215.4", {"multiplier": Decimal(40)}, "1408.0"),
            (
                "RC-32",
                "1250.0",
                "21.0",
                {"changes": ((Decimal("1290.5"), Decimal("3.0")),)},
                "58.5",
            ),
        ],
    )
    def test_worked_examples(
        self, case: str, opening: str, closing: str, changes: dict[str, object], expected: str
    ) -> None:
        plain = basis(quantity=expected, price="0.538", method=Method.metered)
        metered = Basis(**{**vars(plain), "readings": self.readings(opening, closing, **changes)})

        assert quantity_of(metered) == Decimal(expected), case
        assert compute(metered).raw == Decimal(expected) * Decimal("0.538")


class TestSnapshot:
    def test_reads_back_what_it_wrote(self) -> None:
        metered = Basis(
            **{
                **vars(basis(quantity="58.5", price="3.45", method=Method.metered)),
                "readings": TestMetered().readings("1", "2", closing_id=str(NIL)),
            }
        )

        assert from_snapshot(to_snapshot(metered)) == metered


class TestBasisOfAnother:
    """One basis for all that is charged alike, and each object's own made from it."""

    def test_is_the_basis_that_would_have_been_written_out(self) -> None:
        terms = basis(quantity="1", price="2.38", months=3, tax_rate="0.06")
        whole = Basis(**{**vars(terms), "quantity": Decimal("89.53")})

        made = terms.of(Decimal("89.53"), coefficient=Decimal(1))

        assert made == whole
        assert compute(made) == compute(whole)

    def test_keeps_its_own_snapshot_as_text(self) -> None:
        readings = TestMetered().readings("1", "2")
        terms = basis(quantity="1", price="2.38", method=Method.metered)
        made = terms.of(Decimal("3.2100"), coefficient=Decimal("0.5"), readings=readings)

        assert json.loads(snapshot_text(made)) == to_snapshot(made)
        assert from_snapshot(json.loads(snapshot_text(made))) == made
