"""Items, standards with their versions, and what they are bound to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Unprocessable
from cloud.kernel.money import RoundingMode, RoundingStep
from cloud.kernel.periods import ONE_DAY
from cloud.modules.charging.models import (
    AreaBasis,
    Bill,
    Binding,
    Item,
    ItemCategory,
    Method,
    PricePer,
    Proration,
    Standard,
    StandardVersion,
    Timing,
)
from cloud.modules.charging.queries.inputs import rooms_of_meters
from cloud.modules.ledger import queries as ledger
from cloud.modules.resources import queries as resources

RECEIVABLE, REVENUE, TAX, ADVANCE, AGENCY = "1122", "6001", "2221", "2205", "2241"


class VersionNotAfter(Conflict):
    message = "A version from {current} is already in force. The new one must begin after it."


class BindingBilledBeyond(Conflict):
    message = "Bills are published up to {last}. End the binding after that day."


class MeterElsewhere(Conflict):
    message = "Meter {meter_no} does not belong to this room."


class PriceZeroUnexplained(Unprocessable):
    message = "A price of 0 needs its basis: say which resolution or contract sets it."


async def add_item(
    ctx: Ctx,
    *,
    code: str,
    name: str,
    category: ItemCategory,
    is_agency: bool,
    tax_rate: Decimal,
    allocation_priority: int,
    legal_entity_id: UUID,
) -> Item:
    """An item of the company. What is collected for a utility credits its liability, untaxed."""
    accounts = await ledger.account_ids(ctx, RECEIVABLE, REVENUE, TAX, ADVANCE, AGENCY)
    item = Item(
        **ctx.stamp(ctx.principal.company_id),
        code=code,
        name=name,
        category=category,
        is_agency=is_agency,
        tax_rate=tax_rate,
        allocation_priority=allocation_priority,
        legal_entity_id=legal_entity_id,
        receivable_id=accounts[RECEIVABLE],
        revenue_id=accounts[AGENCY if is_agency else REVENUE],
        tax_id=accounts[TAX],
        advance_id=accounts[AGENCY if is_agency else ADVANCE],
    )
    ctx.session.add(item)
    return item


async def add_standard(
    ctx: Ctx,
    *,
    org_id: UUID,
    item_id: UUID,
    code: str,
    name: str,
    method: Method,
    timing: Timing,
    cycle_months: int,
    anchor_on: date,
    due_days: int,
) -> Standard:
    """Raises NotFound for an item that the caller cannot see."""
    item = await ctx.get(Item, item_id)
    standard = Standard(
        **ctx.stamp(org_id),
        item_id=item.id,
        code=code,
        name=name,
        method=method,
        timing=timing,
        cycle_months=cycle_months,
        anchor_on=anchor_on,
        due_days=due_days,
    )
    ctx.session.add(standard)
    await ctx.session.flush()  # versions follow in their own statement, without a relationship
    return standard


async def add_version(
    ctx: Ctx,
    *,
    standard_id: UUID,
    unit_price: Decimal,
    effective_from: date,
    basis: str,
    price_per: PricePer = PricePer.month,
    area_basis: AreaBasis = AreaBasis.chargeable,
    proration: Proration = Proration.actual_month,
    rounding_step: RoundingStep = RoundingStep.cent,
) -> StandardVersion:
    """A new price; the version in force ends the day it begins. Published bills never change.

    Raises VersionNotAfter, PriceZeroUnexplained.
    """
    if unit_price == 0 and not basis:
        raise PriceZeroUnexplained(fields=(FieldError("basis", "missing"),))
    standard = await ctx.get(Standard, standard_id, lock=True)
    latest = (
        await ctx.session.execute(
            select(StandardVersion)
            .where(col(StandardVersion.standard_id) == standard_id)
            .order_by(col(StandardVersion.number).desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    if latest is not None:
        if latest.effective_from >= effective_from:
            raise VersionNotAfter(current=latest.effective_from)
        latest.effective_to = effective_from
        await ctx.session.flush()  # the two versions would overlap if the insert came first
    version = StandardVersion(
        **ctx.stamp(standard.org_id),
        standard_id=standard.id,
        number=latest.number + 1 if latest else 1,
        unit_price=unit_price,
        price_per=price_per,
        area_basis=area_basis,
        proration=proration,
        rounding_step=rounding_step,
        rounding_mode=RoundingMode.half_up,
        effective_from=effective_from,
        basis=basis,
    )
    ctx.session.add(version)
    await audit.record(
        ctx,
        action="charging.standard.priced",
        subject_kind="charging.standard",
        subject_id=standard.id,
        org_id=standard.org_id,
        before={"unit_price": str(latest.unit_price)} if latest else None,
        after={"unit_price": str(unit_price), "effective_from": str(effective_from)},
        reason=basis,
    )
    return version


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


async def end_binding(ctx: Ctx, *, binding_id: UUID, ends_on: date) -> Binding:
    """Let a binding hold until the day before `ends_on`, for example when an owner moves out.

    What is left of the running cycle is billed by the next run that covers its end. Raises
    BindingBilledBeyond when a published bill reaches further.
    """
    binding = await ctx.get(Binding, binding_id, lock=True)
    billed = await ctx.session.execute(
        select(func.max(col(Bill.period_to))).where(col(Bill.binding_id) == binding.id)
    )
    until = billed.scalar_one()
    if until is not None and until > ends_on:
        raise BindingBilledBeyond(last=until - ONE_DAY)
    binding.ends_on = ends_on
    binding.version += 1
    await audit.record(
        ctx,
        action="charging.binding.ended",
        subject_kind="charging.binding",
        subject_id=binding.id,
        org_id=binding.org_id,
        after={"ends_on": str(ends_on)},
    )
    return binding


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
