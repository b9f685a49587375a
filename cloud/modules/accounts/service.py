"""Logging in and out, and making accounts, roles and grants."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import text

from cloud.kernel import audit
from cloud.kernel.auth import new_token, token_hash
from cloud.kernel.clock import utc_now
from cloud.kernel.context import Ctx
from cloud.kernel.db import Sessions
from cloud.kernel.errors import FieldError, NotFound, TooMany, Unauthenticated, Unprocessable
from cloud.modules.accounts.models import Grant, Role, RolePermission, User

SESSION_LIFE = timedelta(hours=12)
TRIES_MAX = 5
LOCK_S = 15 * 60
PASSWORD_LENGTH_MIN = 8

_HASHER = PasswordHasher()
# Verified for a login that does not exist, so that it takes as long as a wrong password.
_NOBODY = _HASHER.hash(new_token())

_CREDENTIAL = text("SELECT * FROM accounts_credential_of(:login, :now)")
_FAILED = text("SELECT accounts_login_failed(:login, :now, :tries, :lock_s)")
_OPEN = text("SELECT accounts_open_session(:user_id, :hash, :now, :until)")
_CLOSE = text("SELECT accounts_close_session(:hash)")
_SET_PASSWORD = text("SELECT accounts_set_password(:user_id, :hash)")


class WrongCredentials(Unauthenticated):
    message = "Account or password is wrong. {left} tries left."


class LoginLocked(TooMany):
    message = "Too many wrong passwords. Try again in {minutes} minutes."


class PasswordTooShort(Unprocessable):
    message = "A password has at least {length} characters."


async def log_in(sessions: Sessions, *, login: str, password: str) -> str:
    """A new session's token. Raises WrongCredentials or, after five tries, LoginLocked.

    A disabled account reads like a wrong password.

    Stands outside the unit of work: nobody is acting yet, and a failed try must be remembered.
    """
    now = utc_now()
    async with sessions() as session, session.begin():
        found = (await session.execute(_CREDENTIAL, {"login": login, "now": now})).one()
    if found.locked_until is not None:
        seconds = int((found.locked_until - now).total_seconds()) + 1
        raise LoginLocked(seconds=seconds, minutes=-(-seconds // 60))
    is_right = await asyncio.to_thread(_verify, found.password_hash or _NOBODY, password)
    token = new_token()
    async with sessions() as session, session.begin():
        if is_right and found.user_id is not None:
            opened = {
                "user_id": found.user_id,
                "hash": token_hash(token),
                "now": now,
                "until": now + SESSION_LIFE,
            }
            if (await session.execute(_OPEN, opened)).scalar_one() is not None:
                return token
        tried = {"login": login, "now": now, "tries": TRIES_MAX, "lock_s": LOCK_S}
        failed: int = (await session.execute(_FAILED, tried)).scalar_one()
    raise WrongCredentials(left=max(0, TRIES_MAX - failed))


async def log_out(sessions: Sessions, *, token: str) -> None:
    """End the session. Ending it twice is not an error."""
    async with sessions() as session, session.begin():
        await session.execute(_CLOSE, {"hash": token_hash(token)})


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False


async def choose_locale(ctx: Ctx, *, locale: str) -> User:
    assert ctx.principal.id is not None
    user = await ctx.get(User, ctx.principal.id, lock=True)
    user.locale = locale
    return user


async def add_user(
    ctx: Ctx, *, org_id: UUID, login: str, name: str, post: str, password: str
) -> User:
    """Raises PasswordTooShort."""
    if len(password) < PASSWORD_LENGTH_MIN:
        raise PasswordTooShort(
            length=PASSWORD_LENGTH_MIN, fields=(FieldError("password", "string_too_short"),)
        )
    user = User(**ctx.stamp(org_id), login=login, name=name, post=post)
    ctx.session.add(user)
    await ctx.session.flush()  # the function below reads the row
    password_hash = await asyncio.to_thread(_HASHER.hash, password)
    known = await ctx.session.execute(_SET_PASSWORD, {"user_id": user.id, "hash": password_hash})
    if not known.scalar_one():
        raise NotFound
    await audit.record(
        ctx,
        action="accounts.user.added",
        subject_kind="accounts.user",
        subject_id=user.id,
        org_id=org_id,
        after={"login": login, "name": name},
    )
    return user


async def add_role(ctx: Ctx, *, code: str, name: str, permissions: Iterable[str]) -> Role:
    role = Role(**ctx.stamp(ctx.principal.company_id), code=code, name=name)
    ctx.session.add(role)
    await ctx.session.flush()  # without a relationship the order of inserts is not known
    for permission in permissions:
        ctx.session.add(
            RolePermission(
                **ctx.stamp(ctx.principal.company_id), role_id=role.id, permission=permission
            )
        )
    return role


async def grant_role(ctx: Ctx, *, user_id: UUID, role_id: UUID, unit_id: UUID) -> Grant:
    """Let the role hold for the person in the unit and below. Foreign ids are loaded first."""
    user = await ctx.get(User, user_id)
    role = await ctx.get(Role, role_id)
    grant = Grant(**ctx.stamp(user.org_id), user_id=user.id, role_id=role.id, unit_id=unit_id)
    ctx.session.add(grant)
    await audit.record(
        ctx,
        action="accounts.role.granted",
        subject_kind="accounts.user",
        subject_id=user.id,
        org_id=user.org_id,
        after={"role": role.code, "unit_id": str(unit_id)},
    )
    return grant
