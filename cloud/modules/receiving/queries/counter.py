"""Reads of the counter: finding a room, what it owes, and the viewer's own day."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.money import ZERO
from cloud.modules.charging import queries as charging
from cloud.modules.charging.queries import OpenBill
from cloud.modules.charging.queries.runs import closed
from cloud.modules.customers import queries as customers
from cloud.modules.customers.rules import ROLE_LABELS
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit
from cloud.modules.receiving.models import Method, Receipt
from cloud.modules.receiving.rules import METHOD_LABELS
from cloud.modules.receiving.schemas import (
    Accounts,
    BillAtCounter,
    CounterRoom,
    Hit,
    Hits,
    PartyAtCounter,
    RecentReceipt,
    RoomAtCounter,
    Shift,
    Shown,
)
from cloud.modules.resources import queries as resources
from cloud.modules.resources.models import Space
from cloud.modules.resources.rules import STATE_LABELS, USAGE_LABELS

HITS_MAX = 20
RECENT_MAX = 10


class SearchBy(StrEnum):
    all = "all"
    room = "room"
    owner = "owner"
    phone = "phone"


async def search_rooms(ctx: Ctx, *, q: str, by: SearchBy, site_id: UUID | None) -> Hits:
    """Rooms whose number, or whose people's name or phone, begins with `q`; at most 20.

    Raises ProjectNotYours for a community that is not the viewer's.
    """
    orgs = await organization.scope_of(ctx, site_id)
    if not q:
        return Hits(items=[])
    room_ids = (await _found(ctx, q, by, orgs))[:HITS_MAX]
    open_by_room = await charging.open_by_room(ctx, room_ids)
    payers = await customers.payers_of_rooms(ctx, room_ids)
    found = await ctx.session.execute(
        select(Space, col(Unit.name))
        .join(Unit, col(Unit.id) == col(Space.org_id))
        .where(col(Space.id).in_(room_ids))
    )
    spaces = {space.id: (space, site_name) for space, site_name in found}
    hits = []
    for room_id in room_ids:
        space, site_name = spaces[room_id]
        name, phone_masked = payers.get(room_id, ("", ""))
        amount, bills = open_by_room.get(room_id, (ZERO, 0))
        hits.append(
            Hit(
                room_id=room_id,
                room_name=space.full_name,
                room_code=space.path,
                site_id=space.org_id,
                site_name=site_name,
                payer_name=name,
                phone_masked=phone_masked,
                open=amount,
                bills=bills,
            )
        )
    return Hits(items=hits)


async def _found(ctx: Ctx, q: str, by: SearchBy, orgs: Sequence[UUID] | None) -> list[UUID]:
    found: list[UUID] = []
    if by in {SearchBy.all, SearchBy.room}:
        rooms = await resources.find_rooms(ctx, q, orgs=orgs, limit=HITS_MAX)
        found += [room.id for room in rooms]
    if by in {SearchBy.all, SearchBy.owner}:
        found += await customers.find_rooms_of(ctx, q, by="name", orgs=orgs, limit=HITS_MAX)
    if by in {SearchBy.all, SearchBy.phone}:
        found += await customers.find_rooms_of(ctx, q, by="phone", orgs=orgs, limit=HITS_MAX)
    return list(dict.fromkeys(found))


async def counter_room(ctx: Ctx, room_id: UUID) -> CounterRoom:
    """One room at the counter: its people, its open bills, its last receipts. Raises NotFound."""
    room = await resources.get_room(ctx, room_id)
    site = await ctx.find(Unit, room.site_id)
    if site is None:
        raise NotFound
    bills = await charging.open_bills_of_room(ctx, room_id)
    label, tone = STATE_LABELS[room.state]
    return CounterRoom(
        room=RoomAtCounter(
            id=room.id,
            name=room.full_name,
            code=room.path,
            site_id=room.site_id,
            site_name=site.name,
            area=room.chargeable_area,
            usage=ctx.say(USAGE_LABELS[room.usage][0]),
            state=Shown(value=room.state.value, label=ctx.say(label), tone=tone),
        ),
        parties=[
            PartyAtCounter(
                id=party.party_id,
                name=party.name,
                role=ctx.say(ROLE_LABELS[party.role][0]),
                phone_masked=party.phone_masked,
            )
            for party in await customers.parties_of_room(ctx, room_id)
        ],
        bills=[_bill(ctx, bill) for bill in bills],
        open_total=sum((bill.open for bill in bills), ZERO),
        recent=await _recent(ctx, room_id),
        balance=Accounts(prepaid=None),
    )


def _bill(ctx: Ctx, bill: OpenBill) -> BillAtCounter:
    return BillAtCounter(
        id=bill.id,
        number=bill.number,
        item_name=bill.item_name,
        note=bill.note,
        period=closed(bill.period_from, bill.period_to),
        amount=bill.amount,
        paid=bill.paid,
        open=bill.open,
        due_on=bill.due_on,
        overdue_days=max(0, (ctx.business_on - bill.due_on).days),
        version=bill.version,
    )


async def _recent(ctx: Ctx, room_id: UUID) -> list[RecentReceipt]:
    found = await ctx.session.execute(
        select(Receipt, is_reversed().label("is_reversed"))
        .where(col(Receipt.room_id) == room_id, col(Receipt.reverses_id).is_(None))
        .order_by(col(Receipt.created_at).desc(), col(Receipt.id).desc())
        .limit(RECENT_MAX)
    )
    return [
        RecentReceipt(
            id=receipt.id,
            number=receipt.number,
            received_at=receipt.created_at,
            method=receipt.method,
            method_label=ctx.say(METHOD_LABELS[Method(receipt.method)][0]),
            amount=receipt.amount,
            reversed=reversed_,
        )
        for receipt, reversed_ in found
    ]


def is_reversed() -> Any:
    """Whether the receipt of the surrounding row has its linked opposite."""
    opposite = aliased(Receipt)
    return exists().where(col(opposite.reverses_id) == col(Receipt.id)).correlate(Receipt)


async def read_shift(ctx: Ctx) -> Shift:
    """What the viewer received today. A reversal of today takes its amount off again."""
    cash = func.sum(col(Receipt.amount)).filter(col(Receipt.method) == Method.cash)
    kept = func.count().filter(col(Receipt.reverses_id).is_(None), ~is_reversed())
    found = await ctx.session.execute(
        select(
            kept,
            func.coalesce(func.sum(col(Receipt.amount)), ZERO),
            func.coalesce(cash, ZERO),
        ).where(
            col(Receipt.created_by) == ctx.principal.id,
            col(Receipt.business_on) == ctx.business_on,
        )
    )
    count, received, in_cash = found.one()
    return Shift(count=count, received=received, cash=in_cash)
