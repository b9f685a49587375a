"""The demo communities' owners: each owns one room alone and pays for it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cloud.kernel.seeding import Seeding
from cloud.modules.customers import service
from cloud.modules.customers.models import PartyKind, RoomRole
from cloud.modules.customers.service import Tenure

OWNED_FROM = date(2024, 1, 1)


async def seed(seeding: Seeding) -> None:
    tenure = Tenure(role=RoomRole.owner, valid_from=OWNED_FROM, share=Decimal(100), is_payer=True)
    for site in seeding.community["sites"]:
        code = site["code"]
        async with seeding.unit() as ctx:
            for room in site["rooms"]:
                party = await service.add_party(
                    ctx,
                    site_id=seeding.ids[f"site:{code}"],
                    name=room["owner"],
                    kind=PartyKind.person,
                    phone=room["phone"],
                )
                await service.attach_party(
                    ctx,
                    room_id=seeding.ids[f"room:{code}/{room['at']}"],
                    party_id=party.id,
                    tenure=tenure,
                )
                seeding.ids[f"party:{code}/{room['at']}"] = party.id
