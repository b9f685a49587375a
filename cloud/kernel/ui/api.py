"""The route that serves pages to the renderer."""

from __future__ import annotations

from fastapi import APIRouter, Request

from cloud.kernel.http import CurrentPrincipal
from cloud.kernel.i18n import pick_locale
from cloud.kernel.ui.language import Detail, Table

router = APIRouter(prefix="/api/v1/ui", tags=["ui"])


@router.get("/pages/{code}", response_model=Table | Detail)
async def read_page(request: Request, principal: CurrentPrincipal, code: str) -> Table | Detail:
    locale = pick_locale(request.headers.get("accept-language"), principal.locale)
    return request.app.state.runtime.pages.page(  # type: ignore[no-any-return]
        code, permissions=principal.permissions, locale=locale
    )
