"""HTTP: who calls, the transaction of a direct route, and how refusals are rendered."""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cloud.kernel.auth import CSRF_HEADER, SESSION_COOKIE, csrf_token
from cloud.kernel.context import Ctx, Door, Principal
from cloud.kernel.errors import Conflict, Forbidden, Unauthenticated, Unprocessable
from cloud.kernel.i18n import pick_locale
from cloud.kernel.records import IdempotencyKey
from cloud.kernel.uow import unit_of_work

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
KEY_HEADER = "Idempotency-Key"
KEY_LENGTH_MAX = 100


class CsrfTokenWrong(Forbidden):
    message = "The page is out of date. Reload it and try again."


class IdempotencyKeyMissing(Unprocessable):
    message = "Send an Idempotency-Key header: money must not be booked twice by a retry."


class IdempotencyKeyReused(Conflict):
    message = "This Idempotency-Key was already used for another request. Use a new one."


async def current_principal(request: Request) -> Principal:
    """Raises Unauthenticated, and CsrfTokenWrong for a write without the page's token."""
    token = _token(request)
    return _admitted(request, token, await request.app.state.runtime.authenticator.by_token(token))


CurrentPrincipal = Annotated[Principal, Depends(current_principal)]


async def current_ctx(request: Request) -> AsyncIterator[Ctx]:
    """The request's one transaction, whose first statement says who calls.

    Only `allow` may name it: a second Depends opens a second. Raises as current_principal does.
    """
    runtime = request.app.state.runtime
    token = _token(request)

    async def enter(session: AsyncSession) -> Principal:
        return _admitted(request, token, await runtime.authenticator.enter(session, token))

    body = await request.body() if request.method not in SAFE_METHODS else b""
    async with unit_of_work(
        runtime.sessions,
        enter,
        bus=runtime.bus,
        request_id=request.state.request_id,
        texts=runtime.texts,
    ) as ctx:
        yield replace(ctx, door=_door(request, body, ctx.principal))


def _door(request: Request, body: bytes, principal: Principal) -> Door:
    return Door(
        route=f"{request.method} {request.scope['path']}",
        key=request.headers.get(KEY_HEADER),
        digest=hashlib.sha256(body).digest(),
        address=request.client.host if request.client else "",
        locale=pick_locale(request.headers.get("accept-language"), principal.locale),
    )


def _token(request: Request) -> str:
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        raise Unauthenticated
    return token


def _admitted(request: Request, token: str, principal: Principal | None) -> Principal:
    if principal is None:
        raise Unauthenticated
    if request.method not in SAFE_METHODS and request.headers.get(CSRF_HEADER) != csrf_token(token):
        raise CsrfTokenWrong
    request.state.principal = principal
    return principal


class Permitted:
    """Ties a dependency to the permission it asks for, so that guards and pages can read it."""

    def __init__(self, permission: StrEnum) -> None:
        self.permission = permission

    def bind(self, dependency: Callable[..., Any]) -> Callable[..., Any]:
        dependency.__dict__["permission"] = self.permission
        return dependency


def allow(permission: StrEnum) -> Any:
    """The Ctx of a direct route that needs `permission`; aliased in a module's permissions.py."""

    async def permitted(
        # scope="function": with FastAPI's default the COMMIT would come after the answer, and a
        # failing one would have answered 200 (seen).
        ctx: Annotated[Ctx, Depends(current_ctx, scope="function")],
    ) -> Ctx:
        return await ctx.acting(permission)

    return Depends(Permitted(permission).bind(permitted), scope="function")


async def _logged_in(ctx: Annotated[Ctx, Depends(current_ctx, scope="function")]) -> Ctx:
    return ctx


# For the few routes that concern only the caller's own session; a guard lists them.
AnyoneLoggedIn = Annotated[Ctx, Depends(_logged_in, scope="function")]

Endpoint = Callable[..., Awaitable[Any]]


def idempotent(model: type[BaseModel], *, status: int = 200) -> Callable[[Endpoint], Endpoint]:
    """Answer a repeated Idempotency-Key from the store; required on the routes that move money.

    The answer is stored in the transaction that earned it. A second request with the same key waits
    for the first, then gets its answer; with another body it is refused.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(model)

    def decorate(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        async def once(**kwargs: Any) -> JSONResponse:
            ctx: Ctx = kwargs["ctx"]
            stored = await _claim(ctx)
            if stored is not None:
                return JSONResponse(stored.answer, status_code=stored.status or status)
            result = await endpoint(**kwargs)
            answer = adapter.dump_python(
                adapter.validate_python(result, from_attributes=True), mode="json"
            )
            await _store(ctx, status, answer)
            return JSONResponse(answer, status_code=status)

        once.__dict__["idempotent"] = True
        once.__dict__["__signature__"] = inspect.signature(endpoint)
        return once

    return decorate


async def _claim(ctx: Ctx) -> IdempotencyKey | None:
    """None when the key is new and now ours; the row when it has been answered."""
    key = ctx.door.key
    if not key or len(key) > KEY_LENGTH_MAX:
        raise IdempotencyKeyMissing
    claimed = await ctx.session.execute(
        insert(IdempotencyKey)
        .values(
            company_id=ctx.principal.company_id,
            principal_id=ctx.principal.id,
            key=key,
            route=ctx.door.route,
            digest=ctx.door.digest,
            created_at=ctx.now,
        )
        .on_conflict_do_nothing()
        .returning(col(IdempotencyKey.key))
    )
    if claimed.scalar_one_or_none() is not None:
        return None
    row: IdempotencyKey = (
        await ctx.session.execute(select(IdempotencyKey).where(*_own_key(ctx)))
    ).scalar_one()
    if row.digest != ctx.door.digest or row.route != ctx.door.route:
        raise IdempotencyKeyReused
    return row


async def _store(ctx: Ctx, status: int, answer: Any) -> None:
    await ctx.session.execute(
        update(IdempotencyKey)
        .where(*_own_key(ctx))
        .values(status=status, answer=answer)
        .execution_options(synchronize_session=False)
    )


def _own_key(ctx: Ctx) -> tuple[Any, Any]:
    return (
        col(IdempotencyKey.principal_id) == ctx.principal.id,
        col(IdempotencyKey.key) == ctx.door.key,
    )
