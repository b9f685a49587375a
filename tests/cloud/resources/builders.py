"""Spaces for tests, made through the service."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.modules.resources import service
from cloud.modules.resources.models import Space
from cloud.modules.resources.service import RoomFacts


async def add_room(
    ctx: Ctx, site_id: UUID, *, code: str = "101", area: str | None = "89.53", building: str = "1"
) -> Space:
    """A room in its own building and unit: add only one in each building."""
    above = await service.add_building(ctx, site_id=site_id, code=building, name=f"{building}幢")
    unit = await service.add_unit(ctx, building_id=above.id, code="1", name="1单元")
    facts = RoomFacts(building_area=Decimal(area) if area else None)
    return await service.add_room(ctx, parent_id=unit.id, code=code, facts=facts)
