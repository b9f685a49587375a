"""The statement of a room and the cashier's day, on a fixed clock."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import Listing
from cloud.modules.receiving import queries, service
from cloud.modules.receiving.models import Method
from tests.cloud.receiving.builders import OCTOBER_AND_NOVEMBER, bill_room, set_fees
from tests.kit.world import World


async def test_a_statement_runs_from_its_opening_to_its_closing(world: World) -> None:
    billed = await bill_room(world, await set_fees(world), period=OCTOBER_AND_NOVEMBER)
    tomorrow = world.now + timedelta(days=1)
    async with world.unit(now=tomorrow) as ctx:
        receipt = await service.take_receipt(
            ctx, room_id=billed.room_id, method=Method.scan, amount=Decimal("100.00")
        )
    async with world.unit(now=tomorrow + timedelta(hours=1)) as ctx:
        await service.reverse_receipt(ctx, receipt_id=receipt.id, reason="收错户")
    async with world.unit(now=tomorrow) as ctx:
        whole = await queries.read_statement(ctx, billed.room_id, first=None, last=None)
        later = await queries.read_statement(
            ctx, billed.room_id, first=date(2026, 11, 25), last=date(2026, 11, 25)
        )
    assert (whole.opening, whole.charged) == (Decimal(0), Decimal("436.16"))
    assert whole.paid == 0
    assert whole.period.first == date(2025, 12, 1)
    assert [line.kind for line in whole.lines] == ["bill"] * 4 + ["receipt", "reversal"]
    assert [str(line.balance) for line in whole.lines[-3:]] == ["436.16", "336.16", "436.16"]
    assert (later.opening, later.closing) == (Decimal("436.16"), Decimal("436.16"))
    assert [line.summary for line in later.lines] == ["Scan to pay", "收错户"]
    async with world.unit(world.at_other_site()) as ctx:
        with pytest.raises(NotFound):
            await queries.read_statement(ctx, billed.room_id, first=None, last=None)


async def test_the_shift_is_the_viewers_own_day(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    me, colleague = world.at_site(), world.at_site()
    async with world.unit(me, now=world.now - timedelta(days=1)) as ctx:
        old = await service.take_receipt(
            ctx, room_id=billed.room_id, method=Method.cash, amount=Decimal("10.00")
        )
    for who, method, amount in (
        (me, Method.cash, "20.00"),
        (me, Method.scan, "30.00"),
        (colleague, Method.cash, "40.00"),
    ):
        async with world.unit(who) as ctx:
            await service.take_receipt(
                ctx, room_id=billed.room_id, method=method, amount=Decimal(amount)
            )
    async with world.unit(me) as ctx:
        await service.reverse_receipt(ctx, receipt_id=old.id, reason="昨日收错")
        shift = await queries.read_shift(ctx)
    assert (shift.count, shift.received, shift.cash) == (2, Decimal("40.00"), Decimal("10.00"))


async def _receipts(ctx: Ctx, q: str) -> list[str]:
    listing = Listing(page=1, size=50, sort=None, q=q, site_id=None)
    page = await queries.list_receipts(
        ctx, listing, method=None, state=None, period_from=None, period_to=None
    )
    return [receipt.number for receipt in page["items"]]


async def test_receipts_and_the_counter_find_a_room_as_people_write_it(world: World) -> None:
    billed = await bill_room(world, await set_fees(world))
    async with world.unit() as ctx:
        receipt = await service.take_receipt(
            ctx, room_id=billed.room_id, method=Method.cash, amount=Decimal("10.00")
        )
    async with world.unit() as ctx:
        for typed in ("1-1-101", "1－1－101", "1幢1单元101", "1栋 1单元 101室"):
            assert await _receipts(ctx, typed) == [receipt.number], typed
            hits = await queries.search_rooms(ctx, q=typed, by=queries.SearchBy.room, site_id=None)
            assert [hit.room_id for hit in hits.items] == [billed.room_id], typed
        assert await _receipts(ctx, receipt.number) == [receipt.number]
        assert await _receipts(ctx, "2-1-101") == []
