"""Reads of the organization that every module above stands on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeVarTuple
from uuid import UUID

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from cloud.kernel.choices import Choices, fetch_choices
from cloud.kernel.context import Ctx
from cloud.kernel.errors import FieldError, Forbidden, NotFound, PasswordDue, Unprocessable
from cloud.kernel.initials import initials
from cloud.kernel.listing import Expression, Listing, Sorting, Statement, contains, fetch_page
from cloud.kernel.records import AuditRow
from cloud.kernel.search import SearchAnswer, SearchGroup, SearchHit, Source, Wanted
from cloud.kernel.ui.language import Tone
from cloud.kernel.ui.render import Pages
from cloud.modules.organization.models import (
    Department,
    LegalEntity,
    Placement,
    Unit,
    UnitKind,
    UnitState,
)
from cloud.modules.organization.schemas import (
    DepartmentRead,
    LegalEntityRead,
    UnitEvent,
    UnitRead,
)

Columns = TypeVarTuple("Columns")

SHOWN_MAX = 200
# What the audit trail's words mean to people.
HAPPENED = {
    "organization.unit.added": ("Added", Tone.info),
    "organization.unit.changed": ("Changed", Tone.mute),
    "organization.unit.moved": ("Moved", Tone.info),
    "organization.unit.opened": ("Opened", Tone.ok),
    "organization.unit.closed": ("Closed", Tone.mute),
}
_TOP_DOWN = (
    col(Unit.kind) != UnitKind.company,
    col(Unit.kind) != UnitKind.region,
    col(Unit.code),
)


class ProjectNotYours(Forbidden):
    message = (
        "This community belongs to your company, but you do not hold this right in it. Choose"
        " another community, or ask an administrator for a role here."
    )


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


async def within(
    ctx: Ctx, statement: Select[*Columns], column: Expression, unit_id: UUID | None
) -> Select[*Columns]:
    """The rows of `statement` whose unit, `column`, is one of `scope_of`. Raises as that does."""
    orgs = await scope_of(ctx, unit_id)
    return statement if orgs is None else statement.where(column.in_(orgs))


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
    result = await ctx.session.execute(select(Unit).order_by(*_TOP_DOWN))
    return list(result.scalars())


def _rows() -> Statement:
    parent = aliased(Unit)
    return (
        select(
            col(Unit.id).label("id"),
            col(Unit.parent_id).label("parent_id"),
            col(parent.name).label("parent_name"),
            col(Unit.kind).label("kind"),
            col(Unit.state).label("state"),
            col(Unit.code).label("code"),
            col(Unit.name).label("name"),
            col(Unit.city).label("city"),
            col(Unit.opened_on).label("opened_on"),
            col(Unit.closed_on).label("closed_on"),
            col(Unit.version).label("version"),
        )
        .select_from(Unit)
        .outerjoin(parent, col(parent.id) == col(Unit.parent_id))
    )


async def list_units(
    ctx: Ctx, listing: Listing, *, kind: UnitKind | None = None, state: UnitState | None = None
) -> dict[str, Any]:
    """Units of the scope; each view says how many there are."""
    statement = _rows()
    statement = await within(ctx, statement, col(Unit.id), listing.site_id)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(or_(col(Unit.name).like(wanted), col(Unit.code).like(wanted)))
    if kind is not None:
        statement = statement.where(col(Unit.kind) == kind)
    views = await _by_state(ctx, statement)
    if state is not None:
        statement = statement.where(col(Unit.state) == state)
    sorting = Sorting(
        by={
            "code": col(Unit.code),
            "name": col(Unit.name),
            "kind": col(Unit.kind),
            "opened_on": col(Unit.opened_on),
        },
        default="code",
        tie=col(Unit.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=UnitRead, views=views)


async def _by_state(ctx: Ctx, statement: Statement) -> dict[str, int]:
    found = await ctx.session.execute(
        statement.with_only_columns(
            col(Unit.state), func.count(), maintain_column_froms=True
        ).group_by(col(Unit.state))
    )
    counts = {str(state): int(count) for state, count in found}
    return {"all": sum(counts.values()), **{one.value: counts.get(one, 0) for one in UnitState}}


async def read_unit(ctx: Ctx, unit_id: UUID) -> dict[str, Any]:
    """A unit with what stands below it, where it stood, and what happened to it."""
    row = (await ctx.session.execute(_rows().where(col(Unit.id) == unit_id))).mappings().first()
    if row is None:
        raise NotFound
    children = await ctx.session.execute(
        _rows().where(col(Unit.parent_id) == unit_id).order_by(col(Unit.code)).limit(SHOWN_MAX)
    )
    departments = await ctx.session.execute(
        _department_rows()
        .where(col(Department.org_id) == unit_id)
        .order_by(col(Department.code))
        .limit(SHOWN_MAX)
    )
    parent = aliased(Unit)
    places: Statement = (
        select(
            func.coalesce(col(parent.name), "").label("parent_name"),
            col(Placement.valid_from).label("valid_from"),
            col(Placement.valid_to).label("valid_to"),
        )
        .select_from(Placement)
        .outerjoin(parent, col(parent.id) == col(Placement.parent_id))
        .where(col(Placement.unit_id) == unit_id)
        .order_by(col(Placement.valid_from).desc())
        .limit(SHOWN_MAX)
    )
    placements = await ctx.session.execute(places)
    return {
        **row,
        "children": children.mappings().all(),
        "departments": departments.mappings().all(),
        "placements": placements.mappings().all(),
        "timeline": await _timeline(ctx, unit_id),
    }


async def _timeline(ctx: Ctx, unit_id: UUID) -> list[UnitEvent]:
    found = await ctx.session.execute(
        select(AuditRow)
        .where(
            col(AuditRow.subject_kind) == "organization.unit", col(AuditRow.subject_id) == unit_id
        )
        .order_by(col(AuditRow.id).desc())
        .limit(SHOWN_MAX)
    )
    events = []
    for row in found.scalars():
        title, tone = HAPPENED.get(row.action, (row.action, Tone.mute))
        after = row.after or {}
        told = row.reason or after.get("parent") or after.get("on") or after.get("name")
        events.append(UnitEvent(at=row.at, title=ctx.say(title), text=told, who=None, tone=tone))
    return events


def _department_rows() -> Statement:
    return (
        select(
            col(Department.id).label("id"),
            col(Department.org_id).label("unit_id"),
            col(Unit.name).label("unit_name"),
            col(Department.code).label("code"),
            col(Department.name).label("name"),
            col(Department.leader).label("leader"),
            case((col(Department.closed_on).is_(None), "active"), else_="closed").label("state"),
            col(Department.version).label("version"),
        )
        .select_from(Department)
        .join(Unit, col(Unit.id) == col(Department.org_id))
    )


async def list_departments(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    statement = _department_rows()
    statement = await within(ctx, statement, col(Department.org_id), listing.site_id)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(Department.name).like(wanted), col(Department.code).like(wanted))
        )
    sorting = Sorting(
        by={
            "code": col(Department.code),
            "name": col(Department.name),
            "unit_name": col(Unit.name),
        },
        default="code",
        tie=col(Department.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=DepartmentRead)


async def lookup_units(
    ctx: Ctx, q: str, *, kinds: Collection[UnitKind] = tuple(UnitKind)
) -> Choices:
    """Open units that the caller manages, as the choices of a form field."""
    statement = (
        select(col(Unit.id), col(Unit.name))
        .where(
            col(Unit.kind).in_(kinds),
            col(Unit.state) != UnitState.closed,
            or_(col(Unit.name).like(contains(q)), col(Unit.code).like(contains(q))),
        )
        .order_by(*_TOP_DOWN)
    )
    if not ctx.principal.scope.all:
        statement = statement.where(col(Unit.id).in_(ctx.principal.scope.write_orgs))
    return await fetch_choices(ctx, statement)


async def lookup_departments(ctx: Ctx, q: str) -> Choices:
    """Open departments of units that the caller manages."""
    statement = (
        select(col(Department.id), func.concat(col(Unit.name), " ", col(Department.name)))
        .join(Unit, col(Unit.id) == col(Department.org_id))
        .where(
            col(Department.closed_on).is_(None),
            or_(col(Department.name).like(contains(q)), col(Unit.name).like(contains(q))),
        )
        .order_by(*_TOP_DOWN, col(Department.code))
    )
    if not ctx.principal.scope.all:
        statement = statement.where(col(Department.org_id).in_(ctx.principal.scope.write_orgs))
    return await fetch_choices(ctx, statement)


async def legal_entity_choices(ctx: Ctx, q: str) -> Choices:
    return await fetch_choices(
        ctx,
        select(col(LegalEntity.id), col(LegalEntity.name))
        .where(col(LegalEntity.name).like(contains(q)))
        .order_by(col(LegalEntity.name)),
    )


async def list_legal_entities(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    """The company's own, whichever of its units is asked for."""
    await scope_of(ctx, listing.site_id)
    statement: Statement = select(
        col(LegalEntity.id).label("id"),
        col(LegalEntity.name).label("name"),
        col(LegalEntity.tax_number).label("tax_number"),
        col(LegalEntity.version).label("version"),
    )
    if listing.q:
        statement = statement.where(col(LegalEntity.name).like(contains(listing.q)))
    sorting = Sorting(by={"name": col(LegalEntity.name)}, default="name", tie=col(LegalEntity.id))
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=LegalEntityRead)


