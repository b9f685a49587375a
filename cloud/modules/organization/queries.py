"""Reads of the organization that every module above stands on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import FieldError, Forbidden, NotFound, Unprocessable
from cloud.kernel.listing import Listing, Sorting, Statement, contains, fetch_page
from cloud.modules.organization.models import LegalEntity, Unit, UnitKind
from cloud.modules.organization.schemas import LegalEntityRead, UnitRead


class ProjectNotYours(Forbidden):
    message = "This community belongs to your company, but you are not assigned to it."


class PickAProject(Unprocessable):
    message = "“{name}” is not a single community. Choose one community first."


async def scope_of(ctx: Ctx, unit_id: UUID | None) -> list[UUID] | None:
    """The units at and below `unit_id` that the viewer works in, None for everything in scope.

    Raises ProjectNotYours for a unit of the company outside the viewer's scope, so that a list is
    never silently empty, and NotFound for one of another company.
    """
    if unit_id is None:
        return None
    below = select(col(Unit.id)).where(col(Unit.id) == unit_id).cte("below", recursive=True)
    below = below.union_all(select(col(Unit.id)).join(below, col(Unit.parent_id) == below.c.id))
    found = list((await ctx.session.execute(select(below.c.id))).scalars())
    mine = ctx.principal.scope
    if found and (mine.all or not mine.write_orgs_apart(found)):
        return found
    await _refuse(ctx, unit_id)
    raise NotFound


async def get_site(ctx: Ctx, site_id: UUID) -> Unit:
    """A project in the viewer's scope. Raises NotFound, ProjectNotYours or PickAProject."""
    unit = await ctx.find(Unit, site_id)
    mine = ctx.principal.scope.all or site_id in ctx.principal.scope.write_orgs
    if unit is None or not mine:
        await _refuse(ctx, site_id)
        raise NotFound
    if unit.kind != UnitKind.project:
        raise PickAProject(name=unit.name, fields=(FieldError("site_id", "pick-a-project"),))
    return unit


async def _refuse(ctx: Ctx, unit_id: UUID) -> None:
    known = func.organization_is_unit(ctx.principal.company_id, unit_id)
    if (await ctx.session.execute(select(known))).scalar_one():
        raise ProjectNotYours


async def units_in_scope(ctx: Ctx) -> list[Unit]:
    """Every unit that the viewer sees, parents before children."""
    result = await ctx.session.execute(
        select(Unit).order_by(
            (col(Unit.kind) != UnitKind.company),
            (col(Unit.kind) != UnitKind.region),
            col(Unit.code),
        )
    )
    return list(result.scalars())


async def list_units(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    parent = aliased(Unit)
    statement: Statement = (
        select(
            col(Unit.id).label("id"),
            col(Unit.parent_id).label("parent_id"),
            col(parent.name).label("parent_name"),
            col(Unit.kind).label("kind"),
            col(Unit.code).label("code"),
            col(Unit.name).label("name"),
            col(Unit.city).label("city"),
        )
        .select_from(Unit)
        .outerjoin(parent, col(parent.id) == col(Unit.parent_id))
    )
    orgs = await scope_of(ctx, listing.site_id)
    if orgs is not None:
        statement = statement.where(col(Unit.id).in_(orgs))
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(or_(col(Unit.name).like(wanted), col(Unit.code).like(wanted)))
    sorting = Sorting(
        by={"code": col(Unit.code), "name": col(Unit.name), "kind": col(Unit.kind)},
        default="code",
        tie=col(Unit.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=UnitRead)


async def list_legal_entities(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    """The company's own, whichever of its units is asked for."""
    await scope_of(ctx, listing.site_id)
    statement: Statement = select(
        col(LegalEntity.id).label("id"),
        col(LegalEntity.name).label("name"),
        col(LegalEntity.tax_number).label("tax_number"),
    )
    if listing.q:
        statement = statement.where(col(LegalEntity.name).like(contains(listing.q)))
    sorting = Sorting(by={"name": col(LegalEntity.name)}, default="name", tie=col(LegalEntity.id))
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=LegalEntityRead)
