"""Taking and reversing receipts: what is booked, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import ProgrammingError
from sqlmodel import col

from cloud.kernel.context import Principal
from cloud.kernel.db import uuid7
from cloud.kernel.errors import NotFound
from cloud.modules.charging import queries as charging_queries
from cloud.modules.charging.service import AmountAboveOpen, BillChanged, Payment
from cloud.modules.ledger import queries as ledger_queries
from cloud.modules.ledger import service as ledger
from cloud.modules.ledger.models import Account, Line
from cloud.modules.ledger.service import PeriodClosed
from cloud.modules.receiving import service
from cloud.modules.receiving.models import Allocation, Method, Receipt
from cloud.modules.receiving.service import (
    AmountAboveDebt,
    AmountNotPositive,
    BillOfAnotherRoom,
    BillTwice,
    LegalEntitiesMixed,
    NothingToPay,
    ReceiptAlreadyReversed,
    ReceiptIsReversal,
    TenderedTooLow,
    TenderedWithoutCash,
)
from tests.cloud.receiving.builders import OCTOBER_AND_NOVEMBER, Billed, bill_room, set_fees
from tests.kit.world import World


async def _open(world: World, room_id: UUID) -> list[Decimal]:
    async with world.unit() as ctx:
        return [bill.open for bill in await charging_queries.open_bills_of_room(ctx, room_id)]


async def _pay(
    world: World, billed: Billed, *amounts: str, method: Method = Method.cash
) -> Receipt:
    async with world.unit() as ctx:
        return await service.take_receipt(
            ctx, room_id=billed.room_id, method=method, payments=billed.payments(*amounts)
        )


async def test_a_receipt_settles_bills_and_posts_what_it_took(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    async with world.unit() as ctx:
        receipt = await service.take_receipt(
            ctx,
            room_id=billed.room_id,
            method=Method.cash,
            payments=billed.payments(),
            tendered=Decimal(300),
        )
    assert (receipt.number, receipt.amount) == ("SK2611-000001", Decimal("218.08"))
    assert (receipt.change, receipt.payer_name) == (Decimal("81.92"), "张伟")
    assert receipt.business_on.isoformat() == "2026-11-24"
    assert await _open(world, billed.room_id) == []
    async with world.unit() as ctx:
        assert await ledger_queries.balance(ctx, "1001") == Decimal("218.08")
        assert await ledger_queries.balance(ctx, "1122") == 0


async def test_each_line_carries_the_dimensions_of_its_bill(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    receipt = await _pay(world, billed, "100.00", "2.00")
    async with world.unit() as ctx:
        found = await ctx.session.execute(
            select(Line, col(Account.code))
            .join(Account, col(Account.id) == col(Line.account_id))
            .where(col(Line.channel) == "cash")
            .order_by(col(Line.id))
        )
        lines = found.all()
    assert [(code, line.debit, line.credit) for line, code in lines] == [
        ("1001", Decimal("102.00"), 0),
        ("1122", 0, Decimal("100.00")),
        ("1122", 0, Decimal("2.00")),
    ]
    assert [line.bill_id for line, _ in lines] == [None, *(bill.id for bill in billed.bills)]
    assert {line.cashier_id for line, _ in lines} == {receipt.created_by}
    assert {line.room_id for line, _ in lines} == {billed.room_id}
    assert {line.party_id for line, _ in lines} == {billed.party_id}


@pytest.mark.parametrize(
    ("method", "account"),
    [("cash", "1001"), ("scan", "1012"), ("card", "1002"), ("transfer", "1002")],
)
async def test_each_method_has_its_account(world: World, method: str, account: str) -> None:
    billed = await bill_room(world, await set_fees(world))
    await _pay(world, billed, "10.00", method=Method(method))
    async with world.unit() as ctx:
        assert await ledger_queries.balance(ctx, account) == Decimal("10.00")


async def test_an_amount_without_a_designation_goes_to_the_oldest_first(world: World) -> None:
    billed = await bill_room(world, await set_fees(world), period=OCTOBER_AND_NOVEMBER)
    async with world.unit() as ctx:
        receipt = await service.take_receipt(
            ctx, room_id=billed.room_id, method=Method.scan, amount=Decimal("220.00")
        )
        found = await ctx.session.execute(
            select(Allocation).where(col(Allocation.receipt_id) == receipt.id)
        )
        parts = {part.bill_id: part.amount for part in found.scalars()}
    first, second, third, _ = billed.bills  # October's two, then November's
    assert parts == {
        first.id: Decimal("213.08"), second.id: Decimal("5.00"), third.id: Decimal("1.92"),
    }  # fmt: skip


async def test_nothing_above_what_is_owed_is_taken(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    with pytest.raises(AmountAboveOpen) as refused:
        await _pay(world, billed, "213.08", "5.01")
    assert refused.value.params["number"] == billed.bills[1].number
    assert [field.path for field in refused.value.fields] == ["allocations.1.amount"]
    async with world.unit() as ctx:
        with pytest.raises(AmountAboveDebt):
            await service.take_receipt(
                ctx, room_id=billed.room_id, method=Method.cash, amount=Decimal("218.09")
            )
    assert await _open(world, billed.room_id) == [Decimal("213.08"), Decimal("5.00")]


async def test_a_bill_that_changed_meanwhile_is_not_paid_blindly(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    await _pay(world, billed, "100.00")
    with pytest.raises(BillChanged):
        await _pay(world, billed, "100.00")
    assert await _open(world, billed.room_id) == [Decimal("113.08"), Decimal("5.00")]


async def test_what_makes_no_sense_is_refused_before_anything_is_locked(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    one = billed.payments()[0]
    for wrong, error in (
        ({}, NothingToPay),
        ({"payments": [one], "amount": Decimal(1)}, NothingToPay),
        ({"payments": [one, one]}, BillTwice),
        ({"payments": [Payment(one.bill_id, Decimal("-1.00"))]}, AmountNotPositive),
        ({"amount": Decimal("0.00")}, AmountNotPositive),
        ({"payments": [one], "tendered": Decimal("213.07")}, TenderedTooLow),
    ):
        async with world.unit() as ctx:
            with pytest.raises(error):
                await service.take_receipt(
                    ctx,
                    room_id=billed.room_id,
                    method=Method.cash,
                    **wrong,
                )
    async with world.unit() as ctx:
        with pytest.raises(TenderedWithoutCash):
            await service.take_receipt(
                ctx,
                room_id=billed.room_id,
                method=Method.card,
                payments=[one],
                tendered=Decimal(500),
            )


async def test_a_receipt_stays_in_one_room_and_one_legal_entity(world: World) -> None:
    fees = await set_fees(world)
    mixed = await bill_room(world, fees, items=(fees.property_fee, fees.club))
    other = await bill_room(world, fees, building="2")
    with pytest.raises(LegalEntitiesMixed):
        await _pay(world, mixed)
    with pytest.raises(BillOfAnotherRoom) as refused:
        async with world.unit() as ctx:
            await service.take_receipt(
                ctx, room_id=mixed.room_id, method=Method.cash, payments=other.payments()
            )
    assert refused.value.params == {"number": other.bills[0].number}
    assert await _open(world, mixed.room_id) == [Decimal("213.08"), Decimal("30.00")]


async def test_a_reversal_opens_the_bills_again_and_mirrors_the_entry(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    receipt = await _pay(world, billed, "100.00", "5.00")
    async with world.unit() as ctx:
        reversal = await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="收错户")
    assert (reversal.amount, reversal.number) == (Decimal("-105.00"), "SK2611-000002")
    assert reversal.reverses_id == receipt.id
    assert await _open(world, billed.room_id) == [Decimal("213.08"), Decimal("5.00")]
    async with world.unit() as ctx:
        assert await ledger_queries.balance(ctx, "1001") == 0
        assert await ledger_queries.balance(ctx, "1122") == Decimal("218.08")
        lines = (
            await ctx.session.execute(select(Line).where(col(Line.channel) == "cash"))
        ).scalars()
        sides = [
            (line.account_id, line.bill_id, line.cashier_id, line.debit - line.credit)
            for line in lines
        ]
    assert sorted((*key, -amount) for *key, amount in sides if amount < 0) == sorted(
        (*key, amount) for *key, amount in sides if amount > 0
    )


async def test_a_receipt_is_reversed_once_and_a_reversal_never(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    receipt = await _pay(world, billed)
    async with world.unit() as ctx:
        reversal = await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="收错户")
    async with world.unit() as ctx:
        with pytest.raises(ReceiptAlreadyReversed) as refused:
            await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="再冲")
        with pytest.raises(ReceiptIsReversal):
            await service.reverse_receipt(ctx, receipt_id=reversal.id, reason="冲回")
    assert refused.value.params == {"number": receipt.number, "by": reversal.number}


async def test_the_same_bills_can_be_paid_again_after_a_reversal(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    receipt = await _pay(world, billed)
    async with world.unit() as ctx:
        await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="换支付方式")
        bills = await charging_queries.open_bills_of_room(ctx, billed.room_id)
    again = await _pay(world, Billed(billed.site_id, billed.room_id, billed.party_id, bills))
    assert again.amount == receipt.amount
    async with world.unit() as ctx:
        await service.reverse_receipt(ctx, receipt_id=again.id, reason="又错")
    assert await _open(world, billed.room_id) == [Decimal("213.08"), Decimal("5.00")]


async def test_a_closed_month_takes_no_receipt_and_gives_none_back(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    receipt = await _pay(world, billed, "10.00")
    async with world.unit() as ctx:
        await ledger.close_period(ctx, site_id=billed.site_id, month=ctx.business_on)
    with pytest.raises(PeriodClosed):
        async with world.unit() as ctx:
            await service.take_receipt(
                ctx, room_id=billed.room_id, method=Method.cash, amount=Decimal("1.00")
            )
    with pytest.raises(PeriodClosed):
        async with world.unit() as ctx:
            await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="收错户")
    december = datetime(2026, 12, 1, 1, tzinfo=UTC)
    async with world.unit(now=december) as ctx:
        reversal = await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="收错户")
    assert (reversal.business_on.isoformat(), reversal.number[:6]) == ("2026-12-01", "SK2612")


async def test_a_month_is_not_closed_over_a_drawer_that_nobody_counted(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    cashier, december = world.at_site(), datetime(2026, 12, 1, 1, tzinfo=UTC)
    async with world.unit(cashier) as ctx:
        receipt = await service.take_receipt(
            ctx, room_id=billed.room_id, method=Method.cash, amount=Decimal("10.00")
        )
    async with world.unit(now=december) as ctx:
        with pytest.raises(service.ShiftsUncounted) as refused:
            await ledger.close_month(ctx, site_id=billed.site_id, month=receipt.business_on)
    async with world.unit(cashier) as ctx:
        assert receipt.shift_id is not None
        await service.close_shift(ctx, shift_id=receipt.shift_id, counted=Decimal("10.00"), note="")
    async with world.unit(now=december) as ctx:
        await ledger.close_month(ctx, site_id=billed.site_id, month=receipt.business_on)

    assert refused.value.params == {"count": 1, "day": receipt.business_on, "month": "2026-11"}


async def _strangers(world: World) -> list[Principal]:
    return [world.at_other_site(), world.at_site(world.beta), world.headquarters(world.beta)]


async def test_rooms_bills_and_receipts_of_others_are_absent(world: World) -> None:
    fees = await set_fees(world)
    billed = await bill_room(world, fees)
    receipt = await _pay(world, billed, "1.00")
    for stranger in await _strangers(world):
        async with world.unit(stranger) as ctx:
            with pytest.raises(NotFound):
                await service.take_receipt(
                    ctx, room_id=billed.room_id, method=Method.cash, payments=billed.payments()
                )
            with pytest.raises(NotFound):
                await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="?")


async def test_a_bill_of_another_community_or_company_is_absent_in_a_room_of_ones_own(
    world: World,
) -> None:
    fees, beta_fees = await set_fees(world), await set_fees(world, world.beta)
    mine = await bill_room(world, fees)
    elsewhere = await bill_room(world, fees, site_id=world.alpha.other_site_id)
    foreign = await bill_room(world, beta_fees, company=world.beta)
    unknown = Payment(uuid7(), Decimal("1.00"))
    for payment in (elsewhere.payments()[0], foreign.payments()[0], unknown):
        async with world.unit() as ctx:
            with pytest.raises(NotFound) as refused:
                await service.take_receipt(
                    ctx, room_id=mine.room_id, method=Method.cash, payments=[payment]
                )
        assert [field.path for field in refused.value.fields] == ["allocations.0.bill_id"]


@pytest.mark.parametrize("table", [Receipt, Allocation])
async def test_receipts_and_allocations_cannot_be_changed(
    world: World, table: type[Receipt] | type[Allocation]
) -> None:
    for statement in (update(table).values(amount=Decimal("1.00")), delete(table)):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with world.unit() as ctx:
                await ctx.session.execute(statement)


async def test_what_is_open_always_equals_the_receivables(world: World) -> None:
    """Over a run of receipts and reversals: Σ open = 1122, and Σ receipts = money."""
    fees = await set_fees(world)
    rooms = [await bill_room(world, fees, building=str(place)) for place in (1, 2, 3)]
    random = Random(7)
    for _ in range(20):
        billed = random.choice(rooms)
        async with world.unit() as ctx:
            owed = await charging_queries.open_by_room(ctx, [billed.room_id])
            left, _ = owed.get(billed.room_id, (Decimal(0), 0))
            if left == 0:
                continue
            amount = min(left, Decimal(random.randint(1, 12_000)).scaleb(-2))
            receipt = await service.take_receipt(
                ctx, room_id=billed.room_id, method=Method.cash, amount=amount
            )
            if random.random() < 0.4:
                await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="冲")
        async with world.unit() as ctx:
            still = await charging_queries.open_by_room(ctx, [each.room_id for each in rooms])
            received = (await ctx.session.execute(select(col(Receipt.amount)))).scalars()
            assert sum(left for left, _ in still.values()) == await ledger_queries.balance(
                ctx, "1122"
            )
            assert sum(received, Decimal(0)) == await ledger_queries.balance(ctx, "1001")
