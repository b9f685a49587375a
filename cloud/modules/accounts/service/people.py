"""Accounts of people: added, changed, disabled, and which roles they hold where."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound, Unprocessable
from cloud.modules.accounts.models import Grant, Role, User
from cloud.modules.accounts.rules import Place
from cloud.modules.accounts.service.rights import (
    governed,
    in_turn,
    permissions_of_roles,
    require_above,
    require_held,
)
from cloud.modules.accounts.service.sessions import hashed
from cloud.modules.organization import service as organization
from cloud.modules.organization.events import DepartmentClosing, UnitClosing
from cloud.modules.organization.models import Department, Unit, UnitState

INITIAL_LENGTH = 12
# Without letters and digits that look alike: it is read out or copied from paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

_SET_PASSWORD = text("SELECT accounts_set_password(:user_id, :hash)")
_END_SESSIONS = text("SELECT accounts_end_sessions(:user_id)")
_TAKEN = text("SELECT user_id FROM accounts_credential_of(:login, :now)")


class LoginTaken(Conflict):
    message = "The account “{login}” exists already. Choose another."


class NotYourself(Conflict):
    message = "You cannot disable your own account. Ask another administrator."


class UserStateSame(Conflict):
    message = "“{name}” is already {state}. Reload to see it."


class RoleClosed(Conflict):
    message = "The role “{name}” is closed. Choose another."


class RoleHeldThere(Conflict):
    message = "“{name}” holds this role in this unit already."


class DepartmentElsewhere(Unprocessable):
    message = "This department does not belong to the unit of the account."


class UnitWithStaff(Conflict):
    message = "“{name}” still has {count} active accounts. Transfer or disable them first."


class DepartmentWithStaff(Conflict):
    message = "“{name}” still has {count} active accounts in it. Transfer or disable them first."


@dataclass(frozen=True)
class FirstPassword:
    """An account with the password that its owner must replace; only the hash is kept."""

    id: UUID
    login: str
    name: str
    version: int
    password: str


def _initial_password() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(INITIAL_LENGTH))


async def open_account(
    ctx: Ctx, *, login: str, name: str, post: str, phone: str, place: Place
) -> FirstPassword:
    """Raises what add_user raises."""
    password = _initial_password()
    user = await add_user(
        ctx,
        org_id=place.org_id,
        login=login,
        name=name,
        post=post,
        phone=phone,
        password=password,
        place=place,
    )
    return _first(user, password)


def _first(user: User, password: str) -> FirstPassword:
    return FirstPassword(
        id=user.id, login=user.login, name=user.name, version=user.version, password=password
    )


async def add_user(
    ctx: Ctx,
    *,
    org_id: UUID,
    login: str,
    name: str,
    post: str,
    password: str,
    phone: str = "",
    place: Place | None = None,
) -> User:
    """With a place, the password is a first one that must be replaced at login.

    Raises PasswordTooShort, LoginTaken, UnitNotYours, BeyondYourOwn and what `place` makes wrong.
    """
    password_hash = await hashed(password)
    taken = await ctx.session.execute(_TAKEN, {"login": login, "now": ctx.now})
    if taken.scalar_one() is not None:
        raise LoginTaken(login=login, fields=(FieldError("login", "login-taken"),))
    if place is not None:
        await _check_home(ctx, place)
    user = User(
        **ctx.stamp(org_id),
        login=login,
        name=name,
        post=post,
        phone=phone,
        department_id=place.department_id if place else None,
        password_due=place is not None,
    )
    ctx.session.add(user)
    await ctx.session.flush()  # the function below reads the row
    await _set_password(ctx, user, password_hash)
    if place is not None:
        await _put_grants(ctx, user, place)
    await audit.record_on(ctx, user, "accounts.user.added", after={"login": login, "name": name})
    return user


async def _set_password(ctx: Ctx, user: User, password_hash: str) -> None:
    known = await ctx.session.execute(_SET_PASSWORD, {"user_id": user.id, "hash": password_hash})
    if not known.scalar_one():
        raise NotFound


async def _check_home(ctx: Ctx, place: Place) -> None:
    unit = await organization.get_own_unit(ctx, place.org_id)
    if unit.state == UnitState.closed:
        raise organization.UnitClosed(name=unit.name, fields=(FieldError("org_id", "unit-closed"),))
    if place.department_id is None:
        return
    department = await ctx.get(Department, place.department_id)
    if department.org_id != place.org_id:
        raise DepartmentElsewhere(fields=(FieldError("department_id", "department-elsewhere"),))
    if department.closed_on is not None:
        raise organization.DepartmentClosed(
            name=department.name, fields=(FieldError("department_id", "department-closed"),)
        )


async def get_own_user(ctx: Ctx, user_id: UUID, *, version: int | None = None) -> User:
    """An account of a unit that the caller manages, locked."""
    user = await ctx.get(User, user_id)
    if not organization.manages(ctx, user.org_id):
        raise organization.UnitNotYours(name=user.name)
    return await ctx.get(User, user_id, lock=True, version=version)


async def change_user(
    ctx: Ctx,
    *,
    user_id: UUID,
    version: int,
    name: str,
    post: str,
    phone: str | None,
    place: Place,
) -> User:
    """`phone` None keeps the number. Raises NotFound, UnitNotYours, StaleVersion, PersonAbove,
    BeyondYourOwn and LastAdministrator."""
    user = await get_own_user(ctx, user_id, version=version)
    before = {"name": user.name, "post": user.post, "org_id": str(user.org_id)}
    await require_above(ctx, user, with_permissions=False)
    if (place.org_id, place.department_id) != (user.org_id, user.department_id):
        await _check_home(ctx, place)
    async with governed(ctx):
        await _put_grants(ctx, user, place)
        user.name = name
        user.post = post
        user.phone = user.phone if phone is None else phone
        user.org_id = place.org_id
        user.department_id = place.department_id
        user.version += 1
    await audit.record_on(
        ctx,
        user,
        "accounts.user.changed",
        before=before,
        after={"name": name, "post": post, "org_id": str(place.org_id)},
    )
    return user


async def _put_grants(ctx: Ctx, user: User, place: Place) -> None:
    """Make the person's grants those of `place`. What is taken away needs no right of one's own
    beyond managing the unit; what is given, the caller must hold.

    Who holds different roles in different units keeps them so while `place` names the same ones.
    """
    await in_turn(ctx)
    held = {
        (grant.role_id, grant.unit_id): grant
        for grant in (
            await ctx.session.execute(select(Grant).where(col(Grant.user_id) == user.id))
        ).scalars()
    }
    wanted = {(role_id, unit_id) for role_id in place.role_ids for unit_id in place.unit_ids}
    if wanted == {(role_id, unit_id) for role_id, _ in held for _, unit_id in held}:
        wanted = set(held)
    if wanted == held.keys() and user.org_id == place.org_id:
        return
    if wanted - held.keys():
        await _check_given(ctx, place.role_ids, place.unit_ids, "role_ids", "unit_ids")
    for pair, grant in held.items():
        # A grant is its person's row: who moves to another unit takes the grants along.
        if pair not in wanted or user.org_id != place.org_id:
            await ctx.session.delete(grant)
    await ctx.session.flush()  # before the same pair is added for another unit's row
    kept = held.keys() if user.org_id == place.org_id else set()
    for role_id, unit_id in sorted(wanted - kept, key=str):
        ctx.session.add(
            Grant(**ctx.stamp(place.org_id), user_id=user.id, role_id=role_id, unit_id=unit_id)
        )
    if wanted != held.keys():
        await audit.record_on(
            ctx,
            user,
            "accounts.user.granted",
            before={"grants": _told(held.keys())},
            after={"grants": _told(wanted)},
        )


def _told(pairs: Collection[tuple[UUID, UUID]]) -> list[dict[str, str]]:
    return [
        {"role_id": str(role_id), "unit_id": str(unit_id)}
        for role_id, unit_id in sorted(pairs, key=str)
    ]


async def _check_given(
    ctx: Ctx,
    role_ids: Collection[UUID],
    unit_ids: Collection[UUID],
    role_field: str,
    unit_field: str,
) -> None:
    for role_id in role_ids:
        role = await ctx.get(Role, role_id)
        if role.closed_on is not None:
            raise RoleClosed(name=role.name, fields=(FieldError(role_field, "role-closed"),))
    for unit_id in unit_ids:
        unit = await ctx.get(Unit, unit_id)
        if not organization.manages(ctx, unit_id):
            raise organization.UnitNotYours(
                name=unit.name, fields=(FieldError(unit_field, "unit-not-yours"),)
            )
    require_held(ctx, await permissions_of_roles(ctx, role_ids), field=role_field)


async def grant_role(ctx: Ctx, *, user_id: UUID, role_id: UUID, unit_id: UUID) -> User:
    """Let one role more hold in one unit and below, beside what the person holds elsewhere.

    Raises NotFound, UnitNotYours, PersonAbove, RoleClosed, RoleHeldThere and BeyondYourOwn.
    """
    await in_turn(ctx)
    user = await get_own_user(ctx, user_id)
    await require_above(ctx, user, with_permissions=False)
    await _check_given(ctx, [role_id], [unit_id], "role_id", "unit_id")
    held = select(col(Grant.id)).where(
        col(Grant.user_id) == user.id,
        col(Grant.role_id) == role_id,
        col(Grant.unit_id) == unit_id,
    )
    if (await ctx.session.execute(held)).first() is not None:
        raise RoleHeldThere(name=user.name, fields=(FieldError("role_id", "role-held-there"),))
    ctx.session.add(
        Grant(**ctx.stamp(user.org_id), user_id=user.id, role_id=role_id, unit_id=unit_id)
    )
    user.version += 1
    await audit.record_on(
        ctx, user, "accounts.user.granted", after={"grants": _told([(role_id, unit_id)])}
    )
    return user


async def disable_user(ctx: Ctx, *, user_id: UUID, reason: str) -> User:
    """The account's sessions end with this transaction.

    Raises NotFound, UnitNotYours, NotYourself, PersonAbove, UserStateSame and LastAdministrator.
    """
    user = await get_own_user(ctx, user_id)
    if user.id == ctx.principal.id:
        raise NotYourself
    await require_above(ctx, user, with_permissions=False)
    if user.disabled_at is not None:
        raise UserStateSame(name=user.name, state="disabled")
    async with governed(ctx):
        user.disabled_at = ctx.now
        user.version += 1
    await ctx.session.execute(_END_SESSIONS, {"user_id": user.id})
    await audit.record_on(ctx, user, "accounts.user.disabled", reason=reason)
    return user


async def enable_user(ctx: Ctx, *, user_id: UUID) -> User:
    """Raises NotFound, UnitNotYours, PersonAbove and UserStateSame."""
    user = await get_own_user(ctx, user_id)
    await require_above(ctx, user, with_permissions=True)
    if user.disabled_at is None:
        raise UserStateSame(name=user.name, state="active")
    user.disabled_at = None
    user.version += 1
    await audit.record_on(ctx, user, "accounts.user.enabled")
    return user


async def reset_password(ctx: Ctx, *, user_id: UUID) -> FirstPassword:
    """A new first password, answered once. Raises NotFound, UnitNotYours and PersonAbove."""
    user = await get_own_user(ctx, user_id)
    await require_above(ctx, user, with_permissions=True)
    password = _initial_password()
    await _set_password(ctx, user, await hashed(password))
    user.password_due = True
    user.version += 1
    await audit.record_on(ctx, user, "accounts.password.reset")
    return _first(user, password)


async def refuse_unit_with_staff(ctx: Ctx, event: UnitClosing) -> None:
    """Raises UnitWithStaff."""
    count = await _active(ctx, col(User.org_id) == event.unit_id)
    if count:
        raise UnitWithStaff(name=event.name, count=count)


async def refuse_department_with_staff(ctx: Ctx, event: DepartmentClosing) -> None:
    """Raises DepartmentWithStaff."""
    count = await _active(ctx, col(User.department_id) == event.department_id)
    if count:
        raise DepartmentWithStaff(name=event.name, count=count)


async def _active(ctx: Ctx, where: object) -> int:
    counted = select(func.count()).where(col(User.disabled_at).is_(None), where)  # type: ignore[arg-type]
    return int((await ctx.session.execute(counted)).scalar_one())
