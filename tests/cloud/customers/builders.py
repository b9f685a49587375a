"""Parties for tests, made through the services."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.modules.customers import service
from cloud.modules.customers.models import Party, PartyKind, RoomParty, RoomRole
from cloud.modules.customers.service import Tenure

SINCE = date(2024, 1, 1)


async def add_party(
    ctx: Ctx, site_id: UUID, *, name: str = "张伟", phone: str = "13805765512"
) -> Party:
    return await service.add_party(
        ctx, site_id=site_id, name=name, kind=PartyKind.person, phone=phone
    )


async def own(
    ctx: Ctx,
    room_id: UUID,
    party_id: UUID,
    *,
    share: str | None = "100",
    since: date = SINCE,
    until: date | None = None,
    is_payer: bool = True,
) -> RoomParty:
    tenure = Tenure(
        role=RoomRole.owner,
        valid_from=since,
        valid_to=until,
        share=None if share is None else Decimal(share),
        is_payer=is_payer,
    )
    return await service.attach_party(ctx, room_id=room_id, party_id=party_id, tenure=tenure)
