"""Document numbers have no gaps, whoever fails and whoever is first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from cloud.kernel.context import Principal
from cloud.kernel.db import uuid7
from cloud.kernel.errors import AppError
from cloud.kernel.numbering import (
    DocumentKind,
    PatternCollides,
    PatternRepeats,
    PatternTooLong,
    PatternWithoutSequence,
    PatternWrong,
    Reset,
    next_number,
    reserve_numbers,
    rules_of,
    set_rule,
)
from cloud.kernel.records import NumberSeries
from tests.cloud.kernel.probe import Abandoned, abandoned
from tests.kit.world import World


async def number(world: World, principal: Principal | None = None, series: str = "SK") -> str:
    async with world.unit(principal) as ctx:
        return await next_number(ctx, org_id=ctx.principal.org_id, series=series)


class TestNextNumber:
    async def test_counts_from_one_in_the_month_of_the_business_day(self, world: World) -> None:
        assert [await number(world) for _ in range(3)] == [
            "SK2611-000001", "SK2611-000002", "SK2611-000003",
        ]  # fmt: skip

    async def test_a_new_month_begins_at_midnight_in_shanghai(self, world: World) -> None:
        last = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
        first = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)

        found = []
        for moment in (last, first):
            async with world.unit(now=moment) as ctx:
                found.append(await next_number(ctx, org_id=world.alpha.site_id, series="SK"))

        assert found == ["SK2611-000001", "SK2612-000001"]

    async def test_units_series_and_companies_count_for_themselves(self, world: World) -> None:
        people = [world.at_site(), world.at_other_site(), world.at_site(world.beta)]

        found = [await number(world, person) for person in people]
        found.append(await number(world, series="ZD"))

        assert found == ["SK2611-000001"] * 3 + ["ZD2611-000001"]

    async def test_widens_beyond_six_digits(self, world: World) -> None:
        await number(world)
        async with world.unit() as ctx:
            await ctx.session.execute(update(NumberSeries).values(next_number=999_999))

        assert [await number(world), await number(world)] == ["SK2611-999999", "SK2611-1000000"]

    async def test_a_block_is_in_a_row(self, world: World) -> None:
        await number(world)
        async with world.unit() as ctx:
            block = await reserve_numbers(ctx, org_id=world.alpha.site_id, series="SK", count=3)

        assert block == ["SK2611-000002", "SK2611-000003", "SK2611-000004"]
        assert await number(world) == "SK2611-000005"

    async def test_a_failed_transaction_gives_its_number_back(self, world: World) -> None:
        async with abandoned(world) as ctx:
            await reserve_numbers(ctx, org_id=world.alpha.site_id, series="SK", count=50)

        assert await number(world) == "SK2611-000001"

    async def test_a_series_of_another_company_cannot_be_taken(self, world: World) -> None:
        assert await number(world, world.at_site(world.beta)) == "SK2611-000001"
        async with world.unit() as ctx:
            await next_number(ctx, org_id=world.beta.site_id, series="SK")

        assert await number(world, world.at_site(world.beta)) == "SK2611-000002"


async def ruled(
    world: World,
    pattern: str,
    reset: Reset = Reset.month,
    kind: DocumentKind = DocumentKind.receipt,
) -> None:
    async with world.unit(world.headquarters()) as ctx:
        await set_rule(ctx, series=kind, version=0, pattern=pattern, reset=reset, reason="新规则")


class TestRules:
    async def test_shape_new_numbers_and_go_on_counting(self, world: World) -> None:
        found = [await number(world)]
        await ruled(world, "{PROJ}-SK{YYYY}{MM}/{SEQ:4}")
        found.append(await number(world))

        assert found == ["SK2611-000001", "AS1-SK202611/0002"]

    async def test_begin_anew_with_the_span(self, world: World) -> None:
        await ruled(world, "R{YY}{MM}{DD}-{SEQ:3}", Reset.day)
        found = []
        for day in (24, 25):
            async with world.unit(now=datetime(2026, 11, day, 4, tzinfo=UTC)) as ctx:
                found.append(await next_number(ctx, org_id=world.alpha.site_id, series="SK"))

        assert found == ["R261124-001", "R261125-001"]

    @pytest.mark.parametrize(
        ("pattern", "reset", "error"),
        [
            ("SK{YY}{MM}-", Reset.month, PatternWithoutSequence),
            ("SK{SEQ:4}{SEQ:4}", Reset.never, PatternWithoutSequence),
            ("SK{YY}-{SEQ:0}", Reset.year, PatternWithoutSequence),
            ("SK{YY} {SEQ:4}", Reset.year, PatternWrong),
            ("SK{WEEK}{SEQ:4}", Reset.never, PatternWrong),
            ("SK{YY}-{SEQ:6}", Reset.month, PatternRepeats),
            ("SK{MM}-{SEQ:6}", Reset.month, PatternRepeats),
            ("RECEIPT-OF-THE-COMPANY-{YYYY}{SEQ:6}", Reset.year, PatternTooLong),
            ("YS{YY}{MM}-{SEQ:6}", Reset.month, PatternCollides),
            ("{PROJ}{YYYY}{SEQ:6}", Reset.year, PatternCollides),
            ("SK{YY}{MM}-{SEQ:8}", Reset.year, PatternCollides),
        ],
    )
    async def test_refuse_what_would_repeat_or_cannot_be_read(
        self, world: World, pattern: str, reset: Reset, error: type[AppError]
    ) -> None:
        with pytest.raises(error):
            await ruled(world, pattern, reset)

        assert await number(world) == "SK2611-000001"

    async def test_stay_within_the_company(self, world: World) -> None:
        await ruled(world, "A{YY}{MM}-{SEQ:2}")

        assert await number(world, world.at_site(world.beta)) == "SK2611-000001"
        assert await number(world) == "A2611-01"

    async def test_widen_and_never_wrap(self, world: World) -> None:
        await ruled(world, "A{YY}{MM}-{SEQ:1}")
        found = [await number(world) for _ in range(11)]

        assert found[-3:] == ["A2611-9", "A2611-10", "A2611-11"]


class TestTwoPeopleSetARule:
    """Both looked at the same rule: the slower one is told, and loses nobody's rule."""

    async def test_one_of_them_is_first(self, committed: World) -> None:
        assert await both(committed, 0, ("A", "B")) == ["first", "stale-version"]
        assert await both(committed, 1, ("C", "D")) == ["first", "stale-version"]

        async with committed.unit(committed.headquarters()) as ctx:
            (rule,) = await rules_of(ctx)
        assert (rule.version, len(rule.earlier)) == (2, 2)

    async def test_two_kinds_cannot_come_to_the_same_pattern(self, committed: World) -> None:
        kinds = (DocumentKind.receipt, DocumentKind.bill)

        assert await both(committed, 0, ("A", "A"), kinds) == ["first", "pattern-collides"]


