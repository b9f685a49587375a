"""Two people at once, on two real connections: money is booked once or refused by name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import AppError
from cloud.kernel.sites import NoSites
from cloud.modules.charging import queries as charging_queries
from cloud.modules.charging.service import Payment
from cloud.modules.ledger import queries as ledger_queries
from cloud.modules.ledger import service as ledger
from cloud.modules.receiving import service
from cloud.modules.receiving.models import Deposit, Method, Receipt
from tests.cloud.receiving.builders import Billed, add_deposit_item, bill_room, set_fees
from tests.kit.client import client_of
from tests.kit.database import TestDatabase, endpoints_of
from tests.kit.world import World

Work = Callable[[Ctx], Awaitable[object]]


async def _at_once(world: World, *works: Work) -> list[str]:
    """Each in its own transaction, all open before any goes on: "done" or the refusal's code."""
    barrier = asyncio.Barrier(len(works))

    async def run(work: Work) -> str:
        try:
            async with world.unit() as ctx:
                await ctx.session.execute(select(func.now()))
                await barrier.wait()
                await work(ctx)
        except AppError as refusal:
            return refusal.code
        return "done"

    return sorted(await asyncio.gather(*(run(work) for work in works)))


def _take(billed: Billed, *amounts: str) -> Work:
    async def work(ctx: Ctx) -> object:
        return await service.take_receipt(
            ctx,
            room_id=billed.room_id,
            method=Method.cash,
            payments=billed.payments(*amounts),
        )

    return work


async def test_two_cashiers_with_the_same_bill_book_it_once(committed: World) -> None:
    billed = await bill_room(committed, await set_fees(committed))
    outcomes = await _at_once(committed, _take(billed), _take(billed))
    assert outcomes == ["bill-changed", "done"]
    async with committed.unit() as ctx:
        assert await charging_queries.open_bills_of_room(ctx, billed.room_id) == []
        assert await ledger_queries.balance(ctx, "1001") == Decimal("218.08")
        count = await ctx.session.execute(select(func.count()).select_from(Receipt))
        assert count.scalar_one() == 1


async def test_two_amounts_for_one_room_never_pay_a_cent_too_much(committed: World) -> None:
    billed = await bill_room(committed, await set_fees(committed))

    async def work(ctx: Ctx) -> object:
        return await service.take_receipt(
            ctx, room_id=billed.room_id, method=Method.scan, amount=Decimal("150.00")
        )

    outcomes = await _at_once(committed, work, work)
    assert outcomes == ["bill-changed", "done"]
    async with committed.unit() as ctx:
        assert await ledger_queries.balance(ctx, "1122") == Decimal("68.08")


async def test_opposite_orders_of_the_same_bills_do_not_deadlock(committed: World) -> None:
    billed = await bill_room(committed, await set_fees(committed))
    backwards = Billed(
        billed.site_id, billed.room_id, billed.party_id, list(reversed(billed.bills))
    )
    outcomes = await _at_once(committed, _take(billed), _take(backwards))
    assert outcomes == ["bill-changed", "done"]


async def test_a_receipt_is_reversed_once_by_two_people(committed: World) -> None:
    billed = await bill_room(committed, await set_fees(committed))
    async with committed.unit() as ctx:
        receipt = await service.take_receipt(
            ctx, room_id=billed.room_id, method=Method.cash, payments=billed.payments()
        )

    async def work(ctx: Ctx) -> object:
        return await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="收错户")

    outcomes = await _at_once(committed, work, work)
    assert outcomes == ["done", "receipt-already-reversed"]
    async with committed.unit() as ctx:
        assert await ledger_queries.balance(ctx, "1001") == 0


