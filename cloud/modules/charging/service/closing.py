"""What must be settled before a community is given back."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict
from cloud.modules.charging.models import Settlement
from cloud.modules.organization.events import UnitClosing


class SiteWithOpenBills(Conflict):
    message = (
        "“{name}” still has {count} unpaid bills, {amount} in total. Collect or reverse them first."
    )


async def refuse_site_with_open_bills(ctx: Ctx, event: UnitClosing) -> None:
    """Raises SiteWithOpenBills."""
    open_bills = select(
        func.count(), func.coalesce(func.sum(col(Settlement.amount) - col(Settlement.paid)), 0)
    ).where(col(Settlement.org_id) == event.unit_id, col(Settlement.paid) < col(Settlement.amount))
    count, amount = (await ctx.session.execute(open_bills)).one()
    if count:
        raise SiteWithOpenBills(name=event.name, count=count, amount=amount)
