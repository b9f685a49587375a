"""What the search over everything finds: receipts by number."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.listing import Statement, backwards, begins
from cloud.kernel.search import SearchHit, Wanted
from cloud.modules.receiving.models import Receipt
from cloud.modules.resources.models import Space


async def search_receipts(ctx: Ctx, wanted: Wanted) -> list[SearchHit]:
    """Receipts whose number begins with what was typed."""
    if wanted.number is None:
        return []
    statement: Statement = (
        select(
            col(Receipt.id).label("id"),
            col(Receipt.number).label("number"),
            col(Receipt.amount).label("amount"),
            col(Space.full_name).label("room"),
        )
        .select_from(Receipt)
        .join(Space, col(Space.id) == col(Receipt.room_id))
        .where(begins(col(Receipt.number), wanted.number))
        .order_by(backwards(col(Receipt.number)))
        .limit(wanted.limit)
    )
    if wanted.orgs is not None:
        statement = statement.where(col(Receipt.org_id).in_(wanted.orgs))
    found = (await ctx.session.execute(statement)).mappings()
    return [
        SearchHit(
            key=str(row["id"]),
            title=row["number"],
            note=f"{row['room']} · {row['amount']:,.2f}",
            path=f"/p/receiving.receipts?q={row['number']}&id={row['id']}",
        )
        for row in found
    ]
