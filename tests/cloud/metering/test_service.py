"""Readings by hand and in bulk, reviews and changes of meters."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import ProgrammingError
from sqlmodel import col

from cloud.kernel.errors import NotFound
from cloud.modules.metering import service
from cloud.modules.metering.models import MeterKind, Reading, ReadingState
from tests.cloud.metering.builders import add_meter, add_readings
from tests.kit.world import NOW, World


async def test_reading_by_hand_is_verified_against_the_last(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        await add_readings(ctx, meter, (NOW - timedelta(days=30), "100"))
        reading = await service.record_reading(ctx, meter_id=meter.id, value=Decimal("130.5"))
        assert (reading.state, reading.reading_on) == (ReadingState.verified, ctx.business_on)


async def test_reading_below_the_last_is_refused(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        await add_readings(ctx, meter, (NOW - timedelta(days=30), "350"))
        with pytest.raises(service.ReadingBelowLast) as refused:
            await service.record_reading(ctx, meter_id=meter.id, value=Decimal(340))
        assert refused.value.params == {"value": Decimal(340), "last": Decimal(350)}


async def test_reading_between_two_others_fits_between_them(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        await add_readings(
            ctx, meter, (NOW - timedelta(days=30), "100"), (NOW - timedelta(days=1), "150")
        )
        on = ctx.business_on - timedelta(days=10)
        with pytest.raises(service.ReadingAboveNext):
            await service.record_reading(ctx, meter_id=meter.id, value=Decimal(151), read_on=on)
        await service.record_reading(ctx, meter_id=meter.id, value=Decimal(149), read_on=on)
        with pytest.raises(service.ReadingExists):
            await service.record_reading(ctx, meter_id=meter.id, value=Decimal(149), read_on=on)


async def test_reading_is_refused_for_the_future_the_removed_and_the_too_long(
    world: World,
) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        with pytest.raises(service.ReadingInFuture):
            await service.record_reading(
                ctx, meter_id=meter.id, value=Decimal(1), read_on=ctx.business_on + timedelta(1)
            )
        with pytest.raises(service.ValueTooLong):
            await service.record_reading(ctx, meter_id=meter.id, value=Decimal(100_000))
        await service.remove_meter(ctx, meter_id=meter.id)
        with pytest.raises(service.MeterRemoved):
            await service.record_reading(ctx, meter_id=meter.id, value=Decimal(1))


async def test_high_reading_waits_for_a_person(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        history = [(NOW - timedelta(days=back), str(1000 - back * 10)) for back in (60, 30)]
        await add_readings(ctx, meter, *history)
        reading = await service.record_reading(ctx, meter_id=meter.id, value=Decimal(9000))
        assert reading.state == ReadingState.review
        await ctx.session.flush()  # the decision loads it
        accepted = await service.accept_reading(ctx, reading_id=reading.id)
        assert accepted.state == ReadingState.verified
        with pytest.raises(service.ReadingNotInReview):
            await service.refuse_reading(ctx, reading_id=reading.id)


async def test_what_was_read_cannot_be_changed(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        await add_readings(ctx, meter, (NOW, "100"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with ctx.session.begin_nested():
                await ctx.session.execute(update(Reading).values(value=Decimal(99)))


async def test_after_a_change_the_new_register_counts_from_its_own_start(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id, can_roll_over=False)
        await add_readings(ctx, meter, (NOW - timedelta(days=30), "1250"))
        with pytest.raises(service.OldFinalBelowLast):
            await service.change_meter(
                ctx, meter_id=meter.id, old_final=Decimal(1200), new_initial=Decimal(3), reason=""
            )
        await service.change_meter(
            ctx, meter_id=meter.id, old_final=Decimal(1290), new_initial=Decimal(3), reason="坏"
        )
    async with world.unit(now=NOW + timedelta(days=1)) as ctx:
        reading = await service.record_reading(ctx, meter_id=meter.id, value=Decimal(21))
        assert reading.state == ReadingState.verified


async def test_bulk_keeps_the_verdict_and_skips_what_it_knows(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        shown = ((NOW - timedelta(days=2), "100"), (NOW - timedelta(days=1), "90"), (NOW, "101"))
        await add_readings(ctx, meter, *shown)
        await add_readings(ctx, meter, *shown)
        found = await ctx.session.execute(select(Reading).order_by(col(Reading.read_at)))
        states = [(reading.state, reading.reason) for reading in found.scalars()]
    assert states == [("verified", ""), ("rejected", "below_last"), ("verified", "")]


async def test_meter_of_another_organization_is_hidden(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
    for stranger in (world.at_site(world.beta), world.at_other_site()):
        async with world.unit(stranger) as ctx:
            with pytest.raises(NotFound):
                await service.record_reading(ctx, meter_id=meter.id, value=Decimal(1))


async def test_meter_takes_no_room_or_parent_of_another_site(world: World) -> None:
    async with world.unit(world.at_other_site()) as ctx:
        parent = await add_meter(ctx, world.alpha.other_site_id)
    async with world.unit() as ctx:
        with pytest.raises(NotFound):
            await add_meter(ctx, world.alpha.site_id, "E-2", parent_id=parent.id)
        with pytest.raises(NotFound):
            await add_meter(ctx, world.alpha.site_id, "E-2", room_id=parent.id)
        with pytest.raises(NotFound):
            await add_meter(ctx, world.alpha.site_id, "E-2", point_no=1, kind=MeterKind.water)
