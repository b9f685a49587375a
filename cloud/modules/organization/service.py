"""Founding a company, and its tree over time: added, renamed, moved, opened and closed.

Scopes are computed from the tree at every request, so a move holds from the next one on.
"""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Forbidden, Unprocessable
from cloud.modules.organization.events import DepartmentClosing, UnitClosing
from cloud.modules.organization.models import (
    Department,
    LegalEntity,
    Placement,
    Unit,
    UnitKind,
    UnitState,
)


class ParentClosedToKind(Conflict):
    message = "A {kind} cannot stand below a {parent}."


class HeadquartersOnly(Forbidden):
    message = "This concerns the whole company. Ask somebody who works for headquarters."


class UnitNotYours(Forbidden):
    message = "“{name}” is above or beside what you manage. Ask somebody who manages it."


class UnitNotInState(Conflict):
    message = "“{name}” is {state}, so this cannot be done. Reload to see where it stands."


class UnitClosed(Conflict):
    message = "“{name}” is closed. Choose one that is open."


class UnitNotEmpty(Conflict):
    message = (
        "“{name}” still has {units} open units and {departments} open departments below it."
        " Close or move them first."
    )


class CompanyStays(Conflict):
    message = "The company itself cannot be closed or moved."


class DateAhead(Unprocessable):
    message = "{on} has not come yet. Give the day on which it happened, today at the latest."


class AlreadyThere(Conflict):
    message = "“{name}” already stands below “{parent}”."


class DepartmentClosed(Conflict):
    message = "“{name}” is closed. Choose one that is open."


class TaxNumberWrong(Unprocessable):
    message = "A tax number has 15 to 20 digits and capital letters."


_TAX_NUMBER = re.compile(r"[0-9A-Z]{15,20}")
_PARENT = {
    UnitKind.region: {UnitKind.company},
    UnitKind.project: {UnitKind.region, UnitKind.company},
}


def require_headquarters(ctx: Ctx) -> None:
    """Raises HeadquartersOnly for who works in a part of the company."""
    if not ctx.principal.scope.all:
        raise HeadquartersOnly


def manages(ctx: Ctx, unit_id: UUID) -> bool:
    """Whether the unit is in what the caller may write."""
    return ctx.principal.scope.all or unit_id in ctx.principal.scope.write_orgs


async def get_own_unit(
    ctx: Ctx, unit_id: UUID, *, lock: bool = False, version: int | None = None
) -> Unit:
    """A unit that the caller manages. Raises NotFound, UnitNotYours and StaleVersion."""
    unit = await ctx.get(Unit, unit_id)
    if not manages(ctx, unit_id):
        raise UnitNotYours(name=unit.name)
    return await ctx.get(Unit, unit_id, lock=lock, version=version)


async def found_company(ctx: Ctx, *, code: str, name: str) -> Unit:
    """The root unit; its id is the company's id everywhere, taken from the principal."""
    company_id = ctx.principal.company_id
    await ctx.session.execute(select(func.organization_register_company(company_id)))
    unit = Unit(**ctx.stamp(company_id), id=company_id, kind=UnitKind.company, code=code, name=name)
    ctx.session.add(unit)
    return unit


async def add_unit(
    ctx: Ctx,
    *,
    unit_id: UUID,
    parent_id: UUID,
    kind: UnitKind,
    code: str,
    name: str,
    city: str,
    state: UnitState = UnitState.active,
) -> Unit:
    """A region or a project. Raises NotFound for a parent out of scope, ParentClosedToKind,
    UnitClosed and HeadquartersOnly."""
    parent = await ctx.get(Unit, parent_id)
    _check_parent(kind, parent)
    require_headquarters(ctx)
    unit = Unit(
        **ctx.stamp(unit_id),
        id=unit_id,
        kind=kind,
        parent_id=parent_id,
        code=code,
        name=name,
        city=city,
        state=state,
        opened_on=ctx.business_on if state == UnitState.active else None,
    )
    ctx.session.add(unit)
    await ctx.session.flush()  # the placement points at it, without a relationship
    _place(ctx, unit, parent_id)
    await audit.record_on(
        ctx, unit, "organization.unit.added", after={"code": code, "name": name, "kind": kind.value}
    )
    return unit


def _check_parent(kind: UnitKind, parent: Unit) -> None:
    if parent.kind not in _PARENT.get(kind, ()):
        raise ParentClosedToKind(kind=kind.value, parent=parent.kind)
    if parent.state == UnitState.closed:
        raise UnitClosed(name=parent.name, fields=(FieldError("parent_id", "unit-closed"),))