async def both(
    world: World,
    version: int,
    letters: tuple[str, str],
    kinds: tuple[DocumentKind, DocumentKind] = (DocumentKind.receipt, DocumentKind.receipt),
) -> list[str]:
    """Two transactions that both begin before either sets its rule."""
    barrier = asyncio.Barrier(2)

    async def one(letter: str, kind: DocumentKind) -> str:
        try:
            async with world.unit(world.headquarters()) as ctx:
                await rules_of(ctx)
                await barrier.wait()
                await set_rule(
                    ctx,
                    series=kind,
                    version=version,
                    pattern=f"{letter}{{YY}}{{MM}}-{{SEQ:4}}",
                    reset=Reset.month,
                    reason="新规则",
                )
        except AppError as refusal:
            return refusal.code
        return "first"

    return sorted(await asyncio.gather(*map(one, letters, kinds)))


class TestAtTheSameMoment:
    async def test_the_second_waits_for_the_first(self, committed: World) -> None:
        has_taken, may_end = asyncio.Event(), asyncio.Event()

        async def first() -> None:
            async with committed.unit() as ctx:
                await next_number(ctx, org_id=committed.alpha.site_id, series="SK")
                has_taken.set()
                await may_end.wait()
                raise Abandoned

        async with asyncio.TaskGroup() as group:
            failing = group.create_task(outcome(first()))
            await has_taken.wait()
            waiting = group.create_task(number(committed))
            await asyncio.sleep(0.2)
            has_waited = not waiting.done()
            may_end.set()

        assert has_waited
        assert failing.result() == "abandoned"
        assert waiting.result() == "SK2611-000001"

    async def test_many_at_once_leave_no_gap(self, committed: World) -> None:
        async def one(index: int) -> str:
            async with committed.unit() as ctx:
                taken = await next_number(ctx, org_id=committed.alpha.site_id, series="SK")
                if index % 3 == 0:
                    raise Abandoned
                return taken

        found = await asyncio.gather(*(outcome(one(index)) for index in range(12)))

        kept = sorted(name for name in found if name != "abandoned")
        assert kept == [f"SK2611-{index:06d}" for index in range(1, 9)]


async def outcome(work: asyncio.Future[str] | object) -> str:
    try:
        return str(await work)  # type: ignore[misc]
    except Abandoned:
        return "abandoned"


def test_ids_are_made_in_order() -> None:
    made = [uuid7() for _ in range(100)]

    assert made == sorted(made)
