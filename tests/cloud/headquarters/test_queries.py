"""The list of targets: what was set, and what a unit without one in force takes from above."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from cloud.kernel.context import Principal
from cloud.kernel.listing import Listing
from cloud.modules.headquarters import queries, service
from tests.kit.world import World


async def set_target(world: World, unit_id: UUID, month: date, rate: str) -> None:
    async with world.unit(world.headquarters()) as ctx:
        await service.set_target(
            ctx,
            unit_id=unit_id,
            month=month,
            current_rate=Decimal(rate),
            old_rate=None,
            combined_rate=Decimal(rate),
        )


async def listed(world: World, viewer: Principal, site_id: UUID | None = None) -> list[Any]:
    async with world.unit(viewer) as ctx:
        listing = Listing(page=1, size=50, sort="unit_name", q="", site_id=site_id)
        page = await queries.list_targets(ctx, listing)
    rows = [(row.unit_name, f"{row.current_rate:.2f}", row.inherited_note) for row in page["items"]]
    assert len(rows) == page["total"]
    return sorted(rows, key=str)


async def test_a_unit_without_a_target_in_force_shows_the_nearest_above(world: World) -> None:
    alpha = world.alpha
    await set_target(world, alpha.id, date(2026, 1, 1), "0.90")
    await set_target(world, alpha.region_id, date(2026, 6, 1), "0.94")
    await set_target(world, alpha.region_id, date(2026, 11, 1), "0.95")
    await set_target(world, alpha.region_id, date(2026, 12, 1), "0.99")
    await set_target(world, alpha.site_id, date(2026, 12, 1), "0.80")
    await set_target(world, alpha.other_site_id, date(2026, 11, 1), "0.70")

    assert await listed(world, world.headquarters()) == [
        ("AR", "0.94", None),
        ("AR", "0.95", None),
        ("AR", "0.99", None),
        ("AS1", "0.80", None),
        ("AS1", "0.95", "inherited from AR"),
        ("AS2", "0.70", None),
        ("公司A", "0.90", None),
    ]


async def test_a_community_alone_shows_what_it_is_measured_against(world: World) -> None:
    await set_target(world, world.alpha.id, date(2026, 1, 1), "0.90")

    found = await listed(world, world.at_site(), world.alpha.site_id)

    assert found == [("AS1", "0.90", "inherited from 公司A")]


async def test_another_companys_targets_are_not_inherited(world: World) -> None:
    await set_target(world, world.alpha.id, date(2026, 1, 1), "0.90")

    assert await listed(world, world.headquarters(world.beta)) == []
