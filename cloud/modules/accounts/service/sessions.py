"""Logging in and out, and what a person changes of their own account."""

from __future__ import annotations

import asyncio
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
from cloud.kernel.errors import FieldError, TooMany, Unauthenticated, Unprocessable

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
_OWN = text("SELECT accounts_principal_of_user(:user_id)")
_CHANGE_OWN = text("SELECT accounts_change_own(:user_id, :hash, :kept, :locale)")


class WrongCredentials(Unauthenticated):
    message = "Account or password is wrong. {left} tries left."


class LoginLocked(TooMany):
    message = "Too many wrong passwords. Try again in {minutes} minutes."


class PasswordTooShort(Unprocessable):
    message = "A password has at least {length} characters."


class PasswordWrong(Unprocessable):
    message = "This is not your present password."


class PasswordSame(Unprocessable):
    message = "Choose a password that differs from the present one and from your account."


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


async def hashed(password: str) -> str:
    """Raises PasswordTooShort."""
    if len(password) < PASSWORD_LENGTH_MIN:
        raise PasswordTooShort(
            length=PASSWORD_LENGTH_MIN, fields=(FieldError("password", "password-too-short"),)
        )
    return await asyncio.to_thread(_HASHER.hash, password)


async def choose_locale(ctx: Ctx, *, locale: str) -> None:
    await _change_own(ctx, locale=locale)


async def change_own_password(ctx: Ctx, *, present: str, password: str, token: str) -> None:
    """Other sessions end. Raises PasswordWrong, PasswordSame and PasswordTooShort."""
    own = {"user_id": ctx.principal.id}
    login: str = (await ctx.session.execute(_OWN, own)).scalar_one()["login"]
    known = (await ctx.session.execute(_CREDENTIAL, {"login": login, "now": ctx.now})).one()
    if not await asyncio.to_thread(_verify, known.password_hash or _NOBODY, present):
        raise PasswordWrong(fields=(FieldError("present", "password-wrong"),))
    if password in {present, login}:
        raise PasswordSame(fields=(FieldError("password", "password-same"),))
    await _change_own(ctx, password_hash=await hashed(password), kept=token_hash(token))
    await audit.record(
        ctx,
        action="accounts.password.changed",
        subject_kind="accounts.user",
        subject_id=ctx.principal.id,
        org_id=ctx.principal.org_id,
    )


async def _change_own(
    ctx: Ctx, *, password_hash: str | None = None, kept: bytes = b"", locale: str | None = None
) -> None:
    user_id: UUID | None = ctx.principal.id
    assert user_id is not None
    await ctx.session.execute(
        _CHANGE_OWN,
        {"user_id": user_id, "hash": password_hash, "kept": kept, "locale": locale},
    )
