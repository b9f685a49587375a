"""JSON routes of login and accounts."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response

from cloud.kernel.auth import SESSION_COOKIE
from cloud.kernel.choices import Choices, Typed
from cloud.kernel.http import AnyoneLoggedIn
from cloud.kernel.listing import Listed, Page
from cloud.modules.accounts import queries, service
from cloud.modules.accounts.models import Role, User
from cloud.modules.accounts.permissions import ReadRoles, ReadUsers, WriteRoles, WriteUsers
from cloud.modules.accounts.schemas import (
    Boot,
    CloseRole,
    Credentials,
    DisableUser,
    FirstPassword,
    LocaleChoice,
    OwnPassword,
    PermissionCatalog,
    PublicFacts,
    RoleChange,
    RoleCopy,
    RoleCreate,
    RoleDetail,
    RoleGrant,
    RoleKept,
    RolePermissions,
    RoleRead,
    UserChange,
    UserCreate,
    UserKept,
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


@router.put("/session/password", response_model=Boot)
async def change_own_password(ctx: AnyoneLoggedIn, request: Request, wanted: OwnPassword) -> Boot:
    token = request.cookies[SESSION_COOKIE]
    await service.change_own_password(
        ctx, present=wanted.present, password=wanted.password, token=token
    )
    return await queries.boot(ctx, runtime=request.app.state.runtime, token=token)


@router.get("/accounts/users", response_model=Page[UserRead])
async def list_users(
    ctx: ReadUsers,
    listing: Listed,
    state: Literal["active", "disabled"] | None = None,
    role_id: UUID | None = None,
) -> dict[str, Any]:
    return await queries.list_users(ctx, listing, state=state, role_id=role_id)


@router.post("/accounts/users", response_model=FirstPassword, status_code=201)
async def create_user(ctx: WriteUsers, wanted: UserCreate) -> service.FirstPassword:
    return await service.open_account(
        ctx,
        login=wanted.login,
        name=wanted.name,
        post=wanted.post or "",
        phone=wanted.phone or "",
        place=wanted.place(),
    )


@router.patch("/accounts/users/{user_id}", response_model=UserKept)
async def change_user(ctx: WriteUsers, user_id: UUID, wanted: UserChange) -> User:
    return await service.change_user(
        ctx,
        user_id=user_id,
        version=wanted.version,
        name=wanted.name,
        post=wanted.post or "",
        phone=wanted.phone,
        place=wanted.place(),
    )


@router.post("/accounts/users/{user_id}/grants", response_model=UserKept, status_code=201)
async def grant_role(ctx: WriteUsers, user_id: UUID, wanted: RoleGrant) -> User:
    return await service.grant_role(
        ctx, user_id=user_id, role_id=wanted.role_id, unit_id=wanted.unit_id
    )


@router.post("/accounts/users/{user_id}/disable", response_model=UserKept)
async def disable_user(ctx: WriteUsers, user_id: UUID, wanted: DisableUser) -> User:
    return await service.disable_user(ctx, user_id=user_id, reason=wanted.reason)


@router.post("/accounts/users/{user_id}/enable", response_model=UserKept)
async def enable_user(ctx: WriteUsers, user_id: UUID) -> User:
    return await service.enable_user(ctx, user_id=user_id)


@router.post("/accounts/users/{user_id}/password", response_model=FirstPassword)
async def reset_password(ctx: WriteUsers, user_id: UUID) -> service.FirstPassword:
    return await service.reset_password(ctx, user_id=user_id)


@router.get("/accounts/roles", response_model=Page[RoleRead])
async def list_roles(ctx: ReadRoles, listing: Listed) -> dict[str, Any]:
    return await queries.list_roles(ctx, listing)


@router.get("/accounts/lookup/roles", response_model=Choices)
async def role_choices(ctx: ReadRoles, q: Typed = "") -> Choices:
    return await queries.role_choices(ctx, q)


@router.get("/accounts/permissions", response_model=PermissionCatalog)
async def list_permissions(ctx: ReadRoles, request: Request) -> PermissionCatalog:
    return queries.catalog_of(ctx, request.app.state.runtime.catalog)


@router.post("/accounts/roles", response_model=RoleKept, status_code=201)
async def create_role(ctx: WriteRoles, wanted: RoleCreate) -> Role:
    return await service.add_role(
        ctx, code=wanted.code, name=wanted.name, note=wanted.note or "", permissions=()
    )


@router.get("/accounts/roles/{role_id}", response_model=RoleDetail)
async def read_role(ctx: ReadRoles, role_id: UUID) -> RoleDetail:
    return await queries.read_role(ctx, role_id)


@router.patch("/accounts/roles/{role_id}", response_model=RoleKept)
async def change_role(ctx: WriteRoles, role_id: UUID, wanted: RoleChange) -> Role:
    return await service.change_role(
        ctx,
        role_id=role_id,
        version=wanted.version,
        name=wanted.name,
        note=wanted.note or "",
    )


@router.put("/accounts/roles/{role_id}/permissions", response_model=RoleKept)
async def set_permissions(
    ctx: WriteRoles, role_id: UUID, wanted: RolePermissions, request: Request
) -> Role:
    return await service.set_permissions(
        ctx,
        role_id=role_id,
        version=wanted.version,
        permissions=wanted.permissions,
        known=request.app.state.runtime.catalog.codes,
    )


@router.post("/accounts/roles/{role_id}/copy", response_model=RoleKept, status_code=201)
async def copy_role(ctx: WriteRoles, role_id: UUID, wanted: RoleCopy) -> Role:
    return await service.copy_role(ctx, role_id=role_id, code=wanted.code, name=wanted.name)


@router.post("/accounts/roles/{role_id}/close", response_model=RoleKept)
async def close_role(ctx: WriteRoles, role_id: UUID, wanted: CloseRole) -> Role:
    return await service.close_role(ctx, role_id=role_id, reason=wanted.reason)
