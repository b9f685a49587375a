"""A meter as people keep it: put up in a room, corrected, connected to a device, taken away."""

from __future__ import annotations

from collections.abc import Sequence, Set
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.bulk import insert_records
from cloud.kernel.context import Ctx
from cloud.kernel.errors import AppError, Conflict, FieldError, NotFound, Unprocessable
from cloud.kernel.imports.rows import good, tried
from cloud.kernel.listing import among
from cloud.modules.devices import queries as devices
from cloud.modules.devices.models import PointLane
from cloud.modules.metering.models import Meter, MeterState, Reading
from cloud.modules.metering.rules import Register
from cloud.modules.metering.service.meters import (
    MeterSpec,
    add_meter,
    make_meters,
    refuse_removed,
    remove_meter,
)
from cloud.modules.metering.service.readings import record_reading
from cloud.modules.organization import queries as organization
from cloud.modules.resources.models import Space, SpaceKind


class MeterNeedsPlace(Unprocessable):
    message = "Say where the meter is: choose a room, a unit or a building."


class MeterNumberTaken(Conflict):
    message = "There is a meter {no} already. Look it up, or check the number on the plate."


class InstalledInFuture(Unprocessable):
    message = "A meter cannot be installed in the future. Check the day."


class InitialTooLong(Unprocessable):
    message = "A register of {digits} digits cannot show {value}. Check both."


class MeterHasReadings(Conflict):
    message = "Meter {no} has readings: its multiplier and digits are fixed. Change the meter."


class PointHasMeter(Conflict):
    message = "This point already feeds meter {no}. Disconnect that one first."


class PointIsNoRegister(Unprocessable):
    message = "This point is a measurement. Choose a billing register."


async def put_up_meter(ctx: Ctx, *, spec: MeterSpec) -> Meter:
    """A meter in a room, or a shared one in a building or a unit; it belongs to their community.

    Raises MeterNeedsPlace, NotFound, MeterNumberTaken, InstalledInFuture, InitialTooLong,
    PointHasMeter, PointIsNoRegister.
    """
    place_id = spec.room_id or spec.space_id
    if place_id is None:
        raise MeterNeedsPlace(fields=(FieldError("room_id", "meter-needs-place"),))
    place = await ctx.get(Space, place_id)
    if spec.room_id is not None and place.kind != SpaceKind.room:
        raise NotFound
    site = await organization.get_site(ctx, place.org_id)
    _check(ctx, spec, await _taken(ctx, [spec.no]))
    await _refuse_point(ctx, spec.point_no)
    meter = await add_meter(ctx, site_id=site.id, spec=spec)
    await audit.record_on(ctx, meter, "metering.meter.added", after=_told(meter))
    return meter


async def put_up_meters(
    ctx: Ctx, *, site_id: UUID, specs: Sequence[MeterSpec]
) -> list[MeterSpec | AppError]:
    """Many as `put_up_meter` takes one, in places that the caller has found in the site and not
    connected to points. What that would raise stands in the place of a meter that is left out."""
    taken = await _taken(ctx, [spec.no for spec in specs])

    def check(spec: MeterSpec) -> MeterSpec:
        _check(ctx, spec, taken)
        taken.add(spec.no)
        return spec

    told = tried(specs, check)
    meters = await make_meters(ctx, site_id=site_id, specs=good(told))
    await insert_records(ctx, meters)
    await audit.record_each(
        ctx,
        action="metering.meter.added",
        subject_kind="metering.meter",
        org_id=site_id,
        added=[(meter.id, _told(meter)) for meter in meters],
    )
    return told


