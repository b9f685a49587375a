"""Reads of accounts, and the principal behind a session."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from cloud.kernel.auth import Authenticator, csrf_token, token_hash
from cloud.kernel.choices import Choices, fetch_choices
from cloud.kernel.clock import utc_now
from cloud.kernel.context import Ctx, Holding, Principal
from cloud.kernel.db import Scope, Sessions
from cloud.kernel.errors import Forbidden, NotFound
from cloud.kernel.listing import Listing, Sorting, Statement, begins, contains, fetch_page, starts
from cloud.kernel.masking import masked_phone
from cloud.kernel.permissions import Catalog, action, parts
from cloud.kernel.runtime import Runtime
from cloud.kernel.search import SearchHit, Wanted
from cloud.kernel.uow import unit_of_work
from cloud.modules.accounts.models import Grant, Role, RolePermission, User
from cloud.modules.accounts.schemas import (
    Boot,
    ModuleRead,
    PermissionCatalog,
    PermissionRead,
    RoleDetail,
    RoleMember,
    RoleRead,
    SubjectRead,
    UnitOfSession,
    UserOfSession,
    UserRead,
)
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Department, Unit

MEMBERS_SHOWN_MAX = 200

_OF_SESSION = text("SELECT accounts_principal_of_session(:hash, :now)")
_ENTER = text("SELECT accounts_enter(:hash, :now)")
_OF_USER = text("SELECT accounts_principal_of_user(:user_id)")
_ANCESTORS = text("SELECT organization_ancestors(:company_id, :site_id)")


class AccountsAuthenticator(Authenticator):
    """Principals from the accounts tables, by functions that see past row security."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def by_token(self, token: str) -> Principal | None:
        return await self._one(_OF_SESSION, hash=token_hash(token), now=utc_now())

    async def enter(self, session: AsyncSession, token: str) -> Principal | None:
        given = {"hash": token_hash(token), "now": utc_now()}
        found = (await session.execute(_ENTER, given)).scalar_one()
        return _principal(found) if found else None

    async def by_user(self, user_id: UUID) -> Principal | None:
        return await self._one(_OF_USER, user_id=user_id)

    async def ancestors(self, company_id: UUID, site_id: UUID) -> tuple[UUID, ...]:
        async with self._sessions() as session:
            found = await session.execute(
                _ANCESTORS, {"company_id": company_id, "site_id": site_id}
            )
            above = found.scalar_one()
        if above is None:
            raise NotFound
        return tuple(above)

    async def _one(self, statement: Any, **params: Any) -> Principal | None:
        async with self._sessions() as session:
            found = (await session.execute(statement, params)).scalar_one_or_none()
        return _principal(found) if found else None


def _principal(found: dict[str, Any]) -> Principal:
    company_id = UUID(found["company_id"])
    return Principal(
        id=UUID(found["id"]),
        company_id=company_id,
        org_id=UUID(found["org_id"]),
        scope=_scope(company_id, found),
        permissions=frozenset(found["permissions"]),
        name=found["name"],
        locale=found["locale"],
        password_due=bool(found["password_due"]),
        holdings=tuple(
            Holding(scope=_scope(company_id, held), permissions=frozenset(held["permissions"]))
            for held in found["holdings"]
        ),
    )


def _scope(company_id: UUID, found: dict[str, Any]) -> Scope:
    if found["all"]:
        return Scope(company_id=company_id, all=True)
    return Scope(
        company_id=company_id,
        read_orgs=tuple(map(UUID, found["read_orgs"])),
        write_orgs=tuple(map(UUID, found["write_orgs"])),
    )


def _text_of(names: Any, *, of: Any) -> Any:
    """The distinct names of what a person's grants point at, as one text."""
    return func.coalesce(
        select(func.string_agg(names.distinct(), "、"))
        .select_from(Grant)
        .join(of, col(of.id) == (col(Grant.role_id) if of is Role else col(Grant.unit_id)))
        .where(col(Grant.user_id) == col(User.id))
        .correlate(User)
        .scalar_subquery(),
        "",
    )


def _ids_of(column: Any) -> Any:
    return func.coalesce(
        select(func.array_agg(column.distinct()))
        .where(col(Grant.user_id) == col(User.id))
        .correlate(User)
        .scalar_subquery(),
        text("'{}'::uuid[]"),
    )


_USER_STATE = case((col(User.disabled_at).is_(None), "active"), else_="disabled")


