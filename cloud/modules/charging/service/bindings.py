"""What standards hold for: binding rooms and meters, ending a binding, changing its standard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Unprocessable
from cloud.kernel.periods import ONE_DAY
from cloud.modules.charging.models import Bill, Binding, Item, Standard, StandardVersion
from cloud.modules.charging.queries.candidates import (
    BoundRooms,
    Candidate,
    Selection,
    candidates_of,
)
from cloud.modules.charging.queries.inputs import rooms_of_meters
from cloud.modules.charging.schemas import BindingsEnded
from cloud.modules.charging.service.items import refuse_disabled
from cloud.modules.charging.service.standards import refuse_closed
from cloud.modules.resources import queries as resources


class BindingBilledBeyond(Conflict):
    message = "Bills are published up to {last}. End the binding on that day or later."


class BindingNotBegun(Unprocessable):
    message = "This binding begins on {start}. It cannot end before that day."


class BindingEnded(Conflict):
    message = "This binding ended on {last} already. Bind the room again instead."


class BindingStops(Conflict):
    message = "Nothing is ended. {room}: {why}"


class MeterElsewhere(Conflict):
    message = "Meter {meter_no} does not belong to this room."


class PriceNotYet(Conflict):
    message = "“{name}” has a price from {first} on only. Begin on that day or later."


class NothingToBind(Conflict):
    message = "None of the {count} rooms can be bound: {reasons}."


class StandardOfAnother(Conflict):
    message = "“{name}” charges another item or belongs to another community. Choose one of {item}."


class SameStandard(Unprocessable):
    message = "“{name}” holds for this room already. Choose another standard."


async def bind_selected(
    ctx: Ctx, *, standard_id: UUID, selection: Selection, starts_on: date
) -> BoundRooms:
    """Let a standard hold for many rooms at once, for a metered one for their meters.

    A room that cannot be bound is left out and named with its reason. Raises NotFound,
    ItemDisabled, StandardClosed, PriceNotYet, NothingToBind.
    """
    standard = await ctx.get(Standard, standard_id, lock=True)
    await _refuse_unusable(ctx, standard, starts_on)
    found = await candidates_of(ctx, standard, selection, starts_on)
    for one in found.fitting:
        ctx.session.add(_bind(ctx, standard, one, starts_on))
    if not found.fitting:
        raise NothingToBind(count=len(found.skips), reasons=found.reasons(ctx) or "—")
    await audit.record(
        ctx,
        action="charging.binding.added",
        subject_kind="charging.standard",
        subject_id=standard.id,
        org_id=standard.org_id,
        after={"bound": len(found.fitting), "starts_on": str(starts_on)},
    )
    return BoundRooms.model_validate(
        {
            "id": standard.id,
            "bound": len(found.fitting),
            "skipped": len(found.skips),
            "skips": found.lines(ctx),
        }
    )


async def bind_rooms(
    ctx: Ctx, *, site_id: UUID, standard_id: UUID, room_ids: Sequence[UUID], starts_on: date
) -> int:
    """Let a standard hold for rooms of a site from a day on; answers how many.

    Raises NotFound for a room that is not of the site or not the caller's. The same item twice on
    one room at one time is refused by the database.
    """
    standard = await ctx.get(Standard, standard_id)
    for room_id in room_ids:
        room = await resources.get_room(ctx, room_id)
        ctx.session.add(
            _binding(ctx, site_id, standard, room_id=room.id, meter_id=None, starts_on=starts_on)
        )
    return len(room_ids)


async def bind_meters(
    ctx: Ctx, *, site_id: UUID, standard_id: UUID, meter_ids: Sequence[UUID], starts_on: date
) -> int:
    """Let a metered standard hold for meters, each with the room that it stands for."""
    standard = await ctx.get(Standard, standard_id)
    rooms = await rooms_of_meters(ctx, meter_ids)
    for meter_id in meter_ids:
        room_id = rooms.get(meter_id)
        if room_id is None:
            raise MeterElsewhere(meter_no=str(meter_id))
        ctx.session.add(
            _binding(
                ctx, site_id, standard, room_id=room_id, meter_id=meter_id, starts_on=starts_on
            )
        )
    return len(meter_ids)


async def end_binding(ctx: Ctx, *, binding_id: UUID, ends_on: date, reason: str = "") -> Binding:
    """Let a binding hold until the day before `ends_on`, for example when an owner moves out.

    What is left of the running cycle is billed by the next run that covers its end. Raises
    BindingNotBegun, BindingEnded, and BindingBilledBeyond when a published bill reaches further.
    """
    binding = await ctx.get(Binding, binding_id, lock=True)
    if ends_on <= binding.starts_on:
        raise BindingNotBegun(
            start=binding.starts_on, fields=(FieldError("last_day", "binding-not-begun"),)
        )
    if binding.ends_on is not None and binding.ends_on < ends_on:
        raise BindingEnded(
            last=binding.ends_on - ONE_DAY, fields=(FieldError("last_day", "binding-ended"),)
        )
    billed = await ctx.session.execute(
        select(func.max(col(Bill.period_to))).where(col(Bill.binding_id) == binding.id)
    )
    until = billed.scalar_one()
    if until is not None and until > ends_on:
        raise BindingBilledBeyond(
            last=until - ONE_DAY, fields=(FieldError("last_day", "binding-billed-beyond"),)
        )
    binding.ends_on = ends_on
    binding.version += 1
    await audit.record(
        ctx,
        action="charging.binding.ended",
        subject_kind="charging.binding",
        subject_id=binding.id,
        org_id=binding.org_id,
        after={"ends_on": str(ends_on)},
        reason=reason,
    )
    return binding


async def end_bindings(
    ctx: Ctx, *, binding_ids: Sequence[UUID], ends_on: date, reason: str
) -> BindingsEnded:
    """End many on the same day, all or none. Raises NotFound, and BindingStops with the room and
    the reason of the first one that cannot end then."""
    for binding_id in sorted(set(binding_ids)):
        binding = await ctx.get(Binding, binding_id)
        try:
            await end_binding(ctx, binding_id=binding_id, ends_on=ends_on, reason=reason)
        except (BindingBilledBeyond, BindingNotBegun, BindingEnded) as refused:
            room = await resources.get_room(ctx, binding.room_id)
            why = ctx.texts.error(refused.code, refused.message, refused.params, ctx.door.locale)
            raise BindingStops(
                room=room.full_name, why=why, fields=(FieldError("last_day", "binding-stops"),)
            ) from refused
    return BindingsEnded(ended=len(set(binding_ids)))


async def change_binding(
    ctx: Ctx, *, binding_id: UUID, standard_id: UUID, starts_on: date
) -> Binding:
    """Another standard of the same item from a day on: the old binding ends, a new one begins.

    Raises as `end_binding`, and StandardOfAnother, SameStandard, StandardClosed, PriceNotYet.
    """
    standard = await ctx.get(Standard, standard_id, lock=True)
    held = await ctx.get(Binding, binding_id, lock=True)
    item = await ctx.get(Item, held.item_id)
    if standard.id == held.standard_id:
        raise SameStandard(name=standard.name, fields=(FieldError("standard_id", "same-standard"),))
    if (standard.item_id, standard.org_id) != (held.item_id, held.org_id):
        raise StandardOfAnother(
            name=standard.name,
            item=item.name,
            fields=(FieldError("standard_id", "standard-of-another"),),
        )
    await _refuse_unusable(ctx, standard, starts_on)
    following = held.ends_on
    await end_binding(ctx, binding_id=held.id, ends_on=starts_on)
    await ctx.session.flush()  # the two would overlap if the insert came first
    fresh = _binding(
        ctx,
        held.org_id,
        standard,
        room_id=held.room_id,
        meter_id=held.meter_id,
        starts_on=starts_on,
    )
    fresh.ends_on = following
    ctx.session.add(fresh)
    return fresh


async def _refuse_unusable(ctx: Ctx, standard: Standard, starts_on: date) -> None:
    refuse_disabled(await ctx.get(Item, standard.item_id))
    refuse_closed(standard, on=starts_on)
    first = await ctx.session.execute(
        select(func.min(col(StandardVersion.effective_from))).where(
            col(StandardVersion.standard_id) == standard.id
        )
    )
    begins = first.scalar_one()
    if begins is None or begins > starts_on:
        raise PriceNotYet(
            name=standard.name, first=begins, fields=(FieldError("starts_on", "price-not-yet"),)
        )


def _bind(ctx: Ctx, standard: Standard, one: Candidate, starts_on: date) -> Binding:
    binding = _binding(
        ctx,
        standard.org_id,
        standard,
        room_id=one.room_id,
        meter_id=one.meter_id,
        starts_on=starts_on,
    )
    binding.ends_on = standard.closed_on
    return binding


def _binding(
    ctx: Ctx,
    site_id: UUID,
    standard: Standard,
    *,
    room_id: UUID,
    meter_id: UUID | None,
    starts_on: date,
) -> Binding:
    return Binding(
        **ctx.stamp(site_id),
        standard_id=standard.id,
        item_id=standard.item_id,
        room_id=room_id,
        meter_id=meter_id,
        starts_on=starts_on,
    )
