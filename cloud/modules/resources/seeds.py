"""The demo communities' buildings, units and rooms."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from cloud.kernel import catalogue
from cloud.kernel.context import Ctx
from cloud.kernel.seeding import Seeding
from cloud.modules.resources import rules, service
from cloud.modules.resources.models import RoomState
from cloud.modules.resources.service import RoomFacts

HANDED_OVER_ON = date(2023, 9, 28)
MOVED_IN_ON = date(2023, 12, 1)


# code, name, and up to which area a demo room is one.
ROOM_TYPES = (
    ("1b", "一室一厅", Decimal(60)),
    ("2b", "两室两厅", Decimal(100)),
    ("3b", "三室两厅", Decimal(140)),
    ("4b", "四室两厅", Decimal(1000)),
)
# Every so many rooms of a demo community one is in another state than lived in.
STATES = (
    (17, RoomState.decorating, date(2026, 10, 8), "装修备案 2026-10"),
    (23, RoomState.vacant, date(2026, 7, 1), "业主申报空置"),
)


async def seed(seeding: Seeding) -> None:
    async with seeding.unit() as ctx:
        for rank, (code, name, _) in enumerate(ROOM_TYPES, 1):
            entry = await catalogue.add_entry(
                ctx, rules.ROOM_TYPES, code=code, name=name, rank=rank * 10, is_system=True
            )
            seeding.ids[f"room_type:{code}"] = entry.id
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
    for count, room in enumerate(site["rooms"], 1):
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
                room_type_id=next(
                    ids[f"room_type:{kind}"] for kind, _, most in ROOM_TYPES if area <= most
                ),
            ),
        )
        ids[f"room:{code}/{space.path}"] = space.id
        for every, state, since, note in STATES:
            if count % every == 0:
                await ctx.session.flush()  # the state's change reads the room
                await service.change_room_state(
                    ctx, room_id=space.id, version=1, state=state, on=since, note=note
                )
