"""Closing a month: what it has earned leaves the advance account, to the cent and only once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import httpx
import pytest
from sqlalchemy import select, text
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.money import round_money
from cloud.kernel.periods import Period, add_months
from cloud.modules.charging import service
from cloud.modules.charging.models import ItemCategory, Method, Proration, Timing
from cloud.modules.charging.rules import months_of
from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.ledger import queries as books
from cloud.modules.ledger import service as ledger
from cloud.modules.ledger.models import Entry
from tests.cloud.charging.builders import Estate, build_estate, published_run
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]
MONTHS = "/api/v1/ledger/months"
OCTOBER, NOVEMBER, DECEMBER = (date(2026, month, 1) for month in (10, 11, 12))
QUARTER = ClosedPeriod.model_validate({"from": OCTOBER, "to": date(2026, 12, 31)})


@pytest.fixture
async def estate(world: World) -> Estate:
    return await build_estate(world)


def on(day: date) -> datetime:
    """Noon of a day in Shanghai."""
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


async def charged_by_the_quarter(world: World, estate: Estate) -> None:
    """Room 101 for 100.00 a month: a bill of 300.00 with 16.98 of tax, issued on October 5."""
    async with world.unit(world.headquarters()) as ctx:
        item = await service.add_item(
            ctx,
            code="garbage",
            facts=service.ItemFacts(
                name="生活垃圾费",
                category=ItemCategory.other,
                is_agency=False,
                tax_rate=Decimal("0.06"),
                allocation_priority=20,
                legal_entity_id=estate.company.entity_id,
            ),
        )
        estate.items["garbage"] = item.id
    async with world.unit(estate.principal, now=on(date(2026, 10, 5))) as ctx:
        standard = await service.add_standard(
            ctx,
            org_id=estate.site_id,
            item_id=item.id,
            spec=service.StandardSpec(
                code="LJ",
                name="垃圾费",
                method=Method.fixed,
                timing=Timing.advance,
                cycle_months=3,
                anchor_on=OCTOBER,
                due_days=30,
            ),
        )
        await service.add_version(
            ctx,
            standard_id=standard.id,
            effective_from=OCTOBER,
            price=service.PriceSpec(unit_price=Decimal(100), basis="合同"),
        )
        await service.bind_rooms(
            ctx,
            site_id=estate.site_id,
            standard_id=standard.id,
            room_ids=[estate.rooms["101"]],
            starts_on=OCTOBER,
        )
        await published_run(ctx, estate, "garbage", QUARTER)


async def balances(ctx: Ctx) -> tuple[str, str]:
    """What waits on the advance account, and what is income; both are credits."""
    return str(-await books.balance(ctx, "2205")), str(-await books.balance(ctx, "6001"))


async def close(world: World, estate: Estate, month: date) -> None:
    async with world.unit(estate.principal, now=on(add_months(month, 1))) as ctx:
        await ledger.close_month(ctx, site_id=estate.site_id, month=month)


class TestEarning:
    async def test_a_quarter_is_earned_month_by_month(self, world: World, estate: Estate) -> None:
        await charged_by_the_quarter(world, estate)
        found = []
        for month in (None, OCTOBER, NOVEMBER, DECEMBER):
            if month is not None:
                await close(world, estate, month)
            async with world.unit(estate.principal) as ctx:
                found.append(await balances(ctx))

        assert found == [
            ("188.68", "94.34"),  # October is running when the bill is issued
            ("188.68", "94.34"),
            ("94.34", "188.68"),
            ("0.00", "283.02"),
        ]

    async def test_a_bill_of_a_later_month_waits_until_that_is_closed(
        self, world: World, estate: Estate
    ) -> None:
        november = ClosedPeriod.model_validate({"from": NOVEMBER, "to": date(2026, 11, 30)})
        async with world.unit(estate.principal, now=on(date(2026, 10, 20))) as ctx:
            await published_run(ctx, estate, period=november)
            issued = await balances(ctx)
        await close(world, estate, OCTOBER)
        await close(world, estate, NOVEMBER)
        async with world.unit(estate.principal) as ctx:
            entry = (
                await ctx.session.execute(
                    select(Entry).where(col(Entry.source_kind) == "charging.earning")
                )
            ).scalar_one()
            earned = await balances(ctx)

        assert issued == ("484.82", "0")
        assert earned == ("0.00", "484.82")
        assert (entry.business_on, entry.summary) == (date(2026, 11, 30), "收入确认 2026-11")

    async def test_closed_anew_it_earns_nothing_twice(self, world: World, estate: Estate) -> None:
        await charged_by_the_quarter(world, estate)
        for month in (OCTOBER, NOVEMBER):
            await close(world, estate, month)
        async with world.unit(estate.principal) as ctx:
            await ledger.reopen_month(
                ctx, site_id=estate.site_id, month=NOVEMBER, reason="漏记一张收据"
            )
        await close(world, estate, NOVEMBER)
        async with world.unit(estate.principal) as ctx:
            assert await balances(ctx) == ("94.34", "188.68")

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (date(2026, 1, 1), date(2027, 1, 1)),
            (date(2024, 1, 16), date(2024, 3, 11)),
            (date(2026, 2, 5), date(2026, 2, 6)),
            (date(2025, 12, 31), date(2026, 3, 1)),
        ],
    )
    async def test_the_database_counts_months_as_the_rules_do(
        self, world: World, start: date, end: date
    ) -> None:
        period, net = Period(start, end), Decimal("1000.01")
        days = [start.replace(day=1), *(add_months(start.replace(day=1), n) for n in range(1, 13))]
        async with world.unit() as ctx:
            for day in (day for day in days if start < day < end):
                found = await ctx.session.execute(
                    text(
                        "SELECT round(:net * (charging_month_parts(:day) - charging_month_parts("
                        ":start)) / (charging_month_parts(:end) - charging_month_parts(:start)), 2)"
                    ),
                    {"net": net, "day": day, "start": start, "end": end},
                )
                passed = months_of(Period(start, day), Proration.actual_month)
                whole = months_of(period, Proration.actual_month)
                assert found.scalar_one() == round_money(Fraction(net) * passed / whole)


class TestRefusals:
    async def test_a_run_that_is_not_published_keeps_the_month_open(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal, now=on(date(2026, 10, 5))) as ctx:
            await published_run(ctx, estate)
            run = await service.create_run(
                ctx,
                site_id=estate.site_id,
                item_ids=[estate.items["electricity"]],
                period=ClosedPeriod.model_validate({"from": OCTOBER, "to": date(2026, 10, 31)}),
            )
            await ctx.session.flush()
            await service.preview_run(ctx, run_id=run.id)
        with pytest.raises(service.RunsUnpublished) as refused:
            await close(world, estate, OCTOBER)
        async with world.unit(estate.principal) as ctx:
            await service.cancel_run(ctx, run_id=run.id)
        await close(world, estate, OCTOBER)

        assert refused.value.params == {"count": 1, "number": run.number, "month": "2026-10"}


class TestOverHttp:
    async def test_months_are_closed_in_their_order_and_reopened_from_the_last(
        self, world: World, estate: Estate, client: Client
    ) -> None:
        for day in (date(2026, 9, 5), date(2026, 10, 5)):
            async with world.unit(estate.principal, now=on(day)) as ctx:
                month = ClosedPeriod.model_validate(
                    {"from": day.replace(day=1), "to": day.replace(day=30)}
                )
                await published_run(ctx, estate, period=month)
        http = client(estate.principal)

        async def press(month: str, act: str, body: dict[str, str] | None = None) -> str:
            answer = await http.post(f"{MONTHS}/{estate.site_id}/{month}-01/{act}", json=body)
            said: dict[str, str] = answer.json()
            return said.get("code") or said["label"]

        why = {"reason": "漏记一张收据"}
        assert await press("2099-12", "close") == "period-not-over"
        assert await press("2026-10", "close") == "earlier-period-open"
        assert await press("2026-09", "close") == "2026-09"
        assert await press("2026-09", "close") == "period-already-closed"
        assert await press("2026-10", "close") == "2026-10"
        assert await press("2026-09", "reopen", why) == "later-period-closed"
        assert await press("2026-10", "reopen", why) == "2026-10"
        assert await press("2026-10", "reopen", why) == "period-not-closed"
        rows = (await http.get(MONTHS)).json()["items"]
        assert [(row["label"], row["state"], row["entries"]) for row in rows] == [
            ("2026-10", "open", 1),
            ("2026-09", "closed", 1),
        ]

    async def test_another_communitys_months_are_hidden(
        self, world: World, estate: Estate, client: Client
    ) -> None:
        async with world.unit(estate.principal, now=on(date(2026, 9, 5))) as ctx:
            await published_run(ctx, estate)
        http = client(world.at_other_site())

        answer = await http.post(f"{MONTHS}/{estate.site_id}/2026-09-01/close")
        rows = (await http.get(MONTHS)).json()["items"]

        assert (answer.status_code, answer.json()["code"]) == (403, "project-not-yours")
        assert rows == []
