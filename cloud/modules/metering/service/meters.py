"""Adding meters, changing the apparatus behind one, taking one away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound, Unprocessable
from cloud.kernel.listing import among
from cloud.modules.devices import queries as devices
from cloud.modules.metering.models import Meter, MeterChange, MeterKind, MeterState
from cloud.modules.metering.queries import register_of
from cloud.modules.metering.service.neighbors import neighbors_of
from cloud.modules.organization import queries as organization
from cloud.modules.resources.models import Room, Space

METERS_MAX = 20_000


class MeterRemoved(Conflict):
    message = "Meter {no} was removed on {on}. Read the meter that took its place."


class OldFinalBelowLast(Conflict):
    message = "The old meter showed {last} before; its last value cannot be {value}."


class ValueTooLong(Unprocessable):
    message = "The register of meter {no} has {digits} digits. Check the number again."


@dataclass(frozen=True)
class MeterSpec:
    """`digits` are those before the decimal point."""

    no: str
    kind: MeterKind
    initial_value: Decimal
    installed_on: date
    room_id: UUID | None = None
    space_id: UUID | None = None
    parent_id: UUID | None = None
    multiplier: Decimal = Decimal(1)
    digits: int = 6
    can_roll_over: bool = True
    point_no: int | None = None


async def add_meter(ctx: Ctx, *, site_id: UUID, spec: MeterSpec) -> Meter:
    """Raises NotFound for a room, space, parent or point that is not the site's."""
    return (await add_meters(ctx, site_id=site_id, specs=[spec]))[0]


async def add_meters(ctx: Ctx, *, site_id: UUID, specs: Sequence[MeterSpec]) -> list[Meter]:
    """Many at once, in the given order; a parent must exist before."""
    meters = await make_meters(ctx, site_id=site_id, specs=specs)
    ctx.session.add_all(meters)
    await ctx.session.flush()  # readings and children refer to them
    return meters


async def make_meters(ctx: Ctx, *, site_id: UUID, specs: Sequence[MeterSpec]) -> list[Meter]:
    """As `add_meters`, for a caller that writes them itself."""
    assert len(specs) <= METERS_MAX
    site = await organization.get_site(ctx, site_id)
    await _all_there(ctx, Room, {spec.room_id for spec in specs})
    await _all_there(ctx, Space, {spec.space_id for spec in specs})
    await _all_there(ctx, Meter, {spec.parent_id for spec in specs})
    own = set((await devices.numbers_of_site(ctx, site.id)).tolist())
    if not own.issuperset(spec.point_no for spec in specs if spec.point_no is not None):
        raise NotFound
    return [
        Meter(
            **ctx.stamp(site.id),
            no=spec.no,
            kind=spec.kind,
            room_id=spec.room_id,
            space_id=spec.space_id,
            parent_id=spec.parent_id,
            multiplier=spec.multiplier,
            digits=spec.digits,
            can_roll_over=spec.can_roll_over,
            point_no=spec.point_no,
            initial_value=spec.initial_value,
            installed_on=spec.installed_on,
        )
        for spec in specs
    ]


async def change_meter(
    ctx: Ctx, *, meter_id: UUID, old_final: Decimal, new_initial: Decimal, reason: str
) -> MeterChange:
    """Another apparatus takes the place now. Raises NotFound, MeterRemoved, ValueTooLong,
    OldFinalBelowLast."""
    meter = await ctx.get(Meter, meter_id, lock=True)
    refuse_removed(meter)
    refuse_too_long(meter, old_final, "old_final")
    refuse_too_long(meter, new_initial, "new_initial")
    around = (await neighbors_of(ctx, [(meter, ctx.now)]))[0]
    if old_final < around.last.value and not meter.can_roll_over:
        raise OldFinalBelowLast(
            last=around.last.value,
            value=old_final,
            fields=(FieldError("old_final", "old-final-below-last"),),
        )
    change = MeterChange(
        **ctx.stamp(meter.org_id),
        meter_id=meter.id,
        changed_at=ctx.now,
        changed_on=ctx.business_on,
        old_final=old_final,
        new_initial=new_initial,
        reason=reason,
    )
    ctx.session.add(change)
    meter.version += 1
    await audit.record_on(
        ctx,
        meter,
        "metering.meter.changed",
        before={"value": str(old_final)},
        after={"value": str(new_initial)},
        reason=reason,
    )
    return change


async def remove_meter(ctx: Ctx, *, meter_id: UUID, reason: str = "") -> Meter:
    """Take it out of use today; its readings stay. Removing it twice is not an error."""
    meter = await ctx.get(Meter, meter_id, lock=True)
    if meter.state == MeterState.removed:
        return meter
    meter.state, meter.removed_on = MeterState.removed, ctx.business_on
    meter.version += 1
    await audit.record_on(
        ctx, meter, "metering.meter.removed", before={"point_no": meter.point_no}, reason=reason
    )
    return meter


def refuse_removed(meter: Meter) -> None:
    if meter.state == MeterState.removed:
        raise MeterRemoved(no=meter.no, on=meter.removed_on)


def refuse_too_long(meter: Meter, value: Decimal, field: str = "value") -> None:
    if not register_of(meter).fits(value):
        raise ValueTooLong(
            no=meter.no, digits=meter.digits, fields=(FieldError(field, "value-too-long"),)
        )


async def _all_there(
    ctx: Ctx, model: type[Room] | type[Space] | type[Meter], ids: set[UUID | None]
) -> None:
    wanted = ids - {None}
    if not wanted:
        return
    counted = select(func.count()).select_from(model).where(among(col(model.id), wanted))
    if (await ctx.session.execute(counted)).scalar_one() != len(wanted):
        raise NotFound
