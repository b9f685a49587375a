"""Bill runs through the database: what they compute, refuse, and hide."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import Listing
from cloud.modules.charging import queries, service
from cloud.modules.charging.models import Bill, Run, RunState, Settlement, Skip, SkipReason
from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.charging.service.runs import (
    AnotherRunPublishing,
    DraftsAlreadyBilled,
    NothingToBill,
    PeriodBackwards,
    RunNotInState,
)
from cloud.modules.ledger import queries as ledger_queries
from cloud.modules.ledger import service as ledger
from cloud.modules.ledger.service import PeriodClosed
from cloud.modules.metering import service as metering
from cloud.modules.organization.queries import ProjectNotYours
from tests.cloud.charging.builders import (
    NOVEMBER,
    OCTOBER,
    Estate,
    add_metered_room,
    build_estate,
    published_run,
)
from tests.kit.world import World


@pytest.fixture
async def estate(world: World) -> Estate:
    return await build_estate(world)


class TestPublishedRun:
    async def test_bills_every_room_with_an_area_and_posts_them(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            run = await published_run(ctx, estate)

        async with world.unit(estate.principal) as ctx:
            found = (
                await ctx.session.execute(select(Bill).order_by(col(Bill.room_name)))
            ).scalars()
            bills = {bill.room_name: (bill.amount, bill.tax, bill.due_on) for bill in found}
            receivable = await ledger_queries.balance(ctx, "1122")
            revenue = await ledger_queries.balance(ctx, "6001")
            tax = await ledger_queries.balance(ctx, "2221")
        assert run.state == RunState.published
        assert bills == {
            "1幢1单元101": (Decimal("213.08"), Decimal("12.06"), date(2026, 12, 1)),
            "1幢1单元102": (Decimal("300.83"), Decimal("17.03"), date(2026, 12, 1)),
        }
        assert (receivable, revenue, tax) == (
            Decimal("513.91"),
            Decimal("-484.82"),
            Decimal("-29.09"),
        )

    async def test_skips_a_room_without_an_area_and_says_so(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await published_run(ctx, estate)
            skips = (await ctx.session.execute(select(Skip))).scalars().all()

        assert [(skip.room_name, skip.reason) for skip in skips] == [
            ("1幢1单元103", SkipReason.area_missing)
        ]

    async def test_a_second_run_bills_nothing_twice(self, world: World, estate: Estate) -> None:
        async with world.unit(estate.principal) as ctx:
            await published_run(ctx, estate)
            again = await service.create_run(
                ctx,
                site_id=estate.site_id,
                item_ids=[estate.items["property_fee"]],
                period=NOVEMBER,
            )
            await ctx.session.flush()
            await service.preview_run(ctx, run_id=again.id)

            with pytest.raises(NothingToBill) as refused:
                await service.accept_generation(ctx, run_id=again.id)

        assert (refused.value.params["billed"], refused.value.params["skipped"]) == (2, 1)

    async def test_a_bill_explains_itself_and_computes_the_same(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await published_run(ctx, estate)
            page = await queries.list_bills(
                ctx, listing(), state=None, item_id=None, period_from=None, period_to=None,
                issued=None,
            )  # fmt: skip
            bill = await queries.read_bill(ctx, page["items"][0].id)

        assert bill.explanation.recomputed
        assert [operand.value for operand in bill.explanation.operands] == ["126.4", "2.38", "1"]
        assert bill.explanation.raw == "300.832"
        assert [line.account for line in bill.entries[0].lines] == [
            "1122 应收账款",
            "2221 应交税费",
            "6001 主营业务收入",
        ]

    async def test_a_price_change_inside_the_month_is_split_at_its_day(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await service.add_version(
                ctx,
                standard_id=estate.standards["property_fee"],
                effective_from=date(2026, 11, 16),
                price=service.PriceSpec(
                    unit_price=Decimal("3.00"),
                    basis="决议",
                ),
            )
            await ctx.session.flush()
            await published_run(ctx, estate)
            bill = (
                await ctx.session.execute(
                    select(Bill).where(col(Bill.room_id) == estate.rooms["101"])
                )
            ).scalar_one()

        # 89.53 × (2.38 × 15/30 + 3.00 × 15/30)
        assert bill.amount == Decimal("240.84")
        assert [part["version"] for part in bill.snapshot["segments"]] == [1, 2]

    async def test_a_bill_cannot_be_changed_or_deleted(self, world: World, estate: Estate) -> None:
        async with world.unit(estate.principal) as ctx:
            await published_run(ctx, estate)

        for statement in ("UPDATE charging_bill SET amount = 1", "DELETE FROM charging_bill"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with world.unit(estate.principal) as ctx:
                    await ctx.session.execute(text(statement))


class TestMeteredRun:
    async def test_charges_the_use_between_cut_off_readings(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await add_metered_room(
                ctx, estate, (date(2026, 9, 30), "1000.5"), (date(2026, 10, 31), "1205.75")
            )
            await published_run(ctx, estate, "electricity", OCTOBER)
            bill = (await ctx.session.execute(select(Bill))).scalar_one()
            owed = await ledger_queries.balance(ctx, "2241")

        assert (bill.quantity, bill.amount, bill.tax) == (
            Decimal("205.25"),
            Decimal("110.42"),
            Decimal(0),
        )
        assert owed == Decimal("-110.42")

    async def test_opens_with_the_reading_that_closed_the_last_bill(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            meter_id = await add_metered_room(
                ctx,
                estate,
                (date(2026, 8, 31), "900"),
                (date(2026, 9, 29), "990"),
                (date(2026, 10, 31), "1200"),
            )
            september = ClosedPeriod.model_validate({"from": "2026-09-01", "to": "2026-09-30"})
            await published_run(ctx, estate, "electricity", september)
            await metering.record_reading(
                ctx, meter_id=meter_id, value=Decimal(995), read_on=date(2026, 9, 30)
            )
            await published_run(ctx, estate, "electricity", OCTOBER)
            found = await ctx.session.execute(select(Bill).order_by(col(Bill.period_from)))

        assert [bill.quantity for bill in found.scalars()] == [Decimal(90), Decimal(210)]

    async def test_skips_a_meter_without_readings(self, world: World, estate: Estate) -> None:
        async with world.unit(estate.principal) as ctx:
            await add_metered_room(ctx, estate)
            run = await service.create_run(
                ctx,
                site_id=estate.site_id,
                item_ids=[estate.items["electricity"]],
                period=OCTOBER,
            )
            await ctx.session.flush()
            await service.preview_run(ctx, run_id=run.id)
            skip = (await ctx.session.execute(select(Skip))).scalar_one()

        assert (run.bills, skip.reason) == (0, SkipReason.reading_missing)


class TestCreateRun:
    async def test_refuses_a_period_that_ends_before_it_starts(
        self, world: World, estate: Estate
    ) -> None:
        backwards = ClosedPeriod.model_validate({"from": "2026-11-30", "to": "2026-11-01"})
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(PeriodBackwards) as refused:
                await service.create_run(
                    ctx,
                    site_id=estate.site_id,
                    item_ids=[estate.items["property_fee"]],
                    period=backwards,
                )

        assert refused.value.fields[0].path == "period"

    async def test_refuses_a_community_that_is_not_yours(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(ProjectNotYours):
                await service.create_run(
                    ctx,
                    site_id=estate.site_id,
                    item_ids=[estate.items["property_fee"]],
                    period=NOVEMBER,
                )

    async def test_hides_another_companys_items(self, world: World, estate: Estate) -> None:
        other = await build_estate(world, world.beta)
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(NotFound):
                await service.create_run(
                    ctx,
                    site_id=estate.site_id,
                    item_ids=[other.items["property_fee"]],
                    period=NOVEMBER,
                )


class TestRunSteps:
    async def previewed(self, world: World, estate: Estate) -> Run:
        async with world.unit(estate.principal) as ctx:
            run = await service.create_run(
                ctx,
                site_id=estate.site_id,
                item_ids=[estate.items["property_fee"]],
                period=NOVEMBER,
            )
            await ctx.session.flush()
            await service.preview_run(ctx, run_id=run.id)
        return run

    async def test_a_run_is_not_published_before_it_is_generated(
        self, world: World, estate: Estate
    ) -> None:
        run = await self.previewed(world, estate)
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(RunNotInState) as refused:
                await service.accept_publication(ctx, run_id=run.id)

        assert refused.value.params["state"] == "previewed"

    async def test_a_closed_month_refuses_the_publication(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await ledger.close_period(ctx, site_id=estate.site_id, month=date(2026, 11, 1))
            await ctx.session.flush()
            with pytest.raises(PeriodClosed):
                await published_run(ctx, estate)

    async def test_two_runs_over_the_same_rooms_do_not_both_publish(
        self, world: World, estate: Estate
    ) -> None:
        first = await self.previewed(world, estate)
        second = await self.previewed(world, estate)
        async with world.unit(estate.principal) as ctx:
            for run in (first, second):
                await generate(ctx, run)
            await service.accept_publication(ctx, run_id=first.id)
        with pytest.raises(AnotherRunPublishing):
            async with world.unit(estate.principal) as ctx:
                await service.accept_publication(ctx, run_id=second.id)
        async with world.unit(estate.principal) as ctx:
            await service.publish_run(ctx, run_id=first.id)
            await service.finish_run(ctx, run_id=first.id, failure="")
        with pytest.raises(DraftsAlreadyBilled) as refused:
            async with world.unit(estate.principal) as ctx:
                await service.accept_publication(ctx, run_id=second.id)

        assert refused.value.params["count"] == 2

    async def test_publishing_twice_issues_once(self, world: World, estate: Estate) -> None:
        run = await self.previewed(world, estate)
        async with world.unit(estate.principal) as ctx:
            await generate(ctx, run)
            await service.accept_publication(ctx, run_id=run.id)
            await service.publish_run(ctx, run_id=run.id)
            await service.publish_run(ctx, run_id=run.id)
            found = await ctx.session.execute(select(Settlement))

        assert len(found.all()) == 2

    async def test_hides_another_communitys_run(self, world: World, estate: Estate) -> None:
        run = await self.previewed(world, estate)
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(NotFound):
                await service.cancel_run(ctx, run_id=run.id)


class TestBinding:
    async def test_the_database_refuses_the_same_item_twice_on_a_room(
        self, world: World, estate: Estate
    ) -> None:
        with pytest.raises(IntegrityError, match="ex_charging_binding_overlap"):
            async with world.unit(estate.principal) as ctx:
                await service.bind_rooms(
                    ctx,
                    site_id=estate.site_id,
                    standard_id=estate.standards["property_fee"],
                    room_ids=[estate.rooms["101"]],
                    starts_on=date(2026, 6, 1),
                )

    async def test_hides_another_companys_room(self, world: World, estate: Estate) -> None:
        other = await build_estate(world, world.beta)
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(NotFound):
                await service.bind_rooms(
                    ctx,
                    site_id=estate.site_id,
                    standard_id=estate.standards["property_fee"],
                    room_ids=[other.rooms["101"]],
                    starts_on=date(2026, 6, 1),
                )


def listing() -> Listing:
    return Listing(page=1, size=50, sort=None, q="", site_id=None)


async def generate(ctx: Ctx, run: Run) -> None:
    await service.accept_generation(ctx, run_id=run.id)
    await service.begin_drafts(ctx, run_id=run.id)
    await service.generate_chunk(ctx, run_id=run.id, after=None)
    await service.finish_run(ctx, run_id=run.id, failure="")
