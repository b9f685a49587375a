"""What may be done with vehicles. Who may read them sees whole plates."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class VehiclesPermission(StrEnum):
    vehicle_read = "vehicles.vehicle:read"
    vehicle_write = "vehicles.vehicle:write"


ReadVehicles = Annotated[Ctx, allow(VehiclesPermission.vehicle_read)]
WriteVehicles = Annotated[Ctx, allow(VehiclesPermission.vehicle_write)]
