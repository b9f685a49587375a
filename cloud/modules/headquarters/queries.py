"""Reads of targets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Label, Uuid, cast, literal, null, select, union_all
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.listing import Listing, Sorting, Statement, contains, fetch_page
from cloud.modules.headquarters.models import Target
from cloud.modules.headquarters.schemas import DashboardRead, TargetRead
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit, UnitState


async def dashboard(ctx: Ctx, code: str) -> DashboardRead:
    """Where it stands; the route has checked that the viewer may open it."""
    return DashboardRead(code=code, path=f"/dashboards/{code}", locale=ctx.door.locale)


async def list_targets(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    """All that were set, and for each unit without one in force the one that it inherits."""
    rows = union_all(_own(), _inherited(ctx)).subquery()
    above = aliased(Unit)
    statement: Statement = (
        select(
            rows,
            col(Unit.name).label("unit_name"),
            col(Unit.kind).label("kind"),
            col(above.name).label("above_name"),
        )
        .select_from(rows)
        .join(Unit, col(Unit.id) == rows.c.unit_id)
        .outerjoin(above, col(above.id) == rows.c.above_id)
    )
    statement = await organization.within(ctx, statement, rows.c.unit_id, listing.site_id)
    if listing.q:
        statement = statement.where(col(Unit.name).like(contains(listing.q)))
    sorting = Sorting(
        by={"month": rows.c.month, "unit_name": col(Unit.name)}, default="-month", tie=rows.c.id
    )
    page = await fetch_page(ctx, statement, listing, sorting=sorting)
    return {**page, "items": [_read(ctx, row) for row in page["items"]]}


def _own() -> Statement:
    return select(
        col(Target.id).label("id"),
        col(Target.org_id).label("unit_id"),
        cast(null(), Uuid()).label("above_id"),
        *_shown(),
    )


def _inherited(ctx: Ctx) -> Statement:
    """As the dashboards find it: the newest of the nearest unit above that has one by this month.

    There is one for each unit at most, so the unit's id stands for the row's.
    """
    places = (
        select(
            col(Unit.id).label("unit_id"),
            col(Unit.id).label("place_id"),
            col(Unit.parent_id).label("parent_id"),
            literal(0).label("steps"),
        )
        .where(col(Unit.state) != UnitState.closed)
        .cte("places", recursive=True)
    )
    above = aliased(Unit)
    places = places.union_all(
        select(places.c.unit_id, col(above.id), col(above.parent_id), places.c.steps + 1).join(
            above, col(above.id) == places.c.parent_id
        )
    )
    in_force = (
        select(places.c.unit_id, places.c.place_id, places.c.steps, *_shown())
        .join(Target, col(Target.org_id) == places.c.place_id)
        .where(col(Target.month) <= ctx.business_on)
        .ext(distinct_on(places.c.unit_id))
        .order_by(places.c.unit_id, places.c.steps, col(Target.month).desc())
        .subquery()
    )
    return select(
        in_force.c.unit_id.label("id"),
        in_force.c.unit_id,
        in_force.c.place_id.label("above_id"),
        *(in_force.c[column.name] for column in _shown()),
    ).where(in_force.c.steps > 0)


def _shown() -> tuple[Label[Any], ...]:
    return tuple(
        col(column).label(key)
        for key, column in (
            ("version", Target.version),
            ("month", Target.month),
            ("current_rate", Target.current_rate),
            ("old_rate", Target.old_rate),
            ("combined_rate", Target.combined_rate),
        )
    )


def _read(ctx: Ctx, row: Any) -> TargetRead:
    above = row["above_name"]
    note = ctx.say("inherited from {unit}", unit=above) if above else None
    return TargetRead(**row, is_own=above is None, inherited_note=note)
