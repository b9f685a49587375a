"""The worked examples of spec 6.1, 6.2 and 6.4 through a real run: database, drafts, bills."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.money import RoundingStep
from cloud.kernel.periods import ONE_DAY
from cloud.modules.charging import service
from cloud.modules.charging.models import Bill, Binding, Method, Proration, Timing
from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.metering import service as metering
from cloud.modules.metering.models import MeterKind
from cloud.modules.metering.service import MeterSpec
from cloud.modules.resources import service as resources
from cloud.modules.resources.service import RoomFacts
from tests.cloud.charging.builders import OCTOBER, SINCE, Estate, add_payer, build_estate
from tests.kit.world import World


@pytest.fixture
async def estate(world: World) -> Estate:
    return await build_estate(world)


async def billed(
    ctx: Ctx, estate: Estate, *, room_id: UUID, first: date, last: date, item: str = "property_fee"
) -> Bill:
    """The one bill that a run over the period gives the room."""
    run = await service.create_run(
        ctx,
        site_id=estate.site_id,
        item_ids=[estate.items[item]],
        period=ClosedPeriod.model_validate({"from": first, "to": last}),
    )
    await ctx.session.flush()  # the steps load the run
    await service.preview_run(ctx, run_id=run.id)
    await service.work_through(ctx, run_id=run.id)
    found = await ctx.session.execute(select(Bill).where(col(Bill.room_id) == room_id))
    return found.scalar_one()


async def bound_room(  # a room of its own, so that the estate's bindings are not in the way
    ctx: Ctx,
    estate: Estate,
    *,
    area: str,
    price: str,
    months: int,
    method: Method = Method.area,
    step: RoundingStep = RoundingStep.cent,
    proration: Proration = Proration.actual_month,
    anchor: date = SINCE,
    starts_on: date = SINCE,
) -> UUID:
    building = await resources.add_building(ctx, site_id=estate.site_id, code="9", name="9幢")
    room = await resources.add_room(
        ctx, parent_id=building.id, code="901", facts=RoomFacts(building_area=Decimal(area))
    )
    await add_payer(ctx, estate, room.id)
    standard = await service.add_standard(
        ctx,
        org_id=estate.site_id,
        item_id=estate.items["property_fee"],
        spec=service.StandardSpec(
            code="EXAMPLE",
            name="例",
            method=method,
            timing=Timing.advance,
            cycle_months=months,
            anchor_on=anchor,
            due_days=30,
        ),
    )
    await service.add_version(
        ctx,
        standard_id=standard.id,
        effective_from=SINCE,
        price=service.PriceSpec(
            unit_price=Decimal(price),
            basis="例",
            proration=proration,
            rounding_step=step,
        ),
    )
    await service.bind_rooms(
        ctx,
        site_id=estate.site_id,
        standard_id=standard.id,
        room_ids=[room.id],
        starts_on=starts_on,
    )
    return room.id


@pytest.mark.parametrize(
    ("price", "area", "months", "step", "expected"),
    [
        ("0.15", "130.70", 1, RoundingStep.cent, "19.61"),
        ("1.40", "100.24", 12, RoundingStep.cent, "1684.03"),
        ("1.40", "100.24", 12, RoundingStep.yuan, "1684.00"),
        ("1.20", "317.06", 12, RoundingStep.cent, "4565.66"),
        ("1.20", "317.06", 12, RoundingStep.yuan, "4566.00"),
        ("2.38", "89.53", 1, RoundingStep.cent, "213.08"),
        ("2.38", "89.53", 3, RoundingStep.cent, "639.24"),
    ],
    ids=["RC-02", "RC-03", "RC-03 yuan", "RC-04", "RC-04 yuan", "RC-05", "RC-05 quarter"],
)
async def test_area_charges(
    world: World,
    estate: Estate,
    price: str,
    area: str,
    months: int,
    step: RoundingStep,
    expected: str,
) -> None:
    january = date(2026, 1, 1)
    async with world.unit(estate.principal) as ctx:
        room_id = await bound_room(ctx, estate, area=area, price=price, months=months, step=step)
        bill = await billed(ctx, estate, room_id=room_id, first=january, last=january)

    assert str(bill.amount) == expected


MODES = (Proration.actual_month, Proration.fixed_30, Proration.year_365)


@pytest.mark.parametrize(
    ("price", "days", "anchor", "months", "mode", "expected"),
    [
        (price, (first, last), anchor, months, mode, amount)
        for price, first, last, anchor, months, amounts in (
            ("300.00", "2024-01-16", "2024-03-10", "2024-01-01", 3, "551.61 560.00 542.47"),
            ("10000.00", "2024-01-16", "2024-03-10", "2024-01-01", 3, "18387.10 18666.67 18082.19"),
            ("237.11", "2025-02-10", "2025-04-30", "2025-02-01", 3, "635.12 624.39 623.63"),
            ("350.00", "2026-11-23", "2026-12-31", "2026-11-01", 2, "443.33 443.33 448.77"),
        )
        for mode, amount in zip(MODES, amounts.split(), strict=True)
    ],
)
async def test_proration(
    world: World,
    estate: Estate,
    price: str,
    days: tuple[str, str],
    anchor: str,
    months: int,
    mode: Proration,
    expected: str,
) -> None:
    starts_on, last = map(date.fromisoformat, days)
    async with world.unit(estate.principal) as ctx:
        room_id = await bound_room(
            ctx,
            estate,
            area="1",
            price=price,
            months=months,
            method=Method.fixed,
            proration=mode,
            anchor=date.fromisoformat(anchor),
            starts_on=starts_on,
        )
        await ctx.session.flush()  # the binding is looked up below
        binding = (
            await ctx.session.execute(select(Binding).where(col(Binding.room_id) == room_id))
        ).scalar_one()
        await service.end_binding(ctx, binding_id=binding.id, ends_on=last + ONE_DAY)
        bill = await billed(ctx, estate, room_id=room_id, first=starts_on, last=starts_on)

    assert str(bill.amount) == expected


@pytest.mark.parametrize(
    ("digits", "multiplier", "opening", "change", "closing", "expected"),
    [
        (5, "1", "99876", None, "123", "247"),
        (6, "40", "180.2", None, "215.4", "1408.0"),
        (6, "1", "1250.0", ("1290.5", "3.0"), "21.0", "58.5"),
    ],
    ids=["RC-30", "RC-31", "RC-32"],
)
async def test_meters(
    world: World,
    estate: Estate,
    digits: int,
    multiplier: str,
    opening: str,
    change: tuple[str, str] | None,
    closing: str,
    expected: str,
) -> None:
    async with world.unit(estate.principal) as ctx:
        meter = await metering.add_meter(
            ctx,
            site_id=estate.site_id,
            spec=MeterSpec(
                no="E-9",
                kind=MeterKind.electricity,
                room_id=estate.rooms["101"],
                digits=digits,
                multiplier=Decimal(multiplier),
                initial_value=Decimal(0),
                installed_on=SINCE,
            ),
        )
        await ctx.session.flush()  # bound and read below
        await service.bind_meters(
            ctx,
            site_id=estate.site_id,
            standard_id=estate.standards["electricity"],
            meter_ids=[meter.id],
            starts_on=SINCE,
        )
        await metering.record_reading(
            ctx, meter_id=meter.id, value=Decimal(opening), read_on=date(2026, 9, 30)
        )
    if change is not None:
        in_october = world.now.replace(month=10, day=15)
        async with world.unit(estate.principal, now=in_october) as ctx:
            old_final, new_initial = map(Decimal, change)
            await metering.change_meter(
                ctx,
                meter_id=meter.id,
                old_final=old_final,
                new_initial=new_initial,
                reason="到期轮换",
            )
    async with world.unit(estate.principal) as ctx:
        await metering.record_reading(
            ctx, meter_id=meter.id, value=Decimal(closing), read_on=date(2026, 10, 31)
        )
        bill = await billed(
            ctx,
            estate,
            room_id=estate.rooms["101"],
            first=OCTOBER.first,
            last=OCTOBER.last,
            item="electricity",
        )

    assert bill.quantity == Decimal(expected)
