"""Who may administer whom: nobody gives what they do not hold, and somebody always can."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import select, text
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Forbidden
from cloud.modules.accounts.models import Grant, RolePermission, User
from cloud.modules.accounts.permissions import AccountsPermission
from cloud.modules.organization import service as organization

# Who holds all of these for the whole company can mend whatever somebody else broke.
ADMINISTRATION = tuple(AccountsPermission)

_COUNT = text("SELECT accounts_administrators(:company, :wanted)")


class BeyondYourOwn(Forbidden):
    message = "You cannot give “{permission}”: you do not hold it yourself."


class PersonAbove(Forbidden):
    message = (
        "“{name}” works in more than you manage, or may do more than you. Ask somebody above you."
    )


class LastAdministrator(Conflict):
    message = (
        "After this nobody could manage accounts and roles for the whole company any more."
        " Give somebody else that right first."
    )


async def in_turn(ctx: Ctx) -> None:
    """Wait until no other transaction of the company changes who holds what. Taken before rows are
    locked, so that nobody waits for each other."""
    company_id = ctx.principal.company_id
    await ctx.take(f"accounts-administrators:{company_id}")


@asynccontextmanager
async def governed(ctx: Ctx) -> AsyncIterator[None]:
    """What happens inside must leave an administrator. Raises LastAdministrator.

    One transaction of a company at a time: two that each take away another administrator would each
    still have seen one.
    """
    await in_turn(ctx)
    before = await _administrators(ctx)
    yield
    await ctx.session.flush()  # the count below asks the database
    if before and not await _administrators(ctx):
        raise LastAdministrator


async def _administrators(ctx: Ctx) -> int:
    found = await ctx.session.execute(
        _COUNT,
        {
            "company": ctx.principal.company_id,
            "wanted": [permission.value for permission in ADMINISTRATION],
        },
    )
    return int(found.scalar_one())


def require_held(ctx: Ctx, permissions: Iterable[str], *, field: str) -> None:
    """Raises BeyondYourOwn for the first that the caller lacks."""
    beyond = sorted(set(permissions) - ctx.principal.permissions)
    if beyond:
        raise BeyondYourOwn(permission=beyond[0], fields=(FieldError(field, "beyond-your-own"),))


async def permissions_of_roles(ctx: Ctx, role_ids: Collection[UUID]) -> set[str]:
    found = await ctx.session.execute(
        select(col(RolePermission.permission))
        .where(col(RolePermission.role_id).in_(role_ids))
        .distinct()
    )
    return set(found.scalars())


async def require_above(ctx: Ctx, user: User, *, with_permissions: bool) -> None:
    """Raises PersonAbove for who works where the caller does not manage, or, when that counts,
    may do what the caller may not: whoever sets a password can log in with it."""
    held = (
        await ctx.session.execute(
            select(col(Grant.role_id), col(Grant.unit_id)).where(col(Grant.user_id) == user.id)
        )
    ).all()
    if not all(organization.manages(ctx, grant.unit_id) for grant in held):
        raise PersonAbove(name=user.name)
    if with_permissions:
        theirs = await permissions_of_roles(ctx, {grant.role_id for grant in held})
        if theirs - ctx.principal.permissions:
            raise PersonAbove(name=user.name)
