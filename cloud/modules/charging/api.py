"""JSON routes of charging."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from cloud.kernel.listing import Listed, Page
from cloud.modules.charging import queries, service
from cloud.modules.charging.models import Run, RunState
from cloud.modules.charging.permissions import (
    GenerateRuns,
    PublishRuns,
    ReadBills,
    ReadBindings,
    ReadItems,
    ReadRuns,
    ReadStandards,
    WriteRuns,
)
from cloud.modules.charging.queries.bills import BillFilter
from cloud.modules.charging.schemas import (
    BillDetail,
    BillRead,
    BindingRead,
    Choices,
    ItemRead,
    RunCreate,
    RunDetail,
    RunProgress,
    RunRead,
    StandardRead,
)

router = APIRouter(prefix="/api/v1/charging", tags=["charging"])


@router.get("/bills", response_model=Page[BillRead])
async def list_bills(
    ctx: ReadBills,
    listing: Listed,
    state: BillFilter | None = None,
    item_id: UUID | None = None,
    period_from: date | None = None,
    period_to: date | None = None,
    issued: Literal["this_month"] | None = None,
) -> dict[str, Any]:
    return await queries.list_bills(
        ctx,
        listing,
        state=state,
        item_id=item_id,
        period_from=period_from,
        period_to=period_to,
        issued=issued,
    )


@router.get("/bills/{bill_id}", response_model=BillDetail)
async def read_bill(ctx: ReadBills, bill_id: UUID) -> BillDetail:
    return await queries.read_bill(ctx, bill_id)


@router.get("/bills/{bill_id}/print", response_class=Response)
async def print_bill(ctx: ReadBills, bill_id: UUID) -> Response:
    return await service.print_bill(ctx, bill_id=bill_id)


@router.get("/runs", response_model=Page[RunRead])
async def list_runs(
    ctx: ReadRuns, listing: Listed, state: RunState | None = None
) -> dict[str, Any]:
    return await queries.list_runs(ctx, listing, state=state)


@router.post("/runs", response_model=RunProgress, status_code=201)
async def create_run(ctx: WriteRuns, wanted: RunCreate) -> Run:
    return await service.create_run(
        ctx, site_id=wanted.site_id, item_ids=wanted.item_ids, period=wanted.period
    )


@router.get("/runs/{run_id}", response_model=RunDetail)
async def read_run(ctx: ReadRuns, run_id: UUID) -> RunDetail:
    return await queries.read_run(ctx, run_id)


@router.post("/runs/{run_id}/preview", response_model=RunProgress)
async def preview_run(ctx: WriteRuns, run_id: UUID) -> Run:
    return await service.preview_run(ctx, run_id=run_id)


@router.post("/runs/{run_id}/cancel", response_model=RunProgress)
async def cancel_run(ctx: WriteRuns, run_id: UUID) -> Run:
    return await service.cancel_run(ctx, run_id=run_id)


@router.post("/sites/{site_id}/runs/{run_id}/generate", response_model=RunProgress)
async def generate_run(door: GenerateRuns, site_id: UUID, run_id: UUID) -> dict[str, Any]:
    return await door.ask("charging.run.generate", site_id=site_id, run_id=str(run_id))


@router.post("/sites/{site_id}/runs/{run_id}/publish", response_model=RunProgress)
async def publish_run(door: PublishRuns, site_id: UUID, run_id: UUID) -> dict[str, Any]:
    return await door.ask("charging.run.publish", site_id=site_id, run_id=str(run_id))


@router.get("/items", response_model=Page[ItemRead])
async def list_items(ctx: ReadItems, listing: Listed) -> dict[str, Any]:
    return await queries.list_items(ctx, listing)


@router.get("/items/choices", response_model=Choices)
async def item_choices(ctx: ReadItems, q: Annotated[str, Query(max_length=100)] = "") -> Choices:
    return await queries.item_choices(ctx, q)


@router.get("/standards", response_model=Page[StandardRead])
async def list_standards(ctx: ReadStandards, listing: Listed) -> dict[str, Any]:
    return await queries.list_standards(ctx, listing)


@router.get("/bindings", response_model=Page[BindingRead])
async def list_bindings(ctx: ReadBindings, listing: Listed) -> dict[str, Any]:
    return await queries.list_bindings(ctx, listing)
