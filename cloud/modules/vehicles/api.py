"""JSON routes of vehicles."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from cloud.kernel.listing import Listed, Page
from cloud.modules.vehicles import queries, service
from cloud.modules.vehicles.models import PlateType, Vehicle
from cloud.modules.vehicles.permissions import ReadVehicles, WriteVehicles
from cloud.modules.vehicles.queries import VehicleState
from cloud.modules.vehicles.schemas import (
    VehicleChange,
    VehicleClose,
    VehicleCreate,
    VehicleRead,
    VehicleSaved,
)
from cloud.modules.vehicles.service import VehicleFacts

router = APIRouter(prefix="/api/v1/vehicles", tags=["vehicles"])


@router.get("/vehicles", response_model=Page[VehicleRead])
async def list_vehicles(
    ctx: ReadVehicles,
    listing: Listed,
    plate_type: PlateType | None = None,
    state: VehicleState | None = None,
) -> dict[str, Any]:
    return await queries.list_vehicles(ctx, listing, plate_type=plate_type, state=state)


@router.post("/vehicles", response_model=VehicleSaved, status_code=201)
async def add_vehicle(ctx: WriteVehicles, wanted: VehicleCreate) -> Vehicle:
    return await service.add_vehicle(ctx, site_id=wanted.site_id, facts=_facts(wanted))


@router.patch("/vehicles/{vehicle_id}", response_model=VehicleSaved)
async def change_vehicle(ctx: WriteVehicles, vehicle_id: UUID, wanted: VehicleChange) -> Vehicle:
    return await service.change_vehicle(
        ctx, vehicle_id=vehicle_id, version=wanted.version, facts=_facts(wanted)
    )


@router.post("/vehicles/{vehicle_id}/close", response_model=VehicleSaved)
async def close_vehicle(ctx: WriteVehicles, vehicle_id: UUID, wanted: VehicleClose) -> Vehicle:
    return await service.close_vehicle(ctx, vehicle_id=vehicle_id, reason=wanted.reason)


def _facts(wanted: VehicleCreate | VehicleChange) -> VehicleFacts:
    return VehicleFacts(**wanted.model_dump(exclude={"site_id", "version"}))
