"""Reads of accounts, and the principal behind a session."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cloud.kernel.auth import Authenticator, csrf_token, token_hash
from cloud.kernel.clock import utc_now
from cloud.kernel.context import Ctx, Principal
from cloud.kernel.db import Scope, Sessions
from cloud.kernel.errors import Forbidden, NotFound
from cloud.kernel.listing import Listing, Sorting, Statement, contains, fetch_page
from cloud.kernel.runtime import Runtime
from cloud.kernel.uow import unit_of_work
from cloud.modules.accounts.models import Grant, Role, RolePermission, User
from cloud.modules.accounts.schemas import (
    Boot,
    RoleRead,
    UnitOfSession,
    UserOfSession,
    UserRead,
)
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit

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
    everything = bool(found["all"])
    scope = Scope(
        company_id=company_id,
        all=everything,
        read_orgs=() if everything else tuple(map(UUID, found["read_orgs"])),
        write_orgs=() if everything else tuple(map(UUID, found["write_orgs"])),
    )
    return Principal(
        id=UUID(found["id"]),
        company_id=company_id,
        org_id=UUID(found["org_id"]),
        scope=scope,
        permissions=frozenset(found["permissions"]),
        name=found["name"],
        locale=found["locale"],
    )


async def names_of(ctx: Ctx, user_ids: set[UUID]) -> dict[UUID, str]:
    """Names of people by id, for timelines and lists."""
    if not user_ids:
        return {}
    found = await ctx.session.execute(
        select(col(User.id), col(User.name)).where(col(User.id).in_(user_ids))
    )
    return {row.id: row.name for row in found}


async def list_users(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    roles = (
        select(func.string_agg(col(Role.name).distinct(), "、"))
        .select_from(Grant)
        .join(Role, col(Role.id) == col(Grant.role_id))
        .where(col(Grant.user_id) == col(User.id))
        .correlate(User)
        .scalar_subquery()
    )
    statement: Statement = (
        select(
            col(User.id).label("id"),
            col(User.login).label("login"),
            col(User.name).label("name"),
            col(User.post).label("post"),
            col(Unit.name).label("unit_name"),
            func.coalesce(roles, "").label("roles"),
            case((col(User.disabled_at).is_(None), "active"), else_="disabled").label("state"),
        )
        .select_from(User)
        .join(Unit, col(Unit.id) == col(User.org_id))
    )
    orgs = await organization.scope_of(ctx, listing.site_id)
    if orgs is not None:
        statement = statement.where(col(User.org_id).in_(orgs))
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(or_(col(User.name).like(wanted), col(User.login).like(wanted)))
    sorting = Sorting(
        by={"login": col(User.login), "name": col(User.name)}, default="login", tie=col(User.id)
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=UserRead)


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
    people = (
        select(func.count(col(Grant.user_id).distinct()))
        .where(col(Grant.role_id) == col(Role.id))
        .correlate(Role)
        .scalar_subquery()
    )
    statement: Statement = select(
        col(Role.id).label("id"),
        col(Role.code).label("code"),
        col(Role.name).label("name"),
        permissions.label("permissions"),
        people.label("people"),
    )
    if listing.q:
        statement = statement.where(col(Role.name).like(contains(listing.q)))
    sorting = Sorting(by={"code": col(Role.code)}, default="code", tie=col(Role.id))
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=RoleRead)


class RoleMissing(Forbidden):
    message = "{name} has no role yet. Ask an administrator for one, then log in again."


async def boot(ctx: Ctx, *, runtime: Runtime, token: str) -> Boot:
    """The first page's facts for the person of this transaction."""
    assert ctx.principal.id is not None
    assert runtime.pages is not None
    user = await ctx.find(User, ctx.principal.id)
    if user is None:  # without a role nothing is in scope, not even oneself
        raise RoleMissing(name=ctx.principal.name)
    return Boot(
        csrf=csrf_token(token),
        user=UserOfSession(
            id=user.id, name=user.name, post=user.post, login=user.login, locale=user.locale
        ),
        permissions=sorted(ctx.principal.permissions),
        units=[
            UnitOfSession(
                id=unit.id,
                parent_id=unit.parent_id,
                kind=unit.kind,
                name=unit.name,
                code=unit.code,
                city=unit.city,
            )
            for unit in await organization.units_in_scope(ctx)
        ],
        menu=runtime.pages.menu(permissions=ctx.principal.permissions, locale=user.locale),
        time_zone=ctx.principal.time_zone,
    )


async def boot_of_token(runtime: Runtime, token: str) -> Boot:
    """The same right after login, when the request has no session of its own yet."""
    principal = await runtime.authenticator.by_token(token)
    assert principal is not None
    async with unit_of_work(runtime.sessions, principal, bus=runtime.bus) as ctx:
        return await boot(ctx, runtime=runtime, token=token)
