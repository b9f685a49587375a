"""JSON routes of metering."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from cloud.kernel.listing import Listed, Page
from cloud.modules.metering import queries, service
from cloud.modules.metering.models import (
    MeterChange,
    MeterKind,
    MeterState,
    Reading,
    ReadingState,
)
from cloud.modules.metering.permissions import (
    ChangeMeters,
    CreateReadings,
    ReadMeters,
    ReadReadings,
    ReviewReadings,
)
from cloud.modules.metering.schemas import (
    MeterChangeCreate,
    MeterChangeRead,
    MeterRead,
    ReadingCreate,
    ReadingRead,
    TakenReading,
)

router = APIRouter(prefix="/api/v1/metering", tags=["metering"])


@router.get("/meters", response_model=Page[MeterRead])
async def list_meters(
    ctx: ReadMeters,
    listing: Listed,
    kind: MeterKind | None = None,
    state: MeterState | None = None,
) -> dict[str, Any]:
    return await queries.list_meters(ctx, listing, kind=kind, state=state)


@router.post("/meters/{meter_id}/readings", response_model=TakenReading, status_code=201)
async def record_reading(ctx: CreateReadings, meter_id: UUID, body: ReadingCreate) -> Reading:
    return await service.record_reading(
        ctx, meter_id=meter_id, value=body.value, read_on=body.read_on
    )


@router.post("/meters/{meter_id}/change", response_model=MeterChangeRead, status_code=201)
async def change_meter(ctx: ChangeMeters, meter_id: UUID, body: MeterChangeCreate) -> MeterChange:
    return await service.change_meter(
        ctx,
        meter_id=meter_id,
        old_final=body.old_final,
        new_initial=body.new_initial,
        reason=body.reason,
    )


@router.get("/readings", response_model=Page[ReadingRead])
async def list_readings(
    ctx: ReadReadings,
    listing: Listed,
    kind: MeterKind | None = None,
    state: ReadingState | None = None,
    meter_id: UUID | None = None,
) -> dict[str, Any]:
    return await queries.list_readings(ctx, listing, kind=kind, state=state, meter_id=meter_id)


@router.post("/readings/{reading_id}/accept", response_model=TakenReading)
async def accept_reading(ctx: ReviewReadings, reading_id: UUID) -> Reading:
    return await service.accept_reading(ctx, reading_id=reading_id)


@router.post("/readings/{reading_id}/refuse", response_model=TakenReading)
async def refuse_reading(ctx: ReviewReadings, reading_id: UUID) -> Reading:
    return await service.refuse_reading(ctx, reading_id=reading_id)