async def correct_meter(
    ctx: Ctx,
    *,
    meter_id: UUID,
    version: int,
    no: str,
    multiplier: Decimal,
    digits: int,
    can_roll_over: bool,
) -> Meter:
    """What stands on its plate. Multiplier and digits only while it was never read.

    Raises NotFound, StaleVersion, MeterRemoved, MeterNumberTaken, MeterHasReadings.
    """
    meter = await ctx.get(Meter, meter_id, lock=True, version=version)
    refuse_removed(meter)
    if no != meter.no:
        _refuse_taken(no, await _taken(ctx, [no]))
    fixed = {"multiplier": meter.multiplier != multiplier, "digits": meter.digits != digits}
    wrong = [key for key, differs in fixed.items() if differs]
    if wrong and await _was_read(ctx, meter):
        raise MeterHasReadings(
            no=meter.no, fields=tuple(FieldError(key, "meter-has-readings") for key in wrong)
        )
    before = {"no": meter.no, "multiplier": str(meter.multiplier), "digits": meter.digits}
    meter.no, meter.multiplier, meter.digits = no, multiplier, digits
    meter.can_roll_over = can_roll_over
    meter.version += 1
    await audit.record_on(
        ctx,
        meter,
        "metering.meter.corrected",
        before=before,
        after={"no": no, "multiplier": str(multiplier), "digits": digits},
    )
    return meter


async def connect_meter(ctx: Ctx, *, meter_id: UUID, point_no: int | None) -> Meter:
    """Let a device's billing register feed the meter from now on; None is read by hand again.

    Raises NotFound, MeterRemoved, PointHasMeter, PointIsNoRegister.
    """
    meter = await ctx.get(Meter, meter_id, lock=True)
    refuse_removed(meter)
    if point_no == meter.point_no:
        return meter
    await _refuse_point(ctx, point_no, site_id=meter.org_id)
    before = meter.point_no
    meter.point_no = point_no
    meter.version += 1
    await audit.record_on(
        ctx,
        meter,
        "metering.meter.connected",
        before={"point_no": before},
        after={"point_no": point_no},
    )
    return meter


async def take_away_meter(
    ctx: Ctx, *, meter_id: UUID, final_value: Decimal | None, reason: str
) -> Meter:
    """Take it out of use today, with what it showed last; its readings stay.

    Raises NotFound, MeterRemoved, and as `record_reading` for the last value.
    """
    meter = await ctx.get(Meter, meter_id, lock=True)
    refuse_removed(meter)
    if final_value is not None:
        await record_reading(ctx, meter_id=meter.id, value=final_value)
        await ctx.session.flush()  # the meter is loaded again below
    return await remove_meter(ctx, meter_id=meter.id, reason=reason)


def _check(ctx: Ctx, spec: MeterSpec, taken: Set[str]) -> None:
    if spec.installed_on > ctx.business_on:
        raise InstalledInFuture(fields=(FieldError("installed_on", "installed-in-future"),))
    if not Register(spec.digits).fits(spec.initial_value):
        raise InitialTooLong(
            digits=spec.digits,
            value=spec.initial_value,
            fields=(FieldError("initial_value", "initial-too-long"),),
        )
    _refuse_taken(spec.no, taken)


async def _taken(ctx: Ctx, numbers: Sequence[str]) -> set[str]:
    found = await ctx.session.execute(select(col(Meter.no)).where(among(col(Meter.no), numbers)))
    return set(found.scalars())


def _refuse_taken(no: str, taken: Set[str]) -> None:
    if no in taken:
        raise MeterNumberTaken(no=no, fields=(FieldError("no", "meter-number-taken"),))


def _told(meter: Meter) -> dict[str, Any]:
    return {"no": meter.no, "kind": meter.kind, "multiplier": str(meter.multiplier)}


async def _refuse_point(ctx: Ctx, point_no: int | None, site_id: UUID | None = None) -> None:
    if point_no is None:
        return
    point = await devices.point_by_number(ctx, point_no)
    if site_id is not None and point.org_id != site_id:
        raise NotFound
    if point.lane != PointLane.meter:
        raise PointIsNoRegister(fields=(FieldError("point_no", "point-is-no-register"),))
    holder = await ctx.session.execute(
        select(col(Meter.no)).where(
            col(Meter.point_no) == point_no, col(Meter.state) != MeterState.removed
        )
    )
    no = holder.scalar_one_or_none()
    if no is not None:
        raise PointHasMeter(no=no, fields=(FieldError("point_no", "point-has-meter"),))


async def _was_read(ctx: Ctx, meter: Meter) -> bool:
    found = select(col(Reading.id)).where(col(Reading.meter_id) == meter.id).limit(1)
    return (await ctx.session.execute(found)).first() is not None
