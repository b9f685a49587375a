"""Prices in bands (spec M3.2 d): the arithmetic, the place in the bands, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.money import RoundingMode, RoundingStep
from cloud.modules.charging import queries, service
from cloud.modules.charging.models import (
    AreaBasis,
    BandWindow,
    Bill,
    Method,
    PricePer,
    Proration,
    Skip,
    SkipReason,
    Timing,
)
from cloud.modules.charging.queries import bands as refusals
from cloud.modules.charging.rules import (
    Band,
    Basis,
    Segment,
    bands_since,
    compute,
    from_snapshot,
    parts_in_bands,
    plain_number,
    snapshot_text,
    to_snapshot,
)
from cloud.modules.charging.schemas import ClosedPeriod
from tests.cloud.charging.builders import (
    SINCE,
    Estate,
    add_metered_room,
    build_estate,
    published_run,
)
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]


def bands(*pairs: tuple[str | None, str]) -> tuple[Band, ...]:
    return tuple(Band(Decimal(upto) if upto else None, Decimal(price)) for upto, price in pairs)


# Spec §5: Zhejiang's bands of a year, Beijing's of water, and a two-band exercise.
ZHEJIANG = bands(("2760", "0.538"), ("4800", "0.588"), (None, "0.838"))
BEIJING = bands(("180", "5"), ("260", "7"), (None, "9"))
EXERCISE = bands(("50", "0.53"), (None, "0.58"))


def basis(prices: tuple[Band, ...], used: str, before: str = "0") -> Basis:
    return Basis(
        method=Method.metered,
        standard="居民电费",
        quantity=Decimal(used),
        coefficient=Decimal(1),
        segments=(Segment("", 1, prices[0].unit_price, date(2026, 1, 1), date(2026, 2, 1)),),
        cycle_months=1,
        cycle_days=31,
        is_whole=True,
        price_per=PricePer.month,
        proration=Proration.actual_month,
        rounding_step=RoundingStep.cent,
        rounding_mode=RoundingMode.half_up,
        tax_rate=Decimal(0),
        area_basis=AreaBasis.chargeable,
        unit="kWh",
        bands=prices,
        bands_from=date(2026, 1, 1),
        used_before=Decimal(before),
    )


class TestArithmetic:
    @pytest.mark.parametrize(
        ("prices", "before", "used", "expected"),
        [
            (EXERCISE, "0", "50", "26.50"),  # a bound belongs to its band
            (EXERCISE, "0", "51", "27.08"),  # 26.50 + 1 × 0.58
            (EXERCISE, "0", "0", "0.00"),
            (EXERCISE, "50", "10", "5.80"),
            (ZHEJIANG, "0", "2760", "1484.88"),
            (ZHEJIANG, "2700", "180", "102.84"),  # 60 × 0.538 + 120 × 0.588
            (ZHEJIANG, "2700", "2200", "1315.60"),  # 32.28 + 2040 × 0.588 + 100 × 0.838
            (ZHEJIANG, "4800", "0.0125", "0.01"),
            (BEIJING, "170", "100", "700.00"),  # 10 × 5 + 80 × 7 + 10 × 9
        ],
    )
    def test_each_part_pays_the_price_of_its_band(
        self, prices: tuple[Band, ...], before: str, used: str, expected: str
    ) -> None:
        assert compute(basis(prices, used, before)).amount == Decimal(expected)

    @given(
        first=st.decimals(0, 9000, places=4),
        second=st.decimals(0, 9000, places=4),
        before=st.decimals(0, 9000, places=4),
    )
    def test_two_charges_after_each_other_cost_what_one_would(
        self, first: Decimal, second: Decimal, before: Decimal
    ) -> None:
        one = compute(basis(ZHEJIANG, str(first + second), str(before)))
        parts = [
            compute(basis(ZHEJIANG, str(first), str(before))),
            compute(basis(ZHEJIANG, str(second), str(before + first))),
        ]

        assert sum(part.raw for part in parts) == one.raw

    @given(used=st.decimals(0, 9000, places=4), before=st.decimals(0, 9000, places=4))
    def test_nothing_of_the_use_is_lost_and_the_snapshot_computes_the_same(
        self, used: Decimal, before: Decimal
    ) -> None:
        charge = basis(ZHEJIANG, str(used), str(before))

        assert sum(part for _, part in parts_in_bands(charge)) == used
        assert from_snapshot(to_snapshot(charge)) == charge

    def test_the_text_of_a_snapshot_is_the_snapshot(self) -> None:
        terms = basis(ZHEJIANG, "1")
        charge = terms.of(Decimal(180), coefficient=Decimal(1), used_before=Decimal(2700))

        assert json.loads(snapshot_text(charge)) == to_snapshot(charge)

    @pytest.mark.parametrize(
        ("anchor", "window", "day", "since"),
        [
            (date(2026, 1, 1), BandWindow.year, date(2026, 12, 31), date(2026, 1, 1)),
            (date(2026, 1, 1), BandWindow.year, date(2027, 1, 1), date(2027, 1, 1)),
            (date(2024, 2, 29), BandWindow.year, date(2026, 2, 27), date(2025, 2, 28)),
            (date(2026, 5, 15), BandWindow.year, date(2026, 5, 14), date(2025, 5, 15)),
            (date(2026, 1, 31), BandWindow.month, date(2026, 3, 1), date(2026, 2, 28)),
        ],
    )
    def test_bands_begin_again_from_the_anchor(
        self, anchor: date, window: BandWindow, day: date, since: date
    ) -> None:
        assert bands_since(anchor=anchor, window=window, day=day) == since


@pytest.fixture
async def estate(world: World) -> Estate:
    return await build_estate(world)


def price(prices: tuple[Band, ...] = EXERCISE, **more: Any) -> service.PriceSpec:
    return service.PriceSpec(
        unit_price=None,
        basis="发改委批文",
        bands=prices,
        band_window=more.pop("band_window", BandWindow.year),
        **more,
    )


async def banded(
    ctx: Ctx, estate: Estate, prices: tuple[Band, ...], *, on: date = date(2026, 1, 1)
) -> None:
    await service.add_version(
        ctx,
        standard_id=estate.standards["electricity"],
        price=price(prices),
        effective_from=on,
    )
    await ctx.session.flush()  # a run reads them by its own statements


# At the first midnight of each month: 300 in December; then 30, 40, 0 and 50 kWh.
METERED = (
    (date(2025, 11, 30), "700"),
    (date(2025, 12, 31), "1000"),
    (date(2026, 1, 31), "1030"),
    (date(2026, 2, 14), "1050"),
    (date(2026, 2, 28), "1070"),
    (date(2026, 3, 31), "1070"),
    (date(2026, 4, 30), "1120"),
)


def span(first: date, last: date) -> ClosedPeriod:
    return ClosedPeriod.model_validate({"from": first, "to": last})


DECEMBER = span(date(2025, 12, 1), date(2025, 12, 31))
JANUARY = span(date(2026, 1, 1), date(2026, 1, 31))
FEBRUARY = span(date(2026, 2, 1), date(2026, 2, 28))
TO_APRIL = span(date(2026, 2, 1), date(2026, 4, 30))


async def charged(ctx: Ctx, estate: Estate, *periods: ClosedPeriod) -> None:
    """Room 101 with its meter, billed for one period after the other."""
    await add_metered_room(ctx, estate, *METERED)
    for period in periods:
        await published_run(ctx, estate, "electricity", period)


async def bills(ctx: Ctx) -> list[tuple[str, str]]:
    found = await ctx.session.execute(select(Bill).order_by(col(Bill.period_from)))
    return [(plain_number(bill.quantity), str(bill.amount)) for bill in found.scalars()]


class TestRuns:
    async def test_carry_the_place_in_the_bands_from_bill_to_bill(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await banded(ctx, estate, EXERCISE)
            await charged(ctx, estate, JANUARY, FEBRUARY)

            # 30 × 0.53, then 20 × 0.53 + 20 × 0.58
            assert await bills(ctx) == [("30", "15.90"), ("40", "22.20")]

    async def test_several_cycles_of_one_run_follow_each_other(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await banded(ctx, estate, EXERCISE)
            await charged(ctx, estate, JANUARY, TO_APRIL)

            assert await bills(ctx) == [
                ("30", "15.90"),
                ("40", "22.20"),
                ("0", "0.00"),
                ("50", "29.00"),
            ]

    async def test_wait_for_what_comes_earlier_in_the_same_bands(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await banded(ctx, estate, EXERCISE)
            await charged(ctx, estate)
            run = await service.create_run(
                ctx,
                site_id=estate.site_id,
                item_ids=[estate.items["electricity"]],
                period=FEBRUARY,
            )
            await ctx.session.flush()
            await service.preview_run(ctx, run_id=run.id)
            skips = (await ctx.session.execute(select(Skip))).scalars().all()

            assert run.bills == 0
            assert [skip.reason for skip in skips] == [SkipReason.earlier_unbilled]

    async def test_a_new_price_keeps_the_place_and_a_new_year_begins_again(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await banded(ctx, estate, EXERCISE, on=date(2025, 1, 1))
            await banded(ctx, estate, bands(("60", "0.6"), (None, "0.7")), on=date(2026, 2, 1))
            await charged(ctx, estate, JANUARY, TO_APRIL)

            # Nothing of 2025 counts; 30 before, so 30 × 0.6 + 10 × 0.7; then 50 × 0.7
            assert await bills(ctx) == [
                ("30", "15.90"),
                ("40", "25.00"),
                ("0", "0.00"),
                ("50", "35.00"),
            ]

    async def test_what_was_charged_last_year_does_not_count(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await banded(ctx, estate, EXERCISE)
            await charged(ctx, estate, DECEMBER, JANUARY)

            # December by its one price of 0.538; with it January would stand in the second band
            assert await bills(ctx) == [("300", "161.40"), ("30", "15.90")]

    @pytest.mark.parametrize(
        ("anchor", "expected"),
        [
            (SINCE, ("40", "75.00")),  # 30 before: 5 × 1 + 35 × 2
            # Its years begin on January 15, within the first bill, which belongs to the year before
            (date(2024, 1, 15), ("20", "20.00")),
        ],
    )
    async def test_another_standard_of_the_item_keeps_the_place(
        self, world: World, estate: Estate, anchor: date, expected: tuple[str, str]
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await banded(ctx, estate, EXERCISE)
            await charged(ctx, estate, JANUARY)
            other = await service.add_standard(
                ctx,
                org_id=estate.site_id,
                item_id=estate.items["electricity"],
                spec=replace(SPEC, anchor_on=anchor),
            )
            await service.add_version(
                ctx,
                standard_id=other.id,
                price=price(bands(("35", "1"), (None, "2"))),
                effective_from=SINCE,
            )
            binding_id = (
                await ctx.session.execute(select(col(Bill.binding_id)).limit(1))
            ).scalar_one()
            await service.change_binding(
                ctx, binding_id=binding_id, standard_id=other.id, starts_on=date(2026, 2, 1)
            )
            await ctx.session.flush()
            await published_run(ctx, estate, "electricity", FEBRUARY)

            assert await bills(ctx) == [("30", "15.90"), expected]

    async def test_a_bill_says_its_bands_and_computes_the_same_again(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await banded(ctx, estate, EXERCISE)
            await charged(ctx, estate, JANUARY, FEBRUARY)
            found = await ctx.session.execute(select(Bill).order_by(col(Bill.period_from).desc()))
            bill = found.scalars().first()
            assert bill is not None
            detail = await queries.read_bill(ctx, bill.id)
            printed = queries.quantity_and_price(ctx, bill)

        said = [(line.label, line.value, line.source) for line in detail.explanation.lines]
        assert detail.explanation.recomputed
        assert detail.explanation.operands[1].value == "0.53 / 0.58"
        assert said[1:4] == [
            ("Used before", "30 kWh", "Charged since 2026-01-01, when the bands began"),
            ("Band 1", "20 × 0.53 yuan/kWh", "electricity v2 · to 50"),
            ("Band 2", "20 × 0.58 yuan/kWh", "electricity v2 · above 50"),
        ]
        assert printed == ("40 kWh", "0.53 / 0.58 yuan/kWh")


SPEC = service.StandardSpec(
    code="DF-JT",
    name="阶梯电价",
    method=Method.metered,
    timing=Timing.arrears,
    cycle_months=1,
    anchor_on=SINCE,
    due_days=15,
)


NOT_ASCENDING = refusals.BandsNotAscending


class TestRefusals:
    @pytest.mark.parametrize(
        ("prices", "window", "refusal", "path"),
        [
            (
                bands(("50", "1"), ("50", "2"), (None, "3")),
                "year",
                refusals.BandsNotAscending,
                "bands.1.upto",
            ),
            (
                bands(("50", "1"), ("40", "2"), (None, "3")),
                "year",
                refusals.BandsNotAscending,
                "bands.1.upto",
            ),
            (
                bands(("50", "1"), (None, "2"), (None, "3")),
                "year",
                refusals.BandsGap,
                "bands.1.upto",
            ),
            (bands(("50", "1"), ("90", "2")), "year", refusals.BandsOpen, "bands.1.upto"),
            (EXERCISE, None, refusals.BandsNeedWindow, "band_window"),
        ],
    )
    async def test_bands_lie_without_a_gap(
        self,
        world: World,
        estate: Estate,
        prices: tuple[Band, ...],
        window: str | None,
        refusal: type[Exception],
        path: str,
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(refusal) as refused:
                await service.add_version(
                    ctx,
                    standard_id=estate.standards["electricity"],
                    price=price(prices, band_window=BandWindow(window) if window else None),
                    effective_from=date(2026, 1, 1),
                )
            standard = await queries.read_standard(ctx, estate.standards["electricity"])

        assert refused.value.fields[0].path == path  # type: ignore[attr-defined]
        assert len(standard.versions) == 1

    async def test_bands_are_of_meters_and_those_of_a_month_of_monthly_bills(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(refusals.BandsNeedMeter):
                await service.add_version(
                    ctx,
                    standard_id=estate.standards["property_fee"],
                    price=price(),
                    effective_from=date(2026, 1, 1),
                )
            with pytest.raises(refusals.BandsNeedMonths):
                refusals.check_bands(
                    EXERCISE, BandWindow.month, method=Method.metered, cycle_months=3
                )
            with pytest.raises(service.PriceZeroUnexplained):
                await service.add_version(
                    ctx,
                    standard_id=estate.standards["electricity"],
                    price=price(bands(("50", "1"), (None, "0"))),
                    effective_from=date(2026, 1, 1),
                )


class TestOverHttp:
    async def test_a_standard_in_bands_goes_from_form_to_list(
        self, estate: Estate, client: Client
    ) -> None:
        http = client(estate.principal)
        body: dict[str, Any] = {
            "site_id": str(estate.site_id),
            "item_id": str(estate.items["electricity"]),
            "code": "DF-JT",
            "name": "阶梯电价",
            "method": "metered",
            "bands": [
                {"upto": "2760", "unit_price": "0.538"},
                {"upto": "4800", "unit_price": "0.588"},
                {"upto": None, "unit_price": "0.838"},
            ],
            "band_window": "year",
            "timing": "arrears",
            "cycle_months": "1",
            "due_days": 15,
            "effective_from": "2027-01-01",
            "basis": "浙发改价格〔2012〕169号",
        }
        trial = {key: body[key] for key in TRIED}

        tried = await http.post("/api/v1/charging/standards/trial", json=trial)
        assert tried.json()["lines"][0]["text"] == "100 × 0.538"
        made = await http.post("/api/v1/charging/standards", json=body)
        assert made.status_code == 201, made.text
        read = (await http.get(f"/api/v1/charging/standards/{made.json()['id']}")).json()
        assert read["price_unit"] == "yuan/kWh, first of 3 bands"
        assert read["versions"][0]["in_bands"] == (
            "By the year: to 2760 0.538; 2760 to 4800 0.588; above 4800 0.838"
        )

    async def test_what_is_wrong_is_told_at_its_band(self, estate: Estate, client: Client) -> None:
        http = client(estate.principal)
        version = {"effective_from": "2027-01-01", "basis": "批文", "band_window": "year"}
        path = f"/api/v1/charging/standards/{estate.standards['electricity']}/versions"

        async def refused(**more: Any) -> tuple[int, str, str]:
            answer = await http.post(path, json={**version, **more})
            fault = answer.json()["errors"][0]
            return answer.status_code, fault["path"], fault["message"]

        half = [{"upto": "50", "unit_price": "1"}, {"upto": "90", "unit_price": "2"}]
        assert await refused(bands=half) == (
            422,
            "bands.1.upto",
            "Nothing has a price above 90. Leave the last band without an upper bound.",
        )
        assert (await refused(bands=half, unit_price="1"))[1] == "unit_price"
        assert (await refused())[1] == "unit_price"
        assert (await refused(bands=half[:1]))[0] == 422


TRIED = (
    "site_id",
    "item_id",
    "method",
    "bands",
    "band_window",
    "cycle_months",
    "effective_from",
)