def _place(ctx: Ctx, unit: Unit, parent_id: UUID) -> None:
    ctx.session.add(
        Placement(
            **ctx.stamp(unit.id), unit_id=unit.id, parent_id=parent_id, valid_from=ctx.business_on
        )
    )


async def change_unit(ctx: Ctx, *, unit_id: UUID, version: int, name: str, city: str) -> Unit:
    """Rename a unit. Raises NotFound, UnitNotYours and StaleVersion."""
    unit = await get_own_unit(ctx, unit_id, lock=True, version=version)
    before = {"name": unit.name, "city": unit.city}
    unit.name = name
    unit.city = city
    unit.version += 1
    await audit.record_on(
        ctx, unit, "organization.unit.changed", before=before, after={"name": name, "city": city}
    )
    return unit


async def move_unit(ctx: Ctx, *, unit_id: UUID, parent_id: UUID) -> Unit:
    """Put a project below another region. Who manages the old region loses it at once.

    Raises NotFound, UnitNotYours, HeadquartersOnly, CompanyStays, ParentClosedToKind, UnitClosed
    and AlreadyThere.
    """
    unit = await get_own_unit(ctx, unit_id, lock=True)
    parent = await ctx.get(Unit, parent_id)
    require_headquarters(ctx)
    if unit.kind == UnitKind.company:
        raise CompanyStays
    _check_parent(UnitKind(unit.kind), parent)
    if unit.parent_id == parent.id:
        raise AlreadyThere(
            name=unit.name, parent=parent.name, fields=(FieldError("parent_id", "already-there"),)
        )
    before = {"parent_id": str(unit.parent_id)}
    await _end_placement(ctx, unit, parent.id)
    unit.parent_id = parent.id
    unit.version += 1
    await audit.record_on(
        ctx,
        unit,
        "organization.unit.moved",
        before=before,
        after={"parent_id": str(parent.id), "parent": parent.name},
    )
    return unit


async def _end_placement(ctx: Ctx, unit: Unit, parent_id: UUID) -> None:
    """The place of an earlier day ends today; one of today never held and is overwritten."""
    current = (
        await ctx.session.execute(
            select(Placement)
            .where(col(Placement.unit_id) == unit.id, col(Placement.valid_to).is_(None))
            .with_for_update()
        )
    ).scalar_one_or_none()
    if current is not None and current.valid_from >= ctx.business_on:
        current.parent_id = parent_id
        current.version += 1
        return
    if current is not None:
        current.valid_to = ctx.business_on
        current.version += 1
        await ctx.session.flush()  # only one place is open at a time
    _place(ctx, unit, parent_id)


async def open_unit(ctx: Ctx, *, unit_id: UUID, on: date) -> Unit:
    """A project that was prepared, or closed by mistake, is managed from `on`.

    Raises NotFound, UnitNotYours, DateAhead and UnitNotInState.
    """
    unit = await get_own_unit(ctx, unit_id, lock=True)
    _not_ahead(ctx, on)
    parent = await ctx.get(Unit, unit.parent_id) if unit.parent_id else None
    if parent is not None and parent.state == UnitState.closed:
        raise UnitClosed(name=parent.name)
    _move(unit, UnitState.active, {UnitState.preparing, UnitState.closed})
    unit.opened_on = on
    unit.closed_on = None
    await audit.record_on(ctx, unit, "organization.unit.opened", after={"on": on.isoformat()})
    return unit


async def close_unit(ctx: Ctx, *, unit_id: UUID, on: date, reason: str) -> Unit:
    """Give a project back, or close a region. Modules with work left in it refuse.

    Raises NotFound, UnitNotYours, CompanyStays, DateAhead, UnitNotInState, UnitNotEmpty.
    """
    unit = await get_own_unit(ctx, unit_id, lock=True)
    if unit.kind == UnitKind.company:
        raise CompanyStays
    _not_ahead(ctx, on)
    if unit.state == UnitState.closed:
        raise _wrong_state(unit)
    units = await _count(
        ctx,
        select(Unit).where(col(Unit.parent_id) == unit.id, col(Unit.state) != UnitState.closed),
    )
    departments = await _count(
        ctx,
        select(Department).where(
            col(Department.org_id) == unit.id, col(Department.closed_on).is_(None)
        ),
    )
    if units or departments:
        raise UnitNotEmpty(name=unit.name, units=units, departments=departments)
    await ctx.announce(UnitClosing(unit_id=unit.id, name=unit.name))
    _move(unit, UnitState.closed, {UnitState.preparing, UnitState.active})
    unit.closed_on = on
    await audit.record_on(
        ctx, unit, "organization.unit.closed", after={"on": on.isoformat()}, reason=reason
    )
    return unit


