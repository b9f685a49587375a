"""What may be done with devices."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow
from cloud.kernel.turns import TurnDoor, turn


class DevicesPermission(StrEnum):
    gateway_read = "devices.gateway:read"
    gateway_write = "devices.gateway:write"
    device_read = "devices.device:read"
    device_write = "devices.device:write"
    device_command = "devices.device:command"
    point_read = "devices.point:read"
    live_read = "devices.live:read"


ReadGateways = Annotated[Ctx, allow(DevicesPermission.gateway_read)]
WriteGateways = Annotated[Ctx, allow(DevicesPermission.gateway_write)]
ReadDevices = Annotated[Ctx, allow(DevicesPermission.device_read)]
WriteDevices = Annotated[Ctx, allow(DevicesPermission.device_write)]
ReadPoints = Annotated[Ctx, allow(DevicesPermission.point_read)]
ReadLive = Annotated[Ctx, allow(DevicesPermission.live_read)]
CommandDevices = Annotated[TurnDoor, turn(DevicesPermission.device_command)]
