"""JSON routes of metering."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from cloud.kernel.choices import Choices, Typed
from cloud.kernel.listing import Listed, Page
from cloud.modules.metering import queries, service
from cloud.modules.metering.models import (
    Meter,
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
    WriteMeters,
)
from cloud.modules.metering.schemas import (
    MeterChangeCreate,
    MeterChangeRead,
    MeterConnect,
    MeterCorrect,
    MeterCreate,
    MeterDetail,
    MeterRead,
    MeterRemove,
    MeterSaved,
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


@router.post("/meters", response_model=MeterSaved, status_code=201)
async def put_up_meter(ctx: WriteMeters, wanted: MeterCreate) -> Meter:
    return await service.put_up_meter(ctx, spec=service.MeterSpec(**wanted.model_dump()))


@router.get("/meters/choices", response_model=Choices)
async def meter_choices(ctx: ReadMeters, q: Typed = "") -> Choices:
    return await queries.meter_choices(ctx, q)


@router.get("/points/choices", response_model=Choices)
async def point_choices(ctx: ReadMeters, q: Typed = "") -> Choices:
    return await queries.point_choices(ctx, q)


@router.get("/meters/{meter_id}", response_model=MeterDetail)
async def read_meter(ctx: ReadMeters, meter_id: UUID) -> MeterDetail:
    return await queries.read_meter(ctx, meter_id)


@router.patch("/meters/{meter_id}", response_model=MeterSaved)
async def correct_meter(ctx: WriteMeters, meter_id: UUID, wanted: MeterCorrect) -> Meter:
    return await service.correct_meter(ctx, meter_id=meter_id, **wanted.model_dump())


@router.post("/meters/{meter_id}/connect", response_model=MeterSaved)
async def connect_meter(ctx: WriteMeters, meter_id: UUID, wanted: MeterConnect) -> Meter:
    return await service.connect_meter(ctx, meter_id=meter_id, point_no=wanted.point_no)


@router.post("/meters/{meter_id}/remove", response_model=MeterSaved)
async def remove_meter(ctx: WriteMeters, meter_id: UUID, wanted: MeterRemove) -> Meter:
    return await service.take_away_meter(
        ctx, meter_id=meter_id, final_value=wanted.final_value, reason=wanted.reason
    )


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
