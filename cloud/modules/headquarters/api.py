"""JSON routes of headquarters: who may open which dashboard, and the targets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from cloud.kernel.choices import Choices, Typed
from cloud.kernel.listing import Listed, Page
from cloud.modules.headquarters import queries, service
from cloud.modules.headquarters.models import Target
from cloud.modules.headquarters.permissions import (
    ReadEnergy,
    ReadFinance,
    ReadTargets,
    WriteTargets,
)
from cloud.modules.headquarters.schemas import (
    DashboardRead,
    TargetChange,
    TargetCreate,
    TargetRead,
    TargetSaved,
)
from cloud.modules.organization import queries as organization

router = APIRouter(prefix="/api/v1/headquarters", tags=["headquarters"])


@router.get("/dashboards/finance", response_model=DashboardRead)
async def open_finance(ctx: ReadFinance) -> DashboardRead:
    return await queries.dashboard(ctx, "finance")


@router.get("/dashboards/energy", response_model=DashboardRead)
async def open_energy(ctx: ReadEnergy) -> DashboardRead:
    return await queries.dashboard(ctx, "energy")


@router.get("/targets", response_model=Page[TargetRead])
async def list_targets(ctx: ReadTargets, listing: Listed) -> dict[str, Any]:
    return await queries.list_targets(ctx, listing)


@router.post("/targets", response_model=TargetSaved, status_code=201)
async def set_target(ctx: WriteTargets, wanted: TargetCreate) -> Target:
    return await service.set_target(ctx, **wanted.model_dump())


@router.patch("/targets/{target_id}", response_model=TargetSaved)
async def change_target(ctx: WriteTargets, target_id: UUID, wanted: TargetChange) -> Target:
    return await service.change_target(ctx, target_id=target_id, **wanted.model_dump())


@router.get("/lookup/units", response_model=Choices)
async def lookup_units(ctx: ReadTargets, q: Typed = "") -> Choices:
    return await organization.lookup_units(ctx, q)
