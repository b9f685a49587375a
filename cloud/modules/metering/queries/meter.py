"""One meter as its page shows it, and what forms about meters choose from."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select
from sqlmodel import col

from cloud.kernel.choices import Choices, fetch_choices
from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import contains
from cloud.kernel.periods import Period, add_months
from cloud.modules.devices.models import Device, Point, PointLane
from cloud.modules.devices.rules import point_label
from cloud.modules.metering.models import Meter, MeterChange, MeterState, Reading
from cloud.modules.metering.queries.cutoff import NoUsage, usage_for_period
from cloud.modules.metering.queries.records import UNITS, meter_rows
from cloud.modules.metering.schemas import (
    ChangeLine,
    MeterDetail,
    MeterFacts,
    MonthOfUse,
    ReadingLine,
)

MONTHS = 6
READINGS_MAX = 100

WHY = {
    NoUsage.missing: "Reading missing",
    NoUsage.stale: "Reading too old",
    NoUsage.review: "Waits for review",
    NoUsage.below: "Below the last reading",
}


async def read_meter(ctx: Ctx, meter_id: UUID) -> MeterDetail:
    """Its plate, use by month, readings and changes, newest first. Raises NotFound."""
    statement, _ = meter_rows()
    found = await ctx.session.execute(statement.where(col(Meter.id) == meter_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound
    meter = await ctx.get(Meter, meter_id)
    return MeterDetail.model_validate(
        {
            **row,
            "facts": await _facts(ctx, meter),
            "months": await _months(ctx, meter),
            "readings": await _readings(ctx, meter_id),
            "changes": await _changes(ctx, meter_id),
        }
    )


async def meter_choices(ctx: Ctx, q: str) -> Choices:
    """Shared meters that another can stand below."""
    return await fetch_choices(
        ctx,
        select(col(Meter.id), col(Meter.no))
        .where(
            col(Meter.no).like(contains(q)),
            col(Meter.room_id).is_(None),
            col(Meter.state) == MeterState.in_use,
        )
        .order_by(col(Meter.no)),
    )


async def point_choices(ctx: Ctx, q: str) -> Choices:
    """Billing registers that feed no meter yet."""
    label = func.concat(col(Device.code), " · ", col(Device.name), " · ", col(Point.label))
    return await fetch_choices(
        ctx,
        select(col(Point.point_no), label)
        .join(Device, col(Device.id) == col(Point.device_id))
        .outerjoin(
            Meter,
            and_(
                col(Meter.org_id) == col(Point.org_id),
                col(Meter.point_no) == col(Point.point_no),
                col(Meter.state) != MeterState.removed,
            ),
        )
        .where(
            col(Point.lane) == PointLane.meter,
            col(Meter.id).is_(None),
            or_(col(Device.code).like(contains(q)), col(Device.name).like(contains(q))),
        )
        .order_by(col(Device.code), col(Point.point_no)),
    )


async def _facts(ctx: Ctx, meter: Meter) -> MeterFacts:
    parent = await ctx.find(Meter, meter.parent_id) if meter.parent_id else None
    device = await ctx.session.execute(
        select(col(Device.code), col(Point.label))
        .select_from(Point)
        .join(Device, col(Device.id) == col(Point.device_id))
        .where(col(Point.org_id) == meter.org_id, col(Point.point_no) == meter.point_no)
    )
    found = device.one_or_none()
    return MeterFacts(
        installed_on=meter.installed_on,
        initial_value=meter.initial_value,
        multiplier=meter.multiplier,
        digits=meter.digits,
        can_roll_over=meter.can_roll_over,
        parent_no=parent.no if parent else None,
        device=None if found is None else f"{found.code} · {point_label(ctx.say, found.label)}",
        removed_on=meter.removed_on,
    )


async def _months(ctx: Ctx, meter: Meter) -> list[MonthOfUse]:
    """The whole months before this one, newest first, back to the first with a use."""
    this_month = ctx.now.astimezone(ZoneInfo(ctx.principal.time_zone)).date().replace(day=1)
    months = []
    for back in range(1, MONTHS + 1):
        start = add_months(this_month, -back)
        period = Period(start, add_months(start, 1))
        if period.end <= meter.installed_on:
            break
        used = (await usage_for_period(ctx, meter_ids=[meter.id], period=period))[meter.id]
        why = "" if used.usage is not None else ctx.say(WHY[used.reason or NoUsage.missing])
        months.append(
            MonthOfUse(month=f"{start:%Y-%m}", usage=used.usage, unit=UNITS[meter.kind], why=why)
        )
    known = [place for place, month in enumerate(months) if month.usage is not None]
    return months[: known[-1] + 1] if known else months[:1]


async def _readings(ctx: Ctx, meter_id: UUID) -> list[ReadingLine]:
    found = await ctx.session.execute(
        select(Reading)
        .where(col(Reading.meter_id) == meter_id)
        .order_by(col(Reading.read_at).desc())
        .limit(READINGS_MAX)
    )
    return [ReadingLine.model_validate(one, from_attributes=True) for one in found.scalars()]


async def _changes(ctx: Ctx, meter_id: UUID) -> list[ChangeLine]:
    found = await ctx.session.execute(
        select(MeterChange)
        .where(col(MeterChange.meter_id) == meter_id)
        .order_by(col(MeterChange.changed_at).desc())
        .limit(READINGS_MAX)
    )
    return [ChangeLine.model_validate(one, from_attributes=True) for one in found.scalars()]
