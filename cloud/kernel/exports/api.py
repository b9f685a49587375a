"""Routes of exports: any list as a file, and the caller's own history."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from cloud.kernel.exports import service
from cloud.kernel.exports.models import Export
from cloud.kernel.exports.schemas import ExportRead, Exports
from cloud.kernel.http import AnyoneLoggedIn

router = APIRouter(prefix="/api/v1/ui", tags=["ui"])

_WORKBOOK: dict[int | str, dict[str, Any]] = {200: {"content": {service.XLSX: {}}}}


@router.get(
    "/pages/{code}/export",
    response_class=Response,
    responses={
        **_WORKBOOK,
        429: {"description": "Too many of the caller's exports are running"},
        202: {"model": ExportRead, "description": "A long list: the worker makes the file"},
    },
)
async def export_page(request: Request, ctx: AnyoneLoggedIn, code: str) -> Response:
    return await service.export_page(
        ctx, request.app.state.runtime.pages, code=code, query=dict(request.query_params)
    )


@router.get("/exports", response_model=Exports)
async def list_exports(ctx: AnyoneLoggedIn) -> Exports:
    return await service.list_exports(ctx)


@router.get("/exports/{export_id}", response_model=ExportRead)
async def read_export(ctx: AnyoneLoggedIn, export_id: UUID) -> Export:
    return await service.read_export(ctx, export_id)


@router.get(
    "/exports/{export_id}/file",
    response_class=Response,
    responses={**_WORKBOOK, 409: {"description": "It has no file, or none yet"}},
)
async def download_export(request: Request, ctx: AnyoneLoggedIn, export_id: UUID) -> Response:
    runtime = request.app.state.runtime
    return await service.download_export(ctx, runtime.pages, runtime.files, export_id=export_id)
