"""Founding a company and adding its units."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict
from cloud.modules.organization.models import LegalEntity, Unit, UnitKind


class ParentClosedToKind(Conflict):
    message = "A {kind} cannot stand below a {parent}."


_PARENT = {
    UnitKind.region: {UnitKind.company},
    UnitKind.project: {UnitKind.region, UnitKind.company},
}


async def found_company(ctx: Ctx, *, code: str, name: str) -> Unit:
    """The root unit; its id is the company's id everywhere, taken from the principal."""
    company_id = ctx.principal.company_id
    await ctx.session.execute(select(func.organization_register_company(company_id)))
    unit = Unit(**ctx.stamp(company_id), id=company_id, kind=UnitKind.company, code=code, name=name)
    ctx.session.add(unit)
    return unit


async def add_unit(
    ctx: Ctx, *, unit_id: UUID, parent_id: UUID, kind: UnitKind, code: str, name: str, city: str
) -> Unit:
    """A region or a project. Raises NotFound for a parent out of scope, ParentClosedToKind."""
    parent = await ctx.get(Unit, parent_id)
    if parent.kind not in _PARENT.get(kind, ()):
        raise ParentClosedToKind(kind=kind.value, parent=parent.kind)
    unit = Unit(
        **ctx.stamp(unit_id),
        id=unit_id,
        kind=kind,
        parent_id=parent_id,
        code=code,
        name=name,
        city=city,
    )
    ctx.session.add(unit)
    await audit.record(
        ctx,
        action="organization.unit.added",
        subject_kind="organization.unit",
        subject_id=unit.id,
        org_id=unit.org_id,
        after={"code": code, "name": name, "kind": kind.value},
    )
    return unit


async def add_legal_entity(ctx: Ctx, *, name: str, tax_number: str) -> LegalEntity:
    entity = LegalEntity(**ctx.stamp(ctx.principal.company_id), name=name, tax_number=tax_number)
    ctx.session.add(entity)
    return entity
