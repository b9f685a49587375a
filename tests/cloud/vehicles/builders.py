"""Vehicles for tests, made through the service."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.modules.vehicles import service
from cloud.modules.vehicles.models import PlateType, Vehicle
from cloud.modules.vehicles.service import VehicleFacts


async def add_vehicle(
    ctx: Ctx,
    site_id: UUID,
    plate: str = "粤B12345",
    *,
    plate_type: PlateType = PlateType.fuel,
    **facts: Any,
) -> Vehicle:
    return await service.add_vehicle(
        ctx, site_id=site_id, facts=VehicleFacts(plate_type=plate_type, plate=plate, **facts)
    )
