"""What may be done with meters and readings."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class MeteringPermission(StrEnum):
    meter_read = "metering.meter:read"
    meter_write = "metering.meter:write"
    meter_change = "metering.meter:change"
    reading_read = "metering.reading:read"
    reading_create = "metering.reading:create"
    reading_review = "metering.reading:review"


ReadMeters = Annotated[Ctx, allow(MeteringPermission.meter_read)]
WriteMeters = Annotated[Ctx, allow(MeteringPermission.meter_write)]
ChangeMeters = Annotated[Ctx, allow(MeteringPermission.meter_change)]
ReadReadings = Annotated[Ctx, allow(MeteringPermission.reading_read)]
CreateReadings = Annotated[Ctx, allow(MeteringPermission.reading_create)]
ReviewReadings = Annotated[Ctx, allow(MeteringPermission.reading_review)]
