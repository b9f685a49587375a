"""Room 360: who was in a room, what it owes and paid, its meters, and what happened to it."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, func, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.money import ZERO
from cloud.kernel.periods import ONE_DAY, Period, add_months
from cloud.kernel.ui.language import Tone
from cloud.modules.charging.models import Bill, Binding, Item, Settlement, Standard
from cloud.modules.charging.queries.runs import closed
from cloud.modules.charging.rules import BILL_LABELS, BINDING_LABELS
from cloud.modules.customers import queries as customers
from cloud.modules.customers.queries import RoleState
from cloud.modules.metering import queries as metering
from cloud.modules.metering.models import Meter, MeterKind, MeterState
from cloud.modules.metering.queries.records import meter_rows
from cloud.modules.metering.rules import METER_KIND_LABELS, METER_STATE_LABELS
from cloud.modules.organization.models import Unit
from cloud.modules.receiving.models import Receipt, ReceiptState
from cloud.modules.receiving.queries.counter import accounts_of_room
from cloud.modules.receiving.queries.methods import names_of_methods
from cloud.modules.receiving.queries.receipts import is_reversed
from cloud.modules.receiving.rules import STATE_LABELS
from cloud.modules.receiving.schemas import (
    BillOfRoom,
    BindingOfRoom,
    EventOfRoom,
    MeterInRoom,
    MonthOfMeter,
    PersonOfRoom,
    ReceiptOfRoom,
    RoomFacts,
    RoomProfile,
    Shown,
    VehicleOfRoom,
)
from cloud.modules.resources import queries as resources
from cloud.modules.resources.models import PATH_SEPARATOR, Room, Space
from cloud.modules.resources.queries import RoomOfSite
from cloud.modules.resources.rules import EVENT_LABELS, USAGE_LABELS
from cloud.modules.resources.rules import STATE_LABELS as ROOM_LABELS
from cloud.modules.vehicles import queries as vehicles
from cloud.modules.vehicles.models import PlateType
from cloud.modules.vehicles.permissions import VehiclesPermission
from cloud.modules.vehicles.rules import PLATE_TYPE_LABELS

BILLS_MAX = 200
RECEIPTS_MAX = 50
BINDINGS_MAX = 100
METERS_MAX = 20
MONTHS = 12


async def room_profile(ctx: Ctx, room_id: UUID) -> RoomProfile:
    """The whole of one room. Raises NotFound."""
    room = await resources.get_room(ctx, room_id)
    people = await customers.people_of_room(ctx, room_id)
    payers = [one.name for one in people.items if one.is_payer and one.state == RoleState.holds]
    open_total, overdue = await _owed(ctx, room_id)
    held = await accounts_of_room(ctx, room_id)
    return RoomProfile(
        room=await _facts(ctx, room, payers[0] if payers else ""),
        people=[PersonOfRoom.model_validate(one) for one in people.items],
        open_total=open_total,
        overdue=overdue,
        bills=await _bills(ctx, room_id),
        receipts=await _receipts(ctx, room_id),
        prepaid=held.accounts,
        deposits=held.deposits,
        meters=await _meters(ctx, room_id),
        bindings=await bindings_of_room(ctx, room_id),
        vehicles=await _vehicles(ctx, room_id),
        events=[
            EventOfRoom(
                kind=_shown(ctx, event.kind.value, EVENT_LABELS[event.kind]),
                happened_on=event.happened_on,
                note=event.note,
                who=event.who,
            )
            for event in await resources.events_of_room(ctx, room_id)
        ],
    )


def _shown(ctx: Ctx, value: str, label: tuple[str, Tone]) -> Shown:
    return Shown(value=value, label=ctx.say(label[0]), tone=label[1])


async def _facts(ctx: Ctx, found: RoomOfSite, payer: str) -> RoomFacts:
    site = await ctx.find(Unit, found.site_id)
    room = await ctx.get(Room, found.id)
    building = await ctx.session.execute(
        select(col(Space.id)).where(
            col(Space.org_id) == found.site_id,
            col(Space.path) == found.path.split(PATH_SEPARATOR, maxsplit=1)[0],
        )
    )
    if site is None:
        raise NotFound
    return RoomFacts(
        id=found.id,
        name=found.full_name,
        code=found.path,
        site_id=found.site_id,
        site_name=site.name,
        building_id=building.scalar_one(),
        floor=room.floor,
        usage=ctx.say(USAGE_LABELS[found.usage][0]),
        state=_shown(ctx, found.state.value, ROOM_LABELS[found.state]),
        building_area=room.building_area,
        inner_area=room.inner_area,
        chargeable_area=room.chargeable_area,
        payer_name=payer,
    )


async def _owed(ctx: Ctx, room_id: UUID) -> tuple[Any, Any]:
    left = col(Settlement.amount) - col(Settlement.paid)
    found = await ctx.session.execute(
        select(
            func.coalesce(func.sum(left), ZERO),
            func.coalesce(func.sum(left).filter(col(Bill.due_on) < ctx.business_on), ZERO),
        )
        .select_from(Bill)
        .join(Settlement, col(Settlement.id) == col(Bill.id))
        .where(col(Bill.room_id) == room_id)
    )
    open_total, overdue = found.one()
    return open_total, overdue


async def _bills(ctx: Ctx, room_id: UUID) -> list[BillOfRoom]:
    """What is open first, oldest due first; then what was paid, newest first."""
    is_open = col(Settlement.paid) < col(Settlement.amount)
    found = await ctx.session.execute(
        select(Bill, Settlement, col(Item.name))
        .join(Settlement, col(Settlement.id) == col(Bill.id))
        .join(Item, col(Item.id) == col(Bill.item_id))
        .where(col(Bill.room_id) == room_id)
        .order_by(
            is_open.desc(),
            case((is_open, col(Bill.due_on))),
            col(Bill.due_on).desc(),
            col(Bill.number),
        )
        .limit(BILLS_MAX)
    )
    return [_bill(ctx, bill, settlement, item) for bill, settlement, item in found]


def _bill(ctx: Ctx, bill: Bill, settlement: Settlement, item: str) -> BillOfRoom:
    left = settlement.amount - settlement.paid
    late = max(0, (ctx.business_on - bill.due_on).days) if left else 0
    state = (
        "paid" if not left else "overdue" if late else "partial" if settlement.paid else "unpaid"
    )
    return BillOfRoom(
        id=bill.id,
        number=bill.number,
        item_name=item,
        period=closed(bill.period_from, bill.period_to),
        amount=settlement.amount,
        open=left,
        due_on=bill.due_on,
        overdue_days=late,
        state=_shown(ctx, state, BILL_LABELS[state]),
    )


async def _receipts(ctx: Ctx, room_id: UUID) -> list[ReceiptOfRoom]:
    names = await names_of_methods(ctx)
    found = await ctx.session.execute(
        select(Receipt, is_reversed().label("is_reversed"))
        .where(col(Receipt.room_id) == room_id)
        .order_by(col(Receipt.created_at).desc(), col(Receipt.id).desc())
        .limit(RECEIPTS_MAX)
    )
    receipts = []
    for receipt, reversed_ in found:
        state = ReceiptState.reversed if reversed_ else ReceiptState.received
        state = ReceiptState.reversal if receipt.reverses_id else state
        receipts.append(
            ReceiptOfRoom(
                id=receipt.id,
                number=receipt.number,
                received_at=receipt.created_at,
                method_name=names.get(receipt.method, receipt.method),
                amount=receipt.amount,
                state=_shown(ctx, state.value, STATE_LABELS[state]),
            )
        )
    return receipts


async def _meters(ctx: Ctx, room_id: UUID) -> list[MeterInRoom]:
    statement, _ = meter_rows()
    found = await ctx.session.execute(
        statement.where(col(Meter.room_id) == room_id).order_by(col(Meter.no)).limit(METERS_MAX)
    )
    rows = found.mappings().all()
    zone = ZoneInfo(ctx.principal.time_zone)
    used = await _months(ctx, [row["id"] for row in rows])
    return [
        MeterInRoom(
            id=row["id"],
            no=row["no"],
            kind=_shown(ctx, row["kind"], METER_KIND_LABELS[MeterKind(row["kind"])]),
            unit=row["unit"],
            state=_shown(ctx, row["state"], METER_STATE_LABELS[MeterState(row["state"])]),
            last_value=row["last_value"],
            last_on=row["last_read_at"].astimezone(zone).date() if row["last_read_at"] else None,
            months=used[row["id"]],
        )
        for row in rows
    ]


async def _months(ctx: Ctx, meter_ids: list[UUID]) -> dict[UUID, list[MonthOfMeter]]:
    """The twelve whole months before this one, oldest first."""
    used: dict[UUID, list[MonthOfMeter]] = {meter_id: [] for meter_id in meter_ids}
    if not meter_ids:
        return used
    this_month = ctx.business_on.replace(day=1)
    for back in range(MONTHS, 0, -1):
        start = add_months(this_month, -back)
        period = Period(start, add_months(start, 1))
        usages = await metering.usage_for_period(ctx, meter_ids=meter_ids, period=period)
        for meter_id, months in used.items():
            months.append(MonthOfMeter(month=f"{start:%Y-%m}", usage=usages[meter_id].usage))
    return used


async def _vehicles(ctx: Ctx, room_id: UUID) -> list[VehicleOfRoom]:
    if VehiclesPermission.vehicle_read not in ctx.principal.permissions:
        return []
    return [
        VehicleOfRoom(
            id=one.id,
            plate=one.plate,
            plate_type=_shown(ctx, one.plate_type, PLATE_TYPE_LABELS[PlateType(one.plate_type)]),
            party_name=one.party_name,
            brand=one.brand,
            color=one.color,
        )
        for one in await vehicles.vehicles_of_room(ctx, room_id)
    ]


async def bindings_of_room(ctx: Ctx, room_id: UUID) -> list[BindingOfRoom]:
    found = await ctx.session.execute(
        select(
            Binding,
            col(Item.name),
            col(Standard.name),
            func.coalesce(col(Meter.no), ""),
        )
        .join(Item, col(Item.id) == col(Binding.item_id))
        .join(Standard, col(Standard.id) == col(Binding.standard_id))
        .outerjoin(
            Meter,
            and_(col(Meter.org_id) == col(Binding.org_id), col(Meter.id) == col(Binding.meter_id)),
        )
        .where(col(Binding.room_id) == room_id)
        .order_by(col(Binding.ends_on).is_not(None), col(Binding.starts_on).desc(), col(Binding.id))
        .limit(BINDINGS_MAX)
    )
    return [
        BindingOfRoom(
            id=binding.id,
            item_name=item,
            standard_name=standard,
            meter_no=meter_no,
            starts_on=binding.starts_on,
            last_on=binding.ends_on - ONE_DAY if binding.ends_on else None,
            state=_binding_state(ctx, binding, ctx.business_on),
        )
        for binding, item, standard, meter_no in found
    ]


def _binding_state(ctx: Ctx, binding: Binding, today: date) -> Shown:
    state = "holding"
    if binding.starts_on > today:
        state = "upcoming"
    elif binding.ends_on is not None and binding.ends_on <= today:
        state = "ended"
    return _shown(ctx, state, BINDING_LABELS[state])
