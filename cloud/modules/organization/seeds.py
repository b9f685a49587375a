"""The demo company's tree: HQ, regions, communities."""

from __future__ import annotations

from cloud.kernel.db import uuid7
from cloud.kernel.seeding import Seeding
from cloud.modules.organization import service
from cloud.modules.organization.models import UnitKind


async def seed(seeding: Seeding) -> None:
    company = seeding.community["company"]
    async with seeding.unit() as ctx:
        root = await service.found_company(ctx, code=company["code"], name=company["name"])
        seeding.ids["company"] = root.id
        entity = await service.add_legal_entity(
            ctx, name="和煦物业服务有限公司", tax_number="91330108MA2DEMO01X"
        )
        seeding.ids["legal_entity"] = entity.id
        for region in seeding.community["regions"]:
            unit = await service.add_unit(
                ctx,
                unit_id=uuid7(),
                parent_id=root.id,
                kind=UnitKind.region,
                code=region["code"],
                name=region["name"],
                city="",
            )
            seeding.ids[f"region:{region['code']}"] = unit.id
        for site in seeding.community["sites"]:
            unit = await service.add_unit(
                ctx,
                unit_id=uuid7(),
                parent_id=seeding.ids[f"region:{site['region']}"],
                kind=UnitKind.project,
                code=site["code"],
                name=site["name"],
                city=site["city"],
            )
            seeding.ids[f"site:{site['code']}"] = unit.id
