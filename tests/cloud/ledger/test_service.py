"""Posting: what balances, what the database refuses, and what a closed month means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError, StatementError

from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.modules.ledger import queries, service
from cloud.modules.ledger.models import AccountKind, Entry
from cloud.modules.ledger.rules import Occasion
from cloud.modules.ledger.seeds import CHART
from cloud.modules.ledger.service import (
    EarlierPeriodOpen,
    PeriodAlreadyClosed,
    PeriodClosed,
    Posting,
    Source,
)
from tests.kit.world import World

ON = date(2026, 11, 24)
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


async def add_chart(world: World) -> dict[str, UUID]:
    async with world.unit(world.headquarters()) as ctx:
        return {
            code: (await service.add_account(ctx, code=code, name=name, kind=kind)).id
            for code, name, kind in CHART
        }


@pytest.fixture
async def chart(world: World) -> dict[str, UUID]:
    return await add_chart(world)


def pair(
    world: World, chart: dict[str, UUID], amount: str, credit: str | None = None
) -> list[Posting]:
    entity = world.alpha.entity_id
    return [
        Posting(account_id=chart["1001"], legal_entity_id=entity, debit=Decimal(amount)),
        Posting(account_id=chart["1122"], legal_entity_id=entity, credit=Decimal(credit or amount)),
    ]


async def post(ctx: Ctx, world: World, postings: list[Posting], *, on: date = ON) -> Entry:
    return await service.post_entry(
        ctx,
        site_id=world.alpha.site_id,
        business_on=on,
        summary="收款",
        source=Source("test.receipt", uuid7()),
        postings=postings,
    )


class TestPostEntry:
    async def test_posts_a_balanced_entry(self, world: World, chart: dict[str, UUID]) -> None:
        async with world.unit() as ctx:
            entry = await post(ctx, world, pair(world, chart, "200.00"))
            cash = await queries.balance(ctx, "1001")

        assert (entry.number, cash) == ("JZ2611-000001", Decimal("200.00"))

    async def test_the_database_refuses_what_does_not_balance(
        self, world: World, chart: dict[str, UUID]
    ) -> None:
        with pytest.raises(IntegrityError, match="does not balance") as refused:
            async with world.unit() as ctx:
                await post(ctx, world, pair(world, chart, "200.00", "199.99"))

        violation = refused.value.orig
        assert isinstance(violation, CheckViolation)
        assert violation.diag.constraint_name == "ledger_line_balanced"

    async def test_each_legal_entity_balances_alone(
        self, world: World, chart: dict[str, UUID]
    ) -> None:
        debit, credit = pair(world, chart, "200.00")
        other = Posting(account_id=credit.account_id, legal_entity_id=uuid7(), credit=credit.credit)

        with pytest.raises(IntegrityError, match="does not balance"):
            async with world.unit() as ctx:
                await post(ctx, world, [debit, other])

    async def test_a_line_has_one_side(self, world: World, chart: dict[str, UUID]) -> None:
        entity = world.alpha.entity_id
        both = Posting(
            account_id=chart["1001"],
            legal_entity_id=entity,
            debit=Decimal(1),
            credit=Decimal(1),
        )

        with pytest.raises(IntegrityError, match="one_side"):
            async with world.unit() as ctx:
                await post(ctx, world, [both])

    async def test_a_third_decimal_is_refused_not_rounded(
        self, world: World, chart: dict[str, UUID]
    ) -> None:
        with pytest.raises(StatementError, match="amount_check"):
            async with world.unit() as ctx:
                await post(ctx, world, pair(world, chart, "1.005"))

    async def test_a_posted_line_cannot_be_changed(
        self, world: World, chart: dict[str, UUID]
    ) -> None:
        async with world.unit() as ctx:
            await post(ctx, world, pair(world, chart, "200.00"))

        with pytest.raises(ProgrammingError, match="permission denied"):
            async with world.unit() as ctx:
                await ctx.session.execute(text("UPDATE ledger_line SET debit = 1"))

    async def test_a_document_is_posted_once(self, world: World, chart: dict[str, UUID]) -> None:
        source = Source("test.receipt", uuid7())

        async def post_it() -> None:
            async with world.unit() as ctx:
                await service.post_entry(
                    ctx,
                    site_id=world.alpha.site_id,
                    business_on=ON,
                    summary="收款",
                    source=source,
                    postings=pair(world, chart, "1.00"),
                )

        await post_it()
        with pytest.raises(IntegrityError, match="uq_ledger_entry_source"):
            await post_it()

    async def test_hides_another_communitys_entry(
        self, world: World, chart: dict[str, UUID]
    ) -> None:
        async with world.unit() as ctx:
            await post(ctx, world, pair(world, chart, "200.00"))
        async with world.unit(world.at_other_site()) as ctx:
            assert (await ctx.session.execute(select(Entry))).all() == []

    async def test_another_companys_account_is_refused(
        self, world: World, chart: dict[str, UUID]
    ) -> None:
        async with world.unit(world.headquarters(world.beta)) as ctx:
            foreign = await service.add_account(
                ctx, code="1001", name="现金", kind=AccountKind.asset
            )
        debit, credit = pair(world, chart, "5.00")
        stolen = replace(debit, account_id=foreign.id)

        with pytest.raises(IntegrityError, match="fk_ledger_line_account_id"):
            async with world.unit() as ctx:
                await post(ctx, world, [stolen, credit])


class TestListEntries:
    """What is posted stays as it was written; each reader sees it in their own language."""

    @pytest.mark.parametrize(
        ("language", "q", "shown"),
        [("zh-CN", "冲红", "冲红 SK2611-000001"), ("en", "reversal", "Reversal of SK2611-000001")],
    )
    async def test_says_and_finds_the_summary_in_the_readers_language(
        self,
        world: World,
        chart: dict[str, UUID],
        client: Callable[..., httpx.AsyncClient],
        language: str,
        q: str,
        shown: str,
    ) -> None:
        async with world.unit() as ctx:
            for occasion in (Occasion.receipt, Occasion.reversal):
                await service.post_entry(
                    ctx,
                    site_id=world.alpha.site_id,
                    business_on=ON,
                    summary=occasion.about("SK2611-000001"),
                    source=Source("test.receipt", uuid7()),
                    postings=pair(world, chart, "200.00"),
                )
        caller = client(world.headquarters())
        caller.headers["Accept-Language"] = language

        answer = await caller.get("/api/v1/ledger/entries", params={"q": q})
        (row,) = answer.json()["items"]
        entry = await caller.get(f"/api/v1/ledger/entries/{row['id']}")

        assert (row["summary"], entry.json()["summary"]) == (shown, shown)


class TestClosePeriod:
    async def test_a_closed_month_takes_no_posting(
        self, world: World, chart: dict[str, UUID]
    ) -> None:
        async with world.unit() as ctx:
            await service.close_period(ctx, site_id=world.alpha.site_id, month=ON)
        async with world.unit() as ctx:
            with pytest.raises(PeriodClosed) as refused:
                await post(ctx, world, pair(world, chart, "1.00"))
            await post(ctx, world, pair(world, chart, "1.00"), on=date(2026, 12, 1))

        assert refused.value.params == {"month": "2026-11"}

    async def test_closing_twice_is_refused(self, world: World) -> None:
        async with world.unit() as ctx:
            await service.close_period(ctx, site_id=world.alpha.site_id, month=ON)
            await ctx.session.flush()
            with pytest.raises(PeriodAlreadyClosed):
                await service.close_period(ctx, site_id=world.alpha.site_id, month=NOVEMBER)

    async def test_waits_for_a_posting_that_is_under_way(self, committed: World) -> None:
        chart = await add_chart(committed)
        order = []

        async def close() -> None:
            async with committed.unit() as ctx:
                await service.close_period(ctx, site_id=committed.alpha.site_id, month=ON)
                order.append("closed")

        async with asyncio.TaskGroup() as group, committed.unit() as ctx:
            await post(ctx, committed, pair(committed, chart, "1.00"))
            group.create_task(close())
            await asyncio.sleep(0.3)
            order.append("posted")

        assert order == ["posted", "closed"]


class TestCloseMonth:
    async def test_waits_for_the_reopening_of_the_month_before(self, committed: World) -> None:
        chart = await add_chart(committed)
        site_id = committed.alpha.site_id
        december = datetime(2026, 12, 2, tzinfo=UTC)
        async with committed.unit(now=december) as ctx:
            for day in (OCTOBER, NOVEMBER):
                await post(ctx, committed, pair(committed, chart, "1.00"), on=day)
            await service.close_month(ctx, site_id=site_id, month=OCTOBER)

        async def close() -> None:
            async with committed.unit(now=december) as ctx:
                await service.close_month(ctx, site_id=site_id, month=NOVEMBER)

        async with committed.unit(now=december) as ctx:
            await service.reopen_month(ctx, site_id=site_id, month=OCTOBER, reason="漏记")
            closing = asyncio.create_task(close())
            await asyncio.sleep(0.3)
        with pytest.raises(EarlierPeriodOpen):
            await closing
