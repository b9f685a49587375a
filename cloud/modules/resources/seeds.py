"""The demo communities' buildings, units and rooms."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from cloud.kernel.context import Ctx
from cloud.kernel.seeding import Seeding
from cloud.modules.resources import service
from cloud.modules.resources.service import RoomFacts

HANDED_OVER_ON = date(2023, 9, 28)
MOVED_IN_ON = date(2023, 12, 1)


async def seed(seeding: Seeding) -> None:
    for site in seeding.community["sites"]:
        async with seeding.unit() as ctx:
            await _seed_site(ctx, seeding, site)


async def _seed_site(ctx: Ctx, seeding: Seeding, site: dict[str, Any]) -> None:
    code, ids = site["code"], seeding.ids
    for building in site["buildings"]:
        made = await service.add_building(
            ctx, site_id=ids[f"site:{code}"], code=building["code"], name=building["name"]
        )
        ids[f"building:{code}/{made.path}"] = made.id
        for number in range(1, building["units"] + 1):
            unit = await service.add_unit(
                ctx, building_id=made.id, code=str(number), name=f"{number}单元"
            )
            ids[f"unit:{code}/{unit.path}"] = unit.id
    for room in site["rooms"]:
        above, _, number = room["at"].rpartition("-")
        area = Decimal(room["area"])
        space = await service.add_room(
            ctx,
            parent_id=ids[f"unit:{code}/{above}"],
            code=number,
            facts=RoomFacts(
                building_area=area,
                chargeable_area=area,
                handover_on=HANDED_OVER_ON,
                move_in_on=MOVED_IN_ON,
            ),
        )
        ids[f"room:{code}/{space.path}"] = space.id
