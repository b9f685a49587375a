"""Roles: added, copied, changed in what they permit, and closed; built-in ones follow a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Unprocessable
from cloud.modules.accounts.models import Grant, Role, RolePermission
from cloud.modules.accounts.rules import ROLES, permissions_of
from cloud.modules.accounts.service.rights import (
    governed,
    in_turn,
    permissions_of_roles,
    require_held,
)
from cloud.modules.organization import service as organization


class PermissionUnknown(Unprocessable):
    message = "There is no permission “{code}”."


class RoleCodeTaken(Conflict):
    message = "A role with the code “{code}” exists already. Choose another code."


class RoleInUse(Conflict):
    message = "{count} people hold the role “{name}”. Take it from them first."


class RoleAlreadyClosed(Conflict):
    message = "The role “{name}” is closed already."


async def add_role(
    ctx: Ctx,
    *,
    code: str,
    name: str,
    permissions: Iterable[str],
    note: str = "",
    is_built_in: bool = False,
) -> Role:
    """Raises HeadquartersOnly, RoleCodeTaken and BeyondYourOwn."""
    organization.require_headquarters(ctx)
    permissions = sorted(set(permissions))
    require_held(ctx, permissions, field="permissions")
    taken = select(func.count()).where(col(Role.code) == code)
    if (await ctx.session.execute(taken)).scalar_one():
        raise RoleCodeTaken(code=code, fields=(FieldError("code", "role-code-taken"),))
    role = Role(**ctx.stamp(ctx.principal.company_id), code=code, name=name, note=note)
    role.offered = permissions if is_built_in else None
    ctx.session.add(role)
    await ctx.session.flush()  # without a relationship the order of inserts is not known
    _permit(ctx, role, permissions)
    await _record(ctx, role, "accounts.role.added", after={"permissions": permissions})
    return role


def _permit(ctx: Ctx, role: Role, permissions: Iterable[str]) -> None:
    for permission in permissions:
        ctx.session.add(
            RolePermission(
                **ctx.stamp(ctx.principal.company_id), role_id=role.id, permission=permission
            )
        )


async def copy_role(ctx: Ctx, *, role_id: UUID, code: str, name: str) -> Role:
    """A new role that permits the same. Raises NotFound and what add_role raises."""
    source = await ctx.get(Role, role_id)
    permissions = await permissions_of_roles(ctx, [source.id])
    return await add_role(ctx, code=code, name=name, permissions=permissions, note=source.note)


async def change_role(ctx: Ctx, *, role_id: UUID, version: int, name: str, note: str) -> Role:
    """Raises NotFound, HeadquartersOnly, StaleVersion and RoleAlreadyClosed."""
    role = await _own_role(ctx, role_id, version=version)
    before = {"name": role.name, "note": role.note}
    role.name = name
    role.note = note
    role.version += 1
    await _record(
        ctx, role, "accounts.role.changed", before=before, after={"name": name, "note": note}
    )
    return role


async def set_permissions(
    ctx: Ctx, *, role_id: UUID, version: int, permissions: Iterable[str], known: frozenset[str]
) -> Role:
    """What is added the caller must hold; what is left must leave an administrator.

    Raises NotFound, HeadquartersOnly, StaleVersion, RoleAlreadyClosed, PermissionUnknown,
    BeyondYourOwn and LastAdministrator.
    """
    await in_turn(ctx)
    role = await _own_role(ctx, role_id, version=version)
    wanted = set(permissions)
    unknown = sorted(wanted - known)
    if unknown:
        raise PermissionUnknown(
            code=unknown[0], fields=(FieldError("permissions", "permission-unknown"),)
        )
    held = await permissions_of_roles(ctx, [role.id])
    added, removed = sorted(wanted - held), sorted(held - wanted)
    require_held(ctx, added, field="permissions")
    async with governed(ctx):
        if removed:
            await ctx.session.execute(
                delete(RolePermission).where(
                    col(RolePermission.role_id) == role.id,
                    col(RolePermission.permission).in_(removed),
                )
            )
        _permit(ctx, role, added)
        role.version += 1
    await _record(
        ctx,
        role,
        "accounts.role.permissions_set",
        before={"removed": removed},
        after={"added": added},
    )
    return role


async def offer_permissions(ctx: Ctx, *, vocabulary: frozenset[str]) -> None:
    """Give the built-in roles what this release permits them for the first time. What they were
    offered before, and an administrator took away, they do not get back."""
    await in_turn(ctx)
    built_in = select(Role).where(
        col(Role.code).in_(ROLES), col(Role.offered).is_not(None), col(Role.closed_on).is_(None)
    )
    for role in (await ctx.session.execute(built_in.with_for_update())).scalars():
        offered = set(role.offered or ())
        fresh = set(permissions_of(role.code, vocabulary)) - offered
        if not fresh:
            continue
        added = sorted(fresh - await permissions_of_roles(ctx, [role.id]))
        _permit(ctx, role, added)
        role.offered = sorted(offered | fresh)
        role.version += 1
        await _record(ctx, role, "accounts.role.permissions_offered", after={"added": added})


async def close_role(ctx: Ctx, *, role_id: UUID, reason: str) -> Role:
    """Raises NotFound, HeadquartersOnly, RoleAlreadyClosed and RoleInUse."""
    await in_turn(ctx)
    role = await _own_role(ctx, role_id)
    people = select(func.count(col(Grant.user_id).distinct())).where(col(Grant.role_id) == role.id)
    count = int((await ctx.session.execute(people)).scalar_one())
    if count:
        raise RoleInUse(name=role.name, count=count)
    role.closed_on = ctx.business_on
    role.version += 1
    await _record(ctx, role, "accounts.role.closed", reason=reason)
    return role


async def _own_role(ctx: Ctx, role_id: UUID, *, version: int | None = None) -> Role:
    """Roles are the company's: who changes one changes it for everybody who holds it."""
    await ctx.get(Role, role_id)
    organization.require_headquarters(ctx)
    role = await ctx.get(Role, role_id, lock=True, version=version)
    if role.closed_on is not None:
        raise RoleAlreadyClosed(name=role.name)
    return role


async def _record(
    ctx: Ctx,
    role: Role,
    action: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    await audit.record_on(
        ctx,
        role,
        action,
        before=before,
        after={"code": role.code, **(after or {})},
        reason=reason,
    )
