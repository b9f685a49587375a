"""The routes that serve pages to the renderer, and keep what a person arranged there."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request

from cloud.kernel.http import AnyoneLoggedIn, CurrentPrincipal
from cloud.kernel.i18n import pick_locale
from cloud.kernel.ui import preferences
from cloud.kernel.ui.language import Detail, Table
from cloud.kernel.ui.preferences import Layout, Preferences, SavedViewCreate

router = APIRouter(prefix="/api/v1/ui", tags=["ui"])

PageCode = Annotated[str, Path(pattern=r"^[a-z_.]+$", max_length=80)]


@router.get("/pages/{code}", response_model=Table | Detail)
async def read_page(request: Request, principal: CurrentPrincipal, code: str) -> Table | Detail:
    locale = pick_locale(request.headers.get("accept-language"), principal.locale)
    return request.app.state.runtime.pages.page(  # type: ignore[no-any-return]
        code, permissions=principal.permissions, locale=locale
    )


@router.get("/preferences/{code}", response_model=Preferences)
async def read_preferences(ctx: AnyoneLoggedIn, code: PageCode) -> Preferences:
    return await preferences.read_preferences(ctx, code)


@router.put("/preferences/{code}", response_model=Preferences)
async def keep_layout(ctx: AnyoneLoggedIn, code: PageCode, layout: Layout) -> Preferences:
    return await preferences.keep_layout(ctx, code, layout)


@router.post("/preferences/{code}/views", response_model=Preferences, status_code=201)
async def save_view(ctx: AnyoneLoggedIn, code: PageCode, wanted: SavedViewCreate) -> Preferences:
    return await preferences.save_view(ctx, code, wanted)


@router.delete("/preferences/{code}/views/{view_id}", response_model=Preferences)
async def remove_view(ctx: AnyoneLoggedIn, code: PageCode, view_id: UUID) -> Preferences:
    return await preferences.remove_view(ctx, code, view_id)
