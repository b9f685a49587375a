"""Lists of items, standards and bindings."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, case, or_, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.listing import Listing, Sorting, Statement, contains, fetch_page
from cloud.modules.charging.models import Binding, Item, Standard, StandardVersion
from cloud.modules.charging.schemas import BindingRead, Choice, Choices, ItemRead, StandardRead
from cloud.modules.metering.models import Meter
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import LegalEntity, Unit
from cloud.modules.resources.models import Space

CHOICES_MAX = 50


async def list_items(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    """The company's own, whichever of its units is asked for."""
    await organization.scope_of(ctx, listing.site_id)
    statement: Statement = (
        select(
            col(Item.id).label("id"),
            col(Item.code).label("code"),
            col(Item.name).label("name"),
            col(Item.category).label("category"),
            case((col(Item.is_agency), "agency"), else_="own").label("agency"),
            col(Item.tax_rate).label("tax_rate"),
            col(LegalEntity.name).label("legal_entity"),
        )
        .select_from(Item)
        .join(LegalEntity, col(LegalEntity.id) == col(Item.legal_entity_id))
    )
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(or_(col(Item.name).like(wanted), col(Item.code).like(wanted)))
    sorting = Sorting(
        by={"code": col(Item.code), "name": col(Item.name)}, default="code", tie=col(Item.id)
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=ItemRead)


async def item_choices(ctx: Ctx, q: str) -> Choices:
    """Items for a form's field, by code."""
    found = await ctx.session.execute(
        select(col(Item.id), col(Item.name))
        .where(col(Item.name).like(contains(q)))
        .order_by(col(Item.code))
        .limit(CHOICES_MAX)
    )
    return Choices(items=[Choice(value=str(row.id), label=row.name) for row in found])


async def list_standards(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    """Standards with the version that is in force today."""
    today = ctx.business_on
    current = and_(
        col(StandardVersion.standard_id) == col(Standard.id),
        col(StandardVersion.effective_from) <= today,
        or_(col(StandardVersion.effective_to).is_(None), col(StandardVersion.effective_to) > today),
    )
    statement: Statement = (
        select(
            col(Standard.id).label("id"),
            col(Standard.code).label("code"),
            col(Standard.name).label("name"),
            col(Item.name).label("item_name"),
            col(Unit.name).label("site_name"),
            col(Standard.method).label("method"),
            col(Standard.timing).label("timing"),
            col(Standard.cycle_months).label("cycle_months"),
            col(StandardVersion.unit_price).label("unit_price"),
            col(StandardVersion.number).label("version_number"),
            col(StandardVersion.effective_from).label("effective_from"),
            col(Standard.due_days).label("due_days"),
        )
        .select_from(Standard)
        .join(Item, col(Item.id) == col(Standard.item_id))
        .join(Unit, col(Unit.id) == col(Standard.org_id))
        .outerjoin(StandardVersion, current)
    )
    orgs = await organization.scope_of(ctx, listing.site_id)
    if orgs is not None:
        statement = statement.where(col(Standard.org_id).in_(orgs))
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(Standard.name).like(wanted), col(Standard.code).like(wanted))
        )
    sorting = Sorting(
        by={"code": col(Standard.code), "name": col(Standard.name)},
        default="code",
        tie=col(Standard.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=StandardRead)


async def list_bindings(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    statement: Statement = (
        select(
            col(Binding.id).label("id"),
            col(Unit.name).label("site_name"),
            col(Space.full_name).label("room_name"),
            col(Item.name).label("item_name"),
            col(Standard.name).label("standard_name"),
            col(Meter.no).label("meter_no"),
            col(Binding.starts_on).label("starts_on"),
            (col(Binding.ends_on) - 1).label("ends_on"),
        )
        .select_from(Binding)
        .join(Unit, col(Unit.id) == col(Binding.org_id))
        .join(
            Space,
            and_(col(Space.org_id) == col(Binding.org_id), col(Space.id) == col(Binding.room_id)),
        )
        .join(Item, col(Item.id) == col(Binding.item_id))
        .join(Standard, col(Standard.id) == col(Binding.standard_id))
        .outerjoin(Meter, col(Meter.id) == col(Binding.meter_id))
    )
    orgs = await organization.scope_of(ctx, listing.site_id)
    if orgs is not None:
        statement = statement.where(col(Binding.org_id).in_(orgs))
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(Space.full_name).like(wanted), col(Space.path).like(wanted))
        )
    sorting = Sorting(
        by={"room_name": col(Space.sort_key), "starts_on": col(Binding.starts_on)},
        default="room_name",
        tie=col(Binding.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=BindingRead)
