"""Collection figures equal the books to the cent, as of any date, in the viewer's scope."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import text

from cloud.kernel.analytics import Analytics
from cloud.kernel.context import Ctx, Principal
from cloud.kernel.errors import NotFound
from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.headquarters import service as headquarters
from cloud.modules.receiving import service as receiving
from cloud.modules.receiving.models import Method, Receipt
from dashboards.finance import queries
from dashboards.finance.queries import Asked, AsOfAhead, Figures, Span
from tests.cloud.receiving.builders import Billed, Fees, bill_room, set_fees
from tests.kit.world import World

DAYS = {
    "billed": date(2026, 10, 2),
    "late": date(2026, 10, 20),
    "partial": date(2026, 11, 3),
    "reversed": date(2026, 11, 10),
    "today": date(2026, 11, 24),
}
SEPTEMBER = ClosedPeriod.model_validate({"from": "2026-09-01", "to": "2026-09-30"})
OCTOBER = ClosedPeriod.model_validate({"from": "2026-10-01", "to": "2026-10-31"})
NOVEMBER = ClosedPeriod.model_validate({"from": "2026-11-01", "to": "2026-11-30"})
DECEMBER = ClosedPeriod.model_validate({"from": "2026-12-01", "to": "2026-12-31"})


def on(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 2, tzinfo=UTC)


@dataclass
class Told:
    """Two communities of alpha with bills of four months, a partial payment and a reversal."""

    world: World
    first: Billed
    second: Billed

    async def take(self, billed: Billed, *amounts: str, day: str) -> Receipt:
        async with self.world.unit(self.world.headquarters(), now=on(DAYS[day])) as ctx:
            return await receiving.take_receipt(
                ctx,
                room_id=billed.room_id,
                method=Method.cash,
                payments=[replace(each, version=None) for each in billed.payments(*amounts)],
            )


@pytest.fixture
async def told(world: World) -> Told:
    fees = await set_fees(world)
    today = world.now
    world.now = on(DAYS["billed"])
    first = await _billed(world, fees, OCTOBER, world.alpha.site_id)
    second = await _billed(world, fees, SEPTEMBER, world.alpha.other_site_id)
    world.now = on(date(2026, 11, 2))
    await _billed(world, fees, NOVEMBER, world.alpha.site_id)
    ahead = await _billed(world, fees, DECEMBER, world.alpha.site_id)
    world.now = today
    story = Told(world, first, second)
    await story.take(second, "213.08", "1.00", day="late")
    await story.take(first, "100.00", day="partial")
    wrong = await story.take(ahead, "213.08", "5.00", day="partial")
    async with world.unit(world.headquarters(), now=on(DAYS["reversed"])) as ctx:
        await receiving.reverse_receipt(ctx, receipt_id=wrong.id, reason="收错房号")
    await story.take(ahead, "13.08", day="today")
    return story


async def _billed(world: World, fees: Fees, period: ClosedPeriod, site: object) -> Billed:
    _billed.count = getattr(_billed, "count", 0) + 1  # type: ignore[attr-defined]
    return await bill_room(
        world,
        fees,
        period=period,
        site_id=site,  # type: ignore[arg-type]
        building=str(_billed.count),  # type: ignore[attr-defined]
    )


async def look(world: World, asked: Asked, viewer: Principal | None = None) -> Figures:
    viewer = viewer or world.headquarters()
    async with Analytics(world.sessions, world.bus).reading(viewer) as reading:
        # The clock of the page is the wall's; that of the test stands.
        reading.ctx = replace(reading.ctx, now=world.now)
        facts = await queries.load_facts(reading, asked)
        return await queries.figures(reading, asked, facts)


async def books(world: World, day: date, first: date, viewer: Principal) -> dict[str, Decimal]:
    """What the ledger and the receipts say themselves."""
    async with world.unit(viewer) as ctx:
        balance = text("""
            SELECT coalesce(sum(l.debit - l.credit), 0) FROM ledger_line l
            JOIN ledger_entry e ON e.id = l.entry_id JOIN ledger_account a ON a.id = l.account_id
            WHERE a.code = '1122' AND e.business_on <= :day""")
        receipts = text("""
            SELECT coalesce(sum(amount), 0) FROM receiving_receipt
            WHERE business_on BETWEEN :first AND :day""")
        billed = text("""
            SELECT coalesce(sum(amount), 0) FROM charging_bill
            WHERE issued_on <= :day AND cycle_from >= :first AND cycle_from < :until""")
        until = queries.windows(Asked(day))[0].until
        return {
            "balance": (await ctx.session.execute(balance, {"day": day})).scalar_one(),
            "received": (
                await ctx.session.execute(receipts, {"day": day, "first": first})
            ).scalar_one(),
            "billed": (
                await ctx.session.execute(billed, {"day": day, "first": first, "until": until})
            ).scalar_one(),
        }


class TestFigures:
    @pytest.mark.parametrize("span", list(Span))
    @pytest.mark.parametrize("name", list(DAYS))
    async def test_equal_the_ledger_and_the_receipts(
        self, told: Told, name: str, span: Span
    ) -> None:
        viewer = told.world.headquarters()
        asked = Asked(DAYS[name], span)

        found = await look(told.world, asked, viewer)

        said = await books(told.world, DAYS[name], queries.windows(asked)[0].first, viewer)
        assert {key: getattr(found.now, key) for key in said} == said
        assert sum((amount for _, amount in found.ages), Decimal(0)) == said["balance"]
        assert sum((row.sums.balance for row in found.rows), Decimal(0)) == said["balance"]

    @pytest.mark.parametrize("name", list(DAYS))
    async def test_opening_and_billed_less_received_is_what_is_left(
        self, told: Told, name: str
    ) -> None:
        now = (await look(told.world, Asked(DAYS[name]))).now

        owed = now.arrears + now.billed - now.current - now.old
        ahead = now.balance - owed
        assert now.received == now.current - now.current_before + now.old + now.ahead
        assert ahead >= 0  # bills of cycles to come, less what was paid of them

    async def test_follow_the_formulas_of_the_collection_rate(self, told: Told) -> None:
        now = (await look(told.world, Asked(DAYS["today"]))).now

        # Opening: October 218.08 and September 218.08, of which 214.08 came in October.
        assert now.opening == Decimal("222.08")
        assert now.billed == Decimal("436.16")  # of two rooms
        assert (now.current, now.old, now.ahead) == (
            Decimal(0),
            Decimal("100.00"),
            Decimal("13.08"),
        )
        assert now.current_rate == 0
        assert now.old_rate == Decimal("100.00") / Decimal("222.08")
        assert now.combined_rate == Decimal("100.00") / Decimal("658.24")
        assert (now.rooms, now.rooms_paid) == (2, 0)

    async def test_count_what_is_billed_late_as_arrears(self, told: Told) -> None:
        october = (await look(told.world, Asked(DAYS["late"]))).now

        assert (october.opening, october.late) == (Decimal(0), Decimal("218.08"))
        assert october.old_rate == Decimal("214.08") / Decimal("218.08")

    async def test_compare_with_the_same_days_of_the_month_before(self, told: Told) -> None:
        found = await look(told.world, Asked(date(2026, 11, 19)))

        assert found.before.received == 0  # 214.08 came on October 20
        assert (await look(told.world, Asked(date(2026, 11, 20)))).before.received == Decimal(
            "214.08"
        )
        assert found.last_year.is_empty

    async def test_show_twelve_months(self, told: Told) -> None:
        months = (await look(told.world, Asked(DAYS["today"]))).months

        assert len(months) == 12
        assert [(m.billed, m.received) for m in months[-3:]] == [
            (Decimal("218.08"), Decimal(0)),  # September's cycle was billed in October
            (Decimal("218.08"), Decimal("214.08")),
            (Decimal("436.16"), Decimal("113.08")),
        ]

    async def test_hold_one_community_to_its_own_viewer(self, told: Told) -> None:
        viewer = told.world.at_other_site()

        found = await look(told.world, Asked(DAYS["today"]), viewer)

        said = await books(told.world, DAYS["today"], date(2026, 11, 1), viewer)
        assert found.now.balance == said["balance"] == Decimal("4.00")
        assert [row.unit.id for row in found.rows[0].below] == [str(told.world.alpha.other_site_id)]

    async def test_cut_a_region_and_a_community(self, told: Told) -> None:
        alpha = told.world.alpha
        region = await look(told.world, Asked(DAYS["today"], unit_id=str(alpha.region_id)))
        site = await look(told.world, Asked(DAYS["today"], unit_id=str(alpha.other_site_id)))

        assert region.now == (await look(told.world, Asked(DAYS["today"]))).now
        assert site.now.balance == Decimal("4.00")

    async def test_say_when_there_is_nothing(self, told: Told) -> None:
        beta = told.world.headquarters(told.world.beta)

        found = await look(told.world, Asked(DAYS["today"]), beta)

        assert found.is_empty
        assert (await look(told.world, Asked(date(2026, 10, 1)))).is_empty

    async def test_refuse_a_unit_out_of_scope(self, told: Told) -> None:
        wanted = Asked(DAYS["today"], unit_id=str(told.world.beta.site_id))

        with pytest.raises(NotFound):
            await look(told.world, wanted)

    async def test_refuse_a_day_to_come(self, told: Told) -> None:
        with pytest.raises(AsOfAhead, match="2026-11-24"):
            await look(told.world, Asked(date(2026, 11, 25)))

    async def test_take_the_nearest_target(self, told: Told) -> None:
        alpha = told.world.alpha
        async with told.world.unit(told.world.headquarters()) as ctx:
            for unit, month, rate in (
                (alpha.id, date(2026, 1, 1), "0.90"),
                (alpha.region_id, date(2026, 6, 1), "0.95"),
                (alpha.region_id, date(2026, 12, 1), "0.99"),
            ):
                await headquarters.set_target(
                    ctx,
                    unit_id=unit,
                    month=month,
                    current_rate=Decimal(rate),
                    old_rate=None,
                    combined_rate=Decimal(rate),
                )
        of = {
            name: (await look(told.world, Asked(DAYS["today"], unit_id=unit))).target.current
            for name, unit in (
                ("all", None),
                ("region", str(alpha.region_id)),
                ("site", str(alpha.site_id)),
            )
        }

        assert of == {"all": Decimal("0.9"), "region": Decimal("0.95"), "site": Decimal("0.95")}


async def test_the_mark_moves_when_an_earlier_entry_commits_later(committed: World) -> None:
    fees = await set_fees(committed)
    sites = (committed.alpha.site_id, committed.alpha.other_site_id)
    first, second = [
        await bill_room(committed, fees, period=OCTOBER, site_id=site, building=str(place))
        for place, site in enumerate(sites)
    ]

    async def pay(ctx: Ctx, billed: Billed) -> None:
        await receiving.take_receipt(
            ctx,
            room_id=billed.room_id,
            method=Method.cash,
            payments=[replace(each, version=None) for each in billed.payments("2.00")],
        )

    async def mark() -> int:
        async with Analytics(committed.sessions, committed.bus).reading(
            committed.headquarters()
        ) as reading:
            return await queries.books_mark(reading)

    async with committed.unit(committed.headquarters()) as early:
        await pay(early, first)
        async with committed.unit(committed.headquarters()) as late:
            await pay(late, second)
        before = await mark()
    assert await mark() == before + 1
