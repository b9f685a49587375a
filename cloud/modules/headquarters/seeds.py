"""The demo company's targets of this year: one for all, a higher one for one region."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from cloud.kernel.seeding import Seeding
from cloud.modules.headquarters import service

TARGETS = {"company": ("0.92", "0.60", "0.85"), "region:HD": ("0.95", "0.65", "0.88")}


async def seed(seeding: Seeding) -> None:
    this_year = seeding.now.astimezone(ZoneInfo("Asia/Shanghai")).date().replace(month=1, day=1)
    async with seeding.unit() as ctx:
        for place, (current, old, combined) in TARGETS.items():
            await service.set_target(
                ctx,
                unit_id=seeding.ids[place],
                month=this_year,
                current_rate=Decimal(current),
                old_rate=Decimal(old),
                combined_rate=Decimal(combined),
            )
