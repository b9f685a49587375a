"""What the search over everything finds: rooms with what they owe, and bills by number."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.listing import Statement, backwards, begins
from cloud.kernel.money import ZERO
from cloud.kernel.search import SearchHit, SearchTag, Wanted
from cloud.kernel.ui.language import Tone
from cloud.modules.charging.models import Bill, Settlement
from cloud.modules.charging.permissions import ChargingPermission
from cloud.modules.charging.queries.bills import open_by_room
from cloud.modules.customers import queries as customers
from cloud.modules.customers.permissions import CustomersPermission
from cloud.modules.resources import queries as resources


async def search_rooms(ctx: Ctx, wanted: Wanted) -> list[SearchHit]:
    """Rooms by path, number or name. Who may, also sees who pays and what is open."""
    rooms = await resources.find_rooms(ctx, wanted.text, orgs=wanted.orgs, limit=wanted.limit)
    ids = [room.id for room in rooms]
    may = ctx.principal.permissions
    sees_bills = ChargingPermission.bill_read in may
    owed = await open_by_room(ctx, ids) if ids and sees_bills else {}
    sees_people = CustomersPermission.party_read in may
    payers = await customers.payers_of_rooms(ctx, ids) if sees_people else {}
    hits = []
    for room in rooms:
        name, phone = payers.get(room.id, ("", ""))
        amount, _ = owed.get(room.id, (ZERO, 0))
        hits.append(
            SearchHit(
                key=str(room.id),
                title=room.full_name,
                note=" · ".join(part for part in (name, phone, room.site_name) if part),
                path=f"/p/receiving.rooms?q={room.path}&id={room.id}",
                tag=_owed(ctx, amount) if sees_bills else None,
            )
        )
    return hits


def _owed(ctx: Ctx, amount: Decimal) -> SearchTag:
    if not amount:
        return SearchTag(label=ctx.say("Owes nothing"), tone=Tone.ok)
    return SearchTag(label=ctx.say("Owes {amount}", amount=f"{amount:,.2f}"), tone=Tone.bad)


async def search_bills(ctx: Ctx, wanted: Wanted) -> list[SearchHit]:
    """Bills whose number begins with what was typed."""
    if wanted.number is None:
        return []
    statement: Statement = (
        select(
            col(Bill.id).label("id"),
            col(Bill.number).label("number"),
            col(Bill.room_name).label("room"),
            col(Bill.payer_name).label("payer"),
            (col(Settlement.amount) - col(Settlement.paid)).label("open"),
        )
        .join(Settlement, col(Settlement.id) == col(Bill.id))
        .where(begins(col(Bill.number), wanted.number))
        .order_by(backwards(col(Bill.number)))
        .limit(wanted.limit)
    )
    if wanted.orgs is not None:
        statement = statement.where(col(Bill.org_id).in_(wanted.orgs))
    found = (await ctx.session.execute(statement)).mappings()
    return [
        SearchHit(
            key=str(row["id"]),
            title=row["number"],
            note=" · ".join(part for part in (row["room"], row["payer"]) if part),
            path=f"/p/charging.bills?q={row['number']}&id={row['id']}",
            tag=_owed(ctx, row["open"]),
        )
        for row in found
    ]
