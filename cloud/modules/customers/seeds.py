"""The demo communities' owners: each owns one room alone and pays for it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cloud.kernel import catalogue
from cloud.kernel.seeding import Seeding
from cloud.modules.customers import rules, service
from cloud.modules.customers.models import PartyKind, RoomRole
from cloud.modules.customers.service import Tenure

OWNED_FROM = date(2024, 1, 1)


TYPES = (("owner", "业主"), ("tenant", "租户"), ("merchant", "商户"), ("partner", "合作单位"))
RELATIONS = (("spouse", "配偶"), ("parent", "父母"), ("child", "子女"), ("relative", "其他亲属"))


async def seed(seeding: Seeding) -> None:
    async with seeding.unit() as ctx:
        for list_code, entries in ((rules.CUSTOMER_TYPES, TYPES), (rules.RELATIONS, RELATIONS)):
            for rank, (code, name) in enumerate(entries, 1):
                await catalogue.add_entry(
                    ctx, list_code, code=code, name=name, rank=rank * 10, is_system=True
                )
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
