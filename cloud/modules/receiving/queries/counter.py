"""Reads of the counter: finding a room, what it owes, and the viewer's own day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import FieldError, NotFound, PermissionMissing
from cloud.kernel.money import ZERO
from cloud.modules.charging import queries as charging
from cloud.modules.charging.models import Bill, Item
from cloud.modules.charging.queries import OpenBill
from cloud.modules.charging.queries.runs import closed
from cloud.modules.customers import queries as customers
from cloud.modules.customers.models import Party
from cloud.modules.customers.rules import ROLE_LABELS
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import LegalEntity, Unit
from cloud.modules.receiving.models import (
    Deposit,
    DepositItem,
    MethodKind,
    PrepaidAccount,
    Receipt,
)
from cloud.modules.receiving.queries.methods import (
    method_name,
    methods_at_counter,
    names_of_methods,
)
from cloud.modules.receiving.queries.receipts import is_reversed
from cloud.modules.receiving.schemas import (
    Accounts,
    BillAtCounter,
    CounterRoom,
    DepositAtCounter,
    DepositItemAtCounter,
    Desk,
    Hit,
    Hits,
    MethodAtCounter,
    PartyAtCounter,
    PrepaidAtCounter,
    RecentReceipt,
    RoomAtCounter,
    Shown,
)
from cloud.modules.resources import queries as resources
from cloud.modules.resources.models import Space
from cloud.modules.resources.rules import STATE_LABELS, USAGE_LABELS
from cloud.modules.vehicles import queries as vehicles
from cloud.modules.vehicles.permissions import VehiclesPermission

HITS_MAX = 20
RECENT_MAX = 10


class SearchBy(StrEnum):
    all = "all"
    room = "room"
    owner = "owner"
    phone = "phone"
    plate = "plate"


async def search_rooms(ctx: Ctx, *, q: str, by: SearchBy, site_id: UUID | None) -> Hits:
    """Rooms whose number, whose people's name or phone, or whose vehicle's plate begins with `q`;
    at most 20.

    Raises ProjectNotYours for a community that is not the viewer's, and PermissionMissing when
    asked for plates that the caller may not see.
    """
    orgs = await organization.scope_of(ctx, site_id)
    if not q:
        return Hits(items=[])
    plates = await _by_plate(ctx, q, by, orgs)
    room_ids = list(dict.fromkeys([*await _found(ctx, q, by, orgs), *plates]))[:HITS_MAX]
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
                plate=plates.get(room_id, ""),
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
    return found


async def _by_plate(ctx: Ctx, q: str, by: SearchBy, orgs: Sequence[UUID] | None) -> dict[UUID, str]:
    if by not in {SearchBy.all, SearchBy.plate}:
        return {}
    if VehiclesPermission.vehicle_read not in ctx.principal.permissions:
        if by == SearchBy.plate:
            raise PermissionMissing(permission=VehiclesPermission.vehicle_read.value)
        return {}
    return await vehicles.find_rooms_of(ctx, q, orgs=orgs, limit=HITS_MAX)


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
        balance=await accounts_of_room(ctx, room_id),
    )


def _bill(ctx: Ctx, bill: OpenBill) -> BillAtCounter:
    return BillAtCounter(
        id=bill.id,
        item_id=bill.item_id,
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
    names = await names_of_methods(ctx)
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
            method_label=names.get(receipt.method, receipt.method),
            amount=receipt.amount,
            reversed=reversed_,
        )
        for receipt, reversed_ in found
    ]


async def accounts_of_room(ctx: Ctx, room_id: UUID) -> Accounts:
    """What is held for a room: prepayments and deposits with money left."""
    found = await ctx.session.execute(
        select(PrepaidAccount, col(Item.name), col(Party.name))
        .join(Party, col(Party.id) == col(PrepaidAccount.party_id))
        .outerjoin(Item, col(Item.id) == col(PrepaidAccount.item_id))
        .where(col(PrepaidAccount.room_id) == room_id, col(PrepaidAccount.balance) > ZERO)
        .order_by(col(PrepaidAccount.item_id).is_not(None), col(PrepaidAccount.id))
    )
    accounts = [
        PrepaidAtCounter(
            id=account.id,
            item_id=account.item_id,
            item_name=item or ctx.say("Any charge"),
            party_name=party,
            balance=account.balance,
        )
        for account, item, party in found
    ]
    held = await ctx.session.execute(
        select(Deposit, col(DepositItem.name))
        .join(DepositItem, col(DepositItem.id) == col(Deposit.item_id))
        .where(col(Deposit.room_id) == room_id, col(Deposit.balance) > ZERO)
        .order_by(col(Deposit.business_on), col(Deposit.id))
    )
    return Accounts(
        prepaid=sum((one.balance for one in accounts), ZERO) if accounts else None,
        accounts=accounts,
        deposits=[
            DepositAtCounter(
                id=deposit.id,
                item_name=item,
                party_name=deposit.party_name,
                balance=deposit.balance,
            )
            for deposit, item in held
        ],
    )


async def read_desk(ctx: Ctx) -> Desk:
    """The methods, the kinds of deposits, and the items that money may be kept for."""
    methods = await methods_at_counter(ctx)
    deposit_items = await ctx.session.execute(
        select(DepositItem).where(col(DepositItem.is_active)).order_by(col(DepositItem.code))
    )
    items = await charging.item_choices(ctx, "")
    return Desk(
        methods=[
            MethodAtCounter(
                code=method.code,
                name=method_name(ctx, method.code, method.name),
                kind=MethodKind(method.kind),
            )
            for method in methods
        ],
        deposit_items=[
            DepositItemAtCounter(id=item.id, name=item.name, usual_amount=item.usual_amount)
            for item in deposit_items.scalars()
        ],
        items=items.items,
    )


@dataclass(frozen=True)
class PayerAndEntity:
    """Who pays for a room today, and whose money it would be; None where nobody can say."""

    payer_id: UUID | None
    legal_entity_id: UUID | None


async def payer_and_entity(
    ctx: Ctx, *, room_id: UUID, site_id: UUID, item_id: UUID | None
) -> PayerAndEntity:
    """For money that pays no bill. Raises NotFound for an item out of scope.

    The legal entity is that of the item, else of the room's last bill, else the company's only one.
    """
    payers = await customers.payers_on(ctx, site_id, ctx.business_on, room_ids=[room_id])
    payer_id = payers[room_id][0] if room_id in payers else None
    if item_id is not None:
        item = await ctx.find(Item, item_id)
        if item is None:
            raise NotFound(fields=(FieldError("prepay.item_id", "not-found"),))
        return PayerAndEntity(payer_id, item.legal_entity_id)
    last = await ctx.session.execute(
        select(col(Bill.legal_entity_id))
        .where(col(Bill.room_id) == room_id)
        .order_by(col(Bill.issued_on).desc(), col(Bill.id).desc())
        .limit(1)
    )
    entity_id = last.scalar_one_or_none()
    if entity_id is None:
        all_of_them = await ctx.session.execute(select(col(LegalEntity.id)).limit(2))
        known = list(all_of_them.scalars())
        entity_id = known[0] if len(known) == 1 else None
    return PayerAndEntity(payer_id, entity_id)
