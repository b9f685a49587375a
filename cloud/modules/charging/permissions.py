"""What may be done in charging."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow
from cloud.kernel.turns import TurnDoor, turn


class ChargingPermission(StrEnum):
    item_read = "charging.item:read"
    item_write = "charging.item:write"
    standard_read = "charging.standard:read"
    standard_write = "charging.standard:write"
    binding_read = "charging.binding:read"
    binding_write = "charging.binding:write"
    bill_read = "charging.bill:read"
    run_read = "charging.run:read"
    run_write = "charging.run:write"
    run_publish = "charging.run:publish"


ReadItems = Annotated[Ctx, allow(ChargingPermission.item_read)]
WriteItems = Annotated[Ctx, allow(ChargingPermission.item_write)]
ReadStandards = Annotated[Ctx, allow(ChargingPermission.standard_read)]
WriteStandards = Annotated[Ctx, allow(ChargingPermission.standard_write)]
ReadBindings = Annotated[Ctx, allow(ChargingPermission.binding_read)]
WriteBindings = Annotated[Ctx, allow(ChargingPermission.binding_write)]
ReadBills = Annotated[Ctx, allow(ChargingPermission.bill_read)]
ReadRuns = Annotated[Ctx, allow(ChargingPermission.run_read)]
WriteRuns = Annotated[Ctx, allow(ChargingPermission.run_write)]
GenerateRuns = Annotated[TurnDoor, turn(ChargingPermission.run_write)]
PublishRuns = Annotated[TurnDoor, turn(ChargingPermission.run_publish)]