def _move(unit: Unit, wanted: UnitState, allowed: set[UnitState]) -> None:
    if unit.state not in allowed:
        raise _wrong_state(unit)
    unit.state = wanted
    unit.version += 1


def _wrong_state(unit: Unit) -> UnitNotInState:
    return UnitNotInState(name=unit.name, state=str(unit.state))


def _not_ahead(ctx: Ctx, on: date) -> None:
    if on > ctx.business_on:
        raise DateAhead(on=on, fields=(FieldError("on", "date-ahead"),))


async def _count(ctx: Ctx, statement: object) -> int:
    counted = select(func.count()).select_from(statement.subquery())  # type: ignore[attr-defined]
    return int((await ctx.session.execute(counted)).scalar_one())


async def add_department(
    ctx: Ctx, *, unit_id: UUID, code: str, name: str, leader: str
) -> Department:
    """Raises NotFound, UnitNotYours and UnitClosed."""
    unit = await get_own_unit(ctx, unit_id)
    if unit.state == UnitState.closed:
        raise UnitClosed(name=unit.name, fields=(FieldError("unit_id", "unit-closed"),))
    department = Department(**ctx.stamp(unit.id), code=code, name=name, leader=leader)
    ctx.session.add(department)
    await _record_department(ctx, department, "organization.department.added")
    return department


async def change_department(
    ctx: Ctx, *, department_id: UUID, version: int, name: str, leader: str
) -> Department:
    """Raises NotFound, UnitNotYours, StaleVersion and DepartmentClosed."""
    department = await _own_department(ctx, department_id, version=version)
    department.name = name
    department.leader = leader
    department.version += 1
    await _record_department(ctx, department, "organization.department.changed")
    return department


async def close_department(ctx: Ctx, *, department_id: UUID, reason: str) -> Department:
    """Raises NotFound, UnitNotYours and DepartmentClosed; modules with people in it refuse."""
    department = await _own_department(ctx, department_id)
    await ctx.announce(DepartmentClosing(department_id=department.id, name=department.name))
    department.closed_on = ctx.business_on
    department.version += 1
    await _record_department(ctx, department, "organization.department.closed", reason=reason)
    return department


async def _own_department(
    ctx: Ctx, department_id: UUID, *, version: int | None = None
) -> Department:
    department = await ctx.get(Department, department_id)
    if not manages(ctx, department.org_id):
        raise UnitNotYours(name=department.name)
    department = await ctx.get(Department, department_id, lock=True, version=version)
    if department.closed_on is not None:
        raise DepartmentClosed(name=department.name)
    return department


async def _record_department(
    ctx: Ctx, department: Department, action: str, *, reason: str = ""
) -> None:
    await audit.record_on(
        ctx,
        department,
        action,
        after={"code": department.code, "name": department.name, "leader": department.leader},
        reason=reason,
    )


async def add_legal_entity(ctx: Ctx, *, name: str, tax_number: str) -> LegalEntity:
    """Raises HeadquartersOnly and TaxNumberWrong."""
    require_headquarters(ctx)
    _check_tax_number(tax_number)
    entity = LegalEntity(**ctx.stamp(ctx.principal.company_id), name=name, tax_number=tax_number)
    ctx.session.add(entity)
    return entity


def _check_tax_number(tax_number: str) -> None:
    if not _TAX_NUMBER.fullmatch(tax_number):
        raise TaxNumberWrong(fields=(FieldError("tax_number", "tax-number-wrong"),))


async def change_legal_entity(
    ctx: Ctx, *, entity_id: UUID, version: int, name: str, tax_number: str
) -> LegalEntity:
    """Raises NotFound, HeadquartersOnly and StaleVersion. Documents issued keep their own text."""
    await ctx.get(LegalEntity, entity_id)
    require_headquarters(ctx)
    entity = await ctx.get(LegalEntity, entity_id, lock=True, version=version)
    _check_tax_number(tax_number)
    before = {"name": entity.name, "tax_number": entity.tax_number}
    entity.name = name
    entity.tax_number = tax_number
    entity.version += 1
    await audit.record_on(
        ctx,
        entity,
        "organization.legal_entity.changed",
        before=before,
        after={"name": name, "tax_number": tax_number},
    )
    return entity