async def test_one_prepayment_is_spent_once_by_two_cashiers(committed: World) -> None:
    fees = await set_fees(committed)
    billed = await bill_room(committed, fees)
    async with committed.unit() as ctx:
        await service.take_receipt(
            ctx, room_id=billed.room_id, ahead=service.Prepayment(Decimal("5.00"))
        )

    def spend(place: int) -> Work:
        async def work(ctx: Ctx) -> object:
            return await service.take_receipt(
                ctx,
                room_id=billed.room_id,
                payments=[Payment(billed.bills[place].id, Decimal("5.00"))],
                method="prepaid",
            )

        return work

    outcomes = await _at_once(committed, spend(0), spend(1))
    assert outcomes == ["done", "prepaid-too-low"]
    async with committed.unit() as ctx:
        assert await ledger_queries.balance(ctx, "220501") == 0


async def test_a_deposit_is_returned_once_by_two_people(committed: World) -> None:
    billed = await bill_room(committed, await set_fees(committed))
    item_id = await add_deposit_item(committed)
    async with committed.unit() as ctx:
        await service.take_receipt(
            ctx,
            room_id=billed.room_id,
            deposits_wanted=[service.DepositWanted(item_id, Decimal("500.00"))],
        )
    async with committed.unit() as ctx:
        deposit_id = (await ctx.session.execute(select(col(Deposit.id)))).scalar_one()

    async def work(ctx: Ctx) -> object:
        return await service.refund_deposit(
            ctx, deposit_id=deposit_id, amount=Decimal("500.00"), method="cash", reason="验收合格"
        )

    outcomes = await _at_once(committed, work, work)
    assert outcomes == ["done", "refund-above-balance"]
    async with committed.unit() as ctx:
        assert await ledger_queries.balance(ctx, "1001") == 0


async def test_a_count_waits_for_the_receipt_that_is_under_way(committed: World) -> None:
    billed = await bill_room(committed, await set_fees(committed))
    me = committed.at_site()
    async with committed.unit(me) as ctx:
        first = await service.take_receipt(ctx, room_id=billed.room_id, amount=Decimal("10.00"))
    assert first.shift_id is not None
    shift_id, booked = first.shift_id, asyncio.Event()

    async def receive() -> None:
        async with committed.unit(me) as ctx:
            await service.take_receipt(ctx, room_id=billed.room_id, amount=Decimal("5.00"))
            booked.set()
            await asyncio.sleep(0.2)

    async def close() -> Decimal | None:
        await booked.wait()
        async with committed.unit(me) as ctx:
            shift = await service.close_shift(
                ctx, shift_id=shift_id, counted=Decimal("15.00"), note=""
            )
            return shift.expected

    _, expected = await asyncio.gather(receive(), close())
    assert expected == Decimal("15.00")


async def test_a_month_closes_before_a_receipt_or_after_it_never_in_between(
    committed: World,
) -> None:
    billed = await bill_room(committed, await set_fees(committed))

    async def close(ctx: Ctx) -> object:
        return await ledger.close_period(ctx, site_id=billed.site_id, month=ctx.business_on)

    outcomes = await _at_once(committed, _take(billed), close)
    assert outcomes in (["done", "done"], ["done", "period-closed"])
    async with committed.unit() as ctx:
        receipts = await ctx.session.execute(select(col(Receipt.amount)))
        assert sum(receipts.scalars(), Decimal(0)) == await ledger_queries.balance(ctx, "1001")


async def test_a_double_click_at_once_books_once_and_answers_twice(
    committed: World, own_database: TestDatabase, tmp_path: Path
) -> None:
    billed = await bill_room(committed, await set_fees(committed))
    body = {
        "room_id": str(billed.room_id),
        "method": "cash",
        "allocations": [
            {"bill_id": str(bill.id), "amount": str(bill.open), "version": bill.version}
            for bill in billed.bills
        ],
    }
    caller = client_of(
        endpoints_of(own_database),
        committed,
        committed.at_site(),
        sites=NoSites(),
        data_dir=tmp_path,
    )
    async with caller:
        answers = await asyncio.gather(
            *(
                caller.post(
                    "/api/v1/receiving/receipts",
                    json=body,
                    headers={"Idempotency-Key": "one-click"},
                )
                for _ in range(4)
            )
        )
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["number"] for answer in answers}) == 1
    async with committed.unit() as ctx:
        assert await ledger_queries.balance(ctx, "1001") == Decimal("218.08")