async def search(
    ctx: Ctx, *, q: str, site_id: UUID | None, pages: Pages, sources: Sequence[Source]
) -> SearchAnswer:
    """Ask every source that the viewer may read. Raises ProjectNotYours, NotFound, PasswordDue."""
    if ctx.principal.password_due:
        raise PasswordDue
    orgs = await scope_of(ctx, site_id)
    wanted = Wanted(text=q, orgs=orgs)
    groups = []
    if not wanted.too_short:
        for source in sources:
            if source.permission in ctx.principal.permissions:
                async with ctx.holding(source.permission) as there:
                    hits = await source.find(there, wanted)
                groups.append(_group(ctx, source.code, source.title, source.icon, hits))
    groups.append(_group(ctx, "pages", "Pages", "layout-grid", _pages(ctx, wanted, pages)))
    hint = ctx.say("Type one character more to search rooms, people and numbers.")
    return SearchAnswer(
        groups=[group for group in groups if group.hits],
        hint=hint if wanted.too_short else None,
    )


def _group(ctx: Ctx, code: str, title: str, icon: str, hits: list[SearchHit]) -> SearchGroup:
    return SearchGroup(code=code, label=ctx.say(title), icon=icon, hits=hits)


def _pages(ctx: Ctx, wanted: Wanted, pages: Pages) -> list[SearchHit]:
    """Entries of the viewer's menu by their label, or by its initials."""
    text = wanted.text.lower()
    if not text:
        return []
    found = []
    for heading in pages.menu(permissions=ctx.principal.permissions, locale=ctx.door.locale):
        for entry in heading.children:
            label = entry.label.lower()
            if text in label or (wanted.initials and initials(label).startswith(wanted.initials)):
                found.append(
                    SearchHit(
                        key=entry.code,
                        title=entry.label,
                        note=heading.label,
                        path=entry.view or f"/p/{entry.page}",
                    )
                )
    return found[: wanted.limit]
