"""Reads of targets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.listing import Listing, Sorting, Statement, contains, fetch_page
from cloud.modules.headquarters.models import Target
from cloud.modules.headquarters.schemas import DashboardRead, TargetRead
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit


async def dashboard(ctx: Ctx, code: str) -> DashboardRead:
    """Where it stands; the route has checked that the viewer may open it."""
    return DashboardRead(code=code, path=f"/dashboards/{code}", locale=ctx.door.locale)


async def list_targets(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    statement: Statement = (
        select(
            col(Target.id).label("id"),
            col(Target.version).label("version"),
            col(Unit.name).label("unit_name"),
            col(Unit.kind).label("kind"),
            col(Target.month).label("month"),
            col(Target.current_rate).label("current_rate"),
            col(Target.old_rate).label("old_rate"),
            col(Target.combined_rate).label("combined_rate"),
        )
        .select_from(Target)
        .join(Unit, col(Unit.id) == col(Target.org_id))
    )
    statement = await organization.within(ctx, statement, col(Target.org_id), listing.site_id)
    if listing.q:
        statement = statement.where(col(Unit.name).like(contains(listing.q)))
    sorting = Sorting(
        by={"month": col(Target.month), "unit_name": col(Unit.name)},
        default="-month",
        tie=col(Target.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=TargetRead)
