"""Meters and readings for tests."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.modules.metering import service
from cloud.modules.metering.models import Meter, MeterKind, ReadingSource
from cloud.modules.metering.service import Arrived, MeterSpec

INSTALLED_ON = date(2024, 1, 1)


async def add_meter(ctx: Ctx, site_id: UUID, no: str = "E-1", **more: Any) -> Meter:
    facts: dict[str, Any] = {
        "kind": MeterKind.electricity,
        "initial_value": Decimal(0),
        "installed_on": INSTALLED_ON,
        "digits": 5,
        **more,
    }
    return await service.add_meter(ctx, site_id=site_id, spec=MeterSpec(no=no, **facts))


async def add_readings(ctx: Ctx, meter: Meter, *shown: tuple[datetime, str]) -> None:
    arrived = [Arrived(meter, at, Decimal(value)) for at, value in shown]
    await service.record_arrived(
        ctx, site_id=meter.org_id, arrived=arrived, source=ReadingSource.iot
    )
    await ctx.session.flush()  # queries of the test read them
