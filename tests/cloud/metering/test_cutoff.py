"""Use of a period between the readings that count at its ends."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import text

from cloud.kernel.context import Ctx
from cloud.kernel.periods import Period
from cloud.modules.metering import queries, service
from cloud.modules.metering.models import Meter, MeterKind
from cloud.modules.metering.queries import NoUsage, PeriodUsage
from tests.cloud.metering.builders import add_meter, add_readings
from tests.cloud.resources.builders import add_room
from tests.kit.world import World

ZONE = ZoneInfo("Asia/Shanghai")
OCTOBER = Period.closed(date(2026, 10, 1), date(2026, 10, 31))


def _at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ZONE)


async def _usage(ctx: Ctx, meter: Meter, period: Period = OCTOBER) -> PeriodUsage:
    found = await queries.usage_for_period(ctx, meter_ids=[meter.id], period=period)
    return found[meter.id]


async def test_last_good_readings_at_both_midnights_count(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id, multiplier=Decimal(40))
        await add_readings(
            ctx, meter,
            (_at(9, 30, 22), "100"), (_at(10, 1, 1), "101"),
            (_at(11, 1), "160"), (_at(11, 1, 1), "161"),
        )  # fmt: skip
        usage = await _usage(ctx, meter)
    assert usage.opening is not None
    assert usage.closing is not None
    assert [usage.opening.value, usage.closing.value] == [100, 160]
    assert usage.usage == 2400
    assert usage.reason is None


async def test_old_missing_and_doubtful_readings_are_reasons(world: World) -> None:
    async with world.unit() as ctx:
        missing = await add_meter(ctx, world.alpha.site_id, "E-1")
        stale = await add_meter(ctx, world.alpha.site_id, "E-2")
        await add_readings(ctx, stale, (_at(9, 30), "1"), (_at(10, 28), "2"))
        doubtful = await add_meter(ctx, world.alpha.site_id, "E-3")
        await add_readings(ctx, doubtful, (_at(9, 1), "1"), (_at(9, 30), "20"))
        await add_readings(ctx, doubtful, (_at(10, 31), "9000"))
        assert (await _usage(ctx, missing)).reason == NoUsage.missing
        assert (await _usage(ctx, stale)).reason == NoUsage.stale
        assert (await _usage(ctx, doubtful)).reason == NoUsage.review


async def test_change_of_meter_splits_the_period(world: World) -> None:
    async with world.unit(now=_at(9, 30)) as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        await add_readings(ctx, meter, (_at(9, 30), "1250.0"))
    async with world.unit(now=_at(10, 15)) as ctx:
        await service.change_meter(
            ctx,
            meter_id=meter.id,
            old_final=Decimal("1290.5"),
            new_initial=Decimal("3.0"),
            reason="",
        )
    async with world.unit() as ctx:
        await add_readings(ctx, meter, (_at(10, 31), "21.0"))
        usage = await _usage(ctx, meter)
    assert usage.usage == Decimal("58.5")
    assert len(usage.changes) == 1


async def test_meter_installed_within_the_period_opens_with_its_first_value(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(
            ctx, world.alpha.site_id, installed_on=date(2026, 10, 10), initial_value=Decimal(5)
        )
        await add_readings(ctx, meter, (_at(10, 31), "25"))
        usage = await _usage(ctx, meter)
    assert usage.usage == 20
    assert usage.opening is not None
    assert usage.opening.id is None


async def test_next_period_opens_with_what_the_former_one_closed_with(world: World) -> None:
    november = Period.closed(date(2026, 11, 1), date(2026, 11, 30))
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        await add_readings(ctx, meter, (_at(10, 1), "0"), (_at(10, 30), "90"), (_at(11, 30), "200"))
        october = await _usage(ctx, meter)
        assert october.closing is not None
        assert october.closing.id is not None
        # A better reading of the cut-off arrives after October was billed.
        await add_readings(ctx, meter, (_at(10, 31, 23), "95"))
        again = await queries.usage_for_period(
            ctx, meter_ids=[meter.id], period=november, openings={meter.id: october.closing.id}
        )
    assert october.usage == 90
    assert again[meter.id].usage == 110


async def test_cutoff_of_a_site_and_its_rooms_meters(world: World) -> None:
    async with world.unit() as ctx:
        room = await add_room(ctx, world.alpha.site_id)
        meter = await add_meter(ctx, world.alpha.site_id, room_id=room.id)
        await add_meter(ctx, world.alpha.site_id, "W-1", kind=MeterKind.water)
        await add_readings(ctx, meter, (_at(11, 1), "7"))
        found = await queries.readings_at_cutoff(
            ctx, site_id=world.alpha.site_id, kind=MeterKind.electricity, on=date(2026, 11, 1)
        )
        meters = await queries.meters_of_rooms(
            ctx, site_id=world.alpha.site_id, kind=MeterKind.electricity
        )
    cutoff = found[meter.id]
    assert not isinstance(cutoff, NoUsage)
    assert cutoff.value == 7
    assert [(one.id, one.room_id, one.unit) for one in meters] == [(meter.id, room.id, "kWh")]


async def test_another_organization_gets_no_usage(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        await ctx.session.execute(text("SELECT 1"))
    async with world.unit(world.at_site(world.beta)) as ctx:
        found = await queries.usage_for_period(ctx, meter_ids=[meter.id], period=OCTOBER)
    assert found == {}
