"""JSON routes of login and accounts."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from cloud.kernel.auth import SESSION_COOKIE
from cloud.kernel.http import AnyoneLoggedIn
from cloud.kernel.listing import Listed, Page
from cloud.modules.accounts import queries, service
from cloud.modules.accounts.permissions import ReadRoles, ReadUsers
from cloud.modules.accounts.schemas import (
    Boot,
    Credentials,
    LocaleChoice,
    PublicFacts,
    RoleRead,
    UserRead,
)

router = APIRouter(prefix="/api/v1", tags=["accounts"])


@router.get("/session/public", response_model=PublicFacts)
async def public_facts(request: Request) -> PublicFacts:
    runtime = request.app.state.runtime
    token = request.cookies.get(SESSION_COOKIE, "")
    known = await runtime.authenticator.by_token(token) if token else None
    return PublicFacts(
        demo=runtime.settings.demo, version=runtime.version, logged_in=known is not None
    )


@router.post("/session", response_model=Boot)
async def log_in(request: Request, response: Response, credentials: Credentials) -> Boot:
    runtime = request.app.state.runtime
    token = await service.log_in(
        runtime.sessions, login=credentials.login, password=credentials.password
    )
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(service.SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return await queries.boot_of_token(runtime, token)


@router.delete("/session", status_code=204)
async def log_out(request: Request, response: Response) -> None:
    token = request.cookies.get(SESSION_COOKIE, "")
    await service.log_out(request.app.state.runtime.sessions, token=token)
    response.delete_cookie(SESSION_COOKIE)


@router.get("/session", response_model=Boot)
async def read_session(ctx: AnyoneLoggedIn, request: Request) -> Boot:
    token = request.cookies[SESSION_COOKIE]
    return await queries.boot(ctx, runtime=request.app.state.runtime, token=token)


@router.put("/session/locale", response_model=Boot)
async def choose_locale(ctx: AnyoneLoggedIn, request: Request, choice: LocaleChoice) -> Boot:
    await service.choose_locale(ctx, locale=choice.locale)
    token = request.cookies[SESSION_COOKIE]
    return await queries.boot(ctx, runtime=request.app.state.runtime, token=token)


@router.get("/accounts/users", response_model=Page[UserRead])
async def list_users(ctx: ReadUsers, listing: Listed) -> dict[str, Any]:
    return await queries.list_users(ctx, listing)


@router.get("/accounts/roles", response_model=Page[RoleRead])
async def list_roles(ctx: ReadRoles, listing: Listed) -> dict[str, Any]:
    return await queries.list_roles(ctx, listing)
