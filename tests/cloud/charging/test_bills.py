"""Bills as they are found, and what a bill says of a cycle in which an area changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.listing import Listing
from cloud.modules.charging import queries, service
from cloud.modules.charging.models import Bill, Settlement
from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.resources import service as resources
from cloud.modules.resources.models import Room
from cloud.modules.resources.service import Areas
from tests.cloud.charging.builders import Estate, build_estate, published_run
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]

DUE = datetime(2026, 12, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2025, 11, 24, 1, tzinfo=UTC)
THEN = ClosedPeriod.model_validate({"from": "2025-11-01", "to": "2025-11-30"})
BOTH = ["1幢1单元101", "1幢1单元102"]


@pytest.fixture
async def estate(world: World) -> Estate:
    return await build_estate(world)


async def _found(ctx: Ctx, q: str) -> list[str]:
    listing = Listing(page=1, size=50, sort="room_name", q=q, site_id=None)
    page = await queries.list_bills(
        ctx, listing, state=None, item_id=None, period_from=None, period_to=None, issued=None
    )
    return [bill.room_name for bill in page["items"]]


async def test_bills_are_found_by_their_room_as_people_write_it(
    world: World, estate: Estate
) -> None:
    async with world.unit(estate.principal) as ctx:
        await published_run(ctx, estate)
        number = (await ctx.session.execute(select(col(Bill.number)).limit(1))).scalar_one()
    async with world.unit(estate.principal) as ctx:
        for typed in ("1-1-101", "1－1－101", " 1栋1单元101室", "1幢 1单元 101", "业主101"):
            assert await _found(ctx, typed) == ["1幢1单元101"], typed
        assert await _found(ctx, "1-1-10") == await _found(ctx, "1-1") == BOTH
        for unknown in ("2-1-101", "1-1-1%", "1-2"):
            assert await _found(ctx, unknown) == [], unknown
        assert len(await _found(ctx, number)) == 1
    async with world.unit(world.at_other_site()) as ctx:
        assert await _found(ctx, "1-1-101") == []


class TestAreaInsideACycle:
    @pytest.mark.parametrize(
        ("valid_from", "areas", "amount"),
        [
            # 89.53 × 2.38 = 213.0814 and 95.00 × 2.38 = 226.10 a month of 30 days.
            (date(2026, 11, 1), ["95.00"], "226.10"),
            # 1/30 and 29/30: 7.1027 + 218.5633 = 225.6660, rounded once.
            (date(2026, 11, 2), ["89.53", "95.00"], "225.67"),
            # 10/30 and 20/30: 71.0271 + 150.7333 = 221.7604
            (date(2026, 11, 11), ["89.53", "95.00"], "221.76"),
            # 29/30 and 1/30: 205.9787 + 7.5367 = 213.5154
            (date(2026, 11, 30), ["89.53", "95.00"], "213.52"),
            (date(2026, 12, 1), ["89.53"], "213.08"),
        ],
    )
    async def test_each_day_is_charged_with_its_own_area(
        self, world: World, estate: Estate, valid_from: date, areas: list[str], amount: str
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await _enlarge(ctx, estate, valid_from)
            await published_run(ctx, estate)
            bill = await _bill(ctx, estate)
        assert bill.amount == Decimal(amount)
        parts = [Decimal(part["quantity"] or bill.quantity) for part in bill.snapshot["segments"]]
        assert parts == [Decimal(area) for area in areas]

    async def test_a_price_and_an_area_that_change_apart_make_three_parts(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await _enlarge(ctx, estate, date(2026, 11, 11))
            await service.add_version(
                ctx,
                standard_id=estate.standards["property_fee"],
                effective_from=date(2026, 11, 21),
                price=service.PriceSpec(unit_price=Decimal("3.00"), basis="决议"),
            )
            await ctx.session.flush()
            await published_run(ctx, estate)
            bill = await _bill(ctx, estate)
            shown = await queries.read_bill(ctx, bill.id)
        # A third each of 89.53 × 2.38, 95.00 × 2.38 and 95.00 × 3.00: 71.0271 + 75.3667 + 95.0000
        assert bill.amount == Decimal("241.39")
        assert len(bill.snapshot["segments"]) == 3
        assert shown.explanation.recomputed


async def _enlarge(ctx: Ctx, estate: Estate, valid_from: date) -> None:
    room = await ctx.get(Room, estate.rooms["101"])
    await resources.change_areas(
        ctx,
        room_id=room.id,
        version=room.version,
        areas=Areas(Decimal("95.00"), None, None),
        valid_from=valid_from,
        reason="实测",
    )
    await ctx.session.flush()


async def _bill(ctx: Ctx, estate: Estate) -> Bill:
    found = await ctx.session.execute(select(Bill).where(col(Bill.room_id) == estate.rooms["101"]))
    return found.scalar_one()


class TestOverdueBySite:
    async def test_sums_what_is_open_past_its_due_day(self, world: World, estate: Estate) -> None:
        async with world.unit(estate.principal) as ctx:
            await published_run(ctx, estate)
            bills = list((await ctx.session.execute(select(Bill))).scalars())
            total = sum(bill.amount for bill in bills)
            assert {bill.due_on for bill in bills} == {DUE.date()}
        for principal in (estate.principal, world.headquarters()):
            async with world.unit(principal, now=DUE) as ctx:
                assert await queries.overdue_by_site(ctx) == {}
            async with world.unit(principal, now=DUE + timedelta(days=1)) as ctx:
                assert await queries.overdue_by_site(ctx) == {estate.site_id: total}
        async with world.unit(estate.principal, now=DUE + timedelta(days=1)) as ctx:
            settlement = await ctx.get(Settlement, bills[0].id, lock=True)
            settlement.paid = bills[0].amount
            left = total - bills[0].amount
            assert await queries.overdue_by_site(ctx) == {estate.site_id: left}

    async def test_is_told_of_ones_own_sites_only(
        self, client: Client, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal, now=LONG_AGO) as ctx:
            await published_run(ctx, estate, period=THEN)
            amounts = (await ctx.session.execute(select(col(Bill.amount)))).scalars()
            total = {str(estate.site_id): str(sum(amounts))}

        told = [
            (await client(viewer).get("/api/v1/charging/overdue")).json()["amounts"]
            for viewer in (world.headquarters(), world.at_other_site(), world.at_site(world.beta))
        ]
        nobody = client(world.at_site(permissions=["resources.room:read"]))

        assert told == [total, {}, {}]
        assert (await nobody.get("/api/v1/charging/overdue")).status_code == 403