async def list_users(
    ctx: Ctx, listing: Listing, *, state: str | None = None, role_id: UUID | None = None
) -> dict[str, Any]:
    """Accounts that belong to the units of the scope, with their roles and where these hold."""
    granted = aliased(Unit)
    statement: Statement = (
        select(
            col(User.id).label("id"),
            col(User.login).label("login"),
            col(User.name).label("name"),
            col(User.post).label("post"),
            masked_phone(col(User.phone)).label("phone_masked"),
            col(User.org_id).label("org_id"),
            col(Unit.name).label("unit_name"),
            col(User.department_id).label("department_id"),
            func.coalesce(col(Department.name), "").label("department_name"),
            _text_of(col(Role.name), of=Role).label("roles"),
            _ids_of(col(Grant.role_id)).label("role_ids"),
            _text_of(col(granted.name), of=granted).label("units"),
            _ids_of(col(Grant.unit_id)).label("unit_ids"),
            _USER_STATE.label("state"),
            col(User.version).label("version"),
        )
        .select_from(User)
        .join(Unit, col(Unit.id) == col(User.org_id))
        .outerjoin(Department, col(Department.id) == col(User.department_id))
    )
    statement = await organization.within(ctx, statement, col(User.org_id), listing.site_id)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(
                col(User.name).like(wanted),
                col(User.login).like(wanted),
                col(User.phone).like(starts(listing.q)),
            )
        )
    if role_id is not None:
        holders = select(col(Grant.user_id)).where(col(Grant.role_id) == role_id)
        statement = statement.where(col(User.id).in_(holders))
    views = await _by_state(ctx, statement)
    if state is not None:
        statement = statement.where(_USER_STATE.in_([state]))
    sorting = Sorting(
        by={
            "login": col(User.login),
            "name": col(User.name),
            "unit_name": col(Unit.name),
        },
        default="login",
        tie=col(User.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=UserRead, views=views)


async def _by_state(ctx: Ctx, statement: Statement) -> dict[str, int]:
    active = func.count().filter(col(User.disabled_at).is_(None))
    found = await ctx.session.execute(
        statement.with_only_columns(func.count(), active, maintain_column_froms=True)
    )
    total, working = found.one()
    return {"all": total, "active": working, "disabled": total - working}


def _people() -> Any:
    return (
        select(func.count(col(Grant.user_id).distinct()))
        .where(col(Grant.role_id) == col(Role.id))
        .correlate(Role)
        .scalar_subquery()
    )


_ROLE_STATE = case((col(Role.closed_on).is_(None), "active"), else_="closed")


async def list_roles(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    """The company's own, whichever of its units is asked for."""
    await organization.scope_of(ctx, listing.site_id)
    permissions = (
        select(func.count())
        .select_from(RolePermission)
        .where(col(RolePermission.role_id) == col(Role.id))
        .correlate(Role)
        .scalar_subquery()
    )
    statement: Statement = select(
        col(Role.id).label("id"),
        col(Role.code).label("code"),
        col(Role.name).label("name"),
        col(Role.note).label("note"),
        permissions.label("permissions"),
        _people().label("people"),
        _ROLE_STATE.label("state"),
        col(Role.version).label("version"),
    )
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(or_(col(Role.name).like(wanted), col(Role.code).like(wanted)))
    sorting = Sorting(
        by={"code": col(Role.code), "name": col(Role.name)}, default="code", tie=col(Role.id)
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=RoleRead)


async def role_choices(ctx: Ctx, q: str) -> Choices:
    """Roles that are not closed."""
    return await fetch_choices(
        ctx,
        select(col(Role.id), col(Role.name))
        .where(col(Role.closed_on).is_(None), col(Role.name).like(contains(q)))
        .order_by(col(Role.code)),
    )


async def read_role(ctx: Ctx, role_id: UUID) -> RoleDetail:
    """What a role permits, and who holds it among those that the viewer sees."""
    role = await ctx.get(Role, role_id)
    permissions = await ctx.session.execute(
        select(col(RolePermission.permission))
        .where(col(RolePermission.role_id) == role.id)
        .order_by(col(RolePermission.permission))
    )
    members = await ctx.session.execute(
        select(
            col(User.id).label("id"),
            col(User.login).label("login"),
            col(User.name).label("name"),
            col(Unit.name).label("unit_name"),
            _USER_STATE.label("state"),
        )
        .select_from(User)
        .join(Unit, col(Unit.id) == col(User.org_id))
        .where(col(User.id).in_(select(col(Grant.user_id)).where(col(Grant.role_id) == role.id)))
        .order_by(col(User.login))
        .limit(MEMBERS_SHOWN_MAX)
    )
    people = await ctx.session.execute(select(_people()).where(col(Role.id) == role.id))
    return RoleDetail(
        id=role.id,
        code=role.code,
        name=role.name,
        note=role.note,
        state="active" if role.closed_on is None else "closed",
        version=role.version,
        people=people.scalar_one(),
        permissions=list(permissions.scalars()),
        members=[RoleMember.model_validate(dict(row)) for row in members.mappings()],
    )


def catalog_of(ctx: Ctx, catalog: Catalog) -> PermissionCatalog:
    """Every permission by module and subject, in the caller's language."""
    texts, locale, held = ctx.texts, ctx.door.locale, ctx.principal.permissions
    modules = []
    for module in catalog.modules:
        subjects: dict[str, SubjectRead] = {}
        for code in module.permissions:
            _, subject, _ = parts(code)
            if subject not in subjects:
                label = catalog.subject(code, texts, locale)
                subjects[subject] = SubjectRead(code=subject, label=label, permissions=[])
            subjects[subject].permissions.append(
                PermissionRead(code=code, label=action(code, texts, locale), held=code in held)
            )
        title = texts.label(module.title, locale)
        modules.append(
            ModuleRead(code=module.module, label=title, subjects=list(subjects.values()))
        )
    return PermissionCatalog(modules=modules)


class RoleMissing(Forbidden):
    message = "{name} has no role yet. Ask an administrator for one, then log in again."


async def boot(ctx: Ctx, *, runtime: Runtime, token: str) -> Boot:
    """The first page's facts for the person of this transaction."""
    assert ctx.principal.id is not None
    assert runtime.pages is not None
    if not (ctx.principal.scope.all or ctx.principal.scope.write_orgs):
        raise RoleMissing(name=ctx.principal.name)  # an account without a role
    # Not through the scope: one's own name is one's own wherever one's roles hold.
    own = {"user_id": ctx.principal.id}
    user = (await ctx.session.execute(_OF_USER, own)).scalar_one_or_none()
    if user is None:
        raise NotFound
    return Boot(
        csrf=csrf_token(token),
        user=UserOfSession.model_validate(user),
        permissions=sorted(ctx.principal.permissions),
        units=[
            UnitOfSession(
                id=unit.id,
                parent_id=unit.parent_id,
                kind=unit.kind,
                state=unit.state,
                name=unit.name,
                code=unit.code,
                city=unit.city,
            )
            for unit in await organization.units_in_scope(ctx)
        ],
        menu=runtime.pages.menu(permissions=ctx.principal.permissions, locale=user["locale"]),
        time_zone=ctx.principal.time_zone,
    )


async def boot_of_token(runtime: Runtime, token: str) -> Boot:
    """The same right after login, when the request has no session of its own yet."""
    principal = await runtime.authenticator.by_token(token)
    assert principal is not None
    async with unit_of_work(runtime.sessions, principal, bus=runtime.bus) as ctx:
        return await boot(ctx, runtime=runtime, token=token)


async def search(ctx: Ctx, wanted: Wanted) -> list[SearchHit]:
    """Accounts whose name, login or phone begins with what was typed."""
    statement: Statement = (
        select(
            col(User.id).label("id"),
            col(User.login).label("login"),
            col(User.name).label("name"),
            col(User.post).label("post"),
            col(Unit.name).label("unit"),
        )
        .select_from(User)
        .join(Unit, col(Unit.id) == col(User.org_id))
        .where(
            or_(
                begins(col(User.name), wanted.text),
                begins(col(User.login), wanted.text.lower()),
                and_(col(User.phone) != "", begins(col(User.phone), wanted.text)),
            )
        )
        .order_by(col(User.name), col(User.id))
        .limit(wanted.limit)
    )
    if wanted.orgs is not None:
        statement = statement.where(col(User.org_id).in_(wanted.orgs))
    found = (await ctx.session.execute(statement)).mappings()
    return [
        SearchHit(
            key=str(row["id"]),
            title=row["name"],
            note=" · ".join(part for part in (row["login"], row["post"], row["unit"]) if part),
            path=f"/p/accounts.users?q={row['login']}",
        )
        for row in found
    ]
