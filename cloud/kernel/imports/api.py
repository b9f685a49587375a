"""Routes of imports, below the page of the list that takes the rows."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from cloud.kernel.exports.service import XLSX
from cloud.kernel.http import AnyoneLoggedIn
from cloud.kernel.imports import service
from cloud.kernel.imports.schemas import ImportMode, ImportReport

router = APIRouter(prefix="/api/v1/ui", tags=["ui"])

_WORKBOOK: dict[int | str, dict[str, Any]] = {200: {"content": {XLSX: {}}}}
_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
Options = Annotated[list[str], Query(max_length=10)]


@router.get("/pages/{code}/import/template", response_class=Response, responses=_WORKBOOK)
async def import_template(request: Request, ctx: AnyoneLoggedIn, code: str) -> Response:
    return await service.import_template(ctx, request, code=code)


@router.post("/pages/{code}/import", response_model=ImportReport, openapi_extra=_FILE)
async def import_rows(
    request: Request,
    ctx: AnyoneLoggedIn,
    code: str,
    site_id: UUID | None = None,
    mode: ImportMode = ImportMode.check,
    options: Options = [],  # noqa: B006 - FastAPI copies it
) -> ImportReport:
    return await service.import_rows(
        ctx, request, code=code, site_id=site_id, mode=mode, options=options
    )


@router.post(
    "/pages/{code}/import/report",
    response_class=Response,
    openapi_extra=_FILE,
    responses=_WORKBOOK,
)
async def import_report(
    request: Request,
    ctx: AnyoneLoggedIn,
    code: str,
    site_id: UUID | None = None,
    options: Options = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    return await service.import_report(ctx, request, code=code, site_id=site_id, options=options)
