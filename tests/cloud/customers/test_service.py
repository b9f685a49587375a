"""Roles in rooms: what is refused, and what others cannot see."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from cloud.kernel.errors import NotFound
from cloud.kernel.records import AuditRow
from cloud.modules.customers import queries, service
from cloud.modules.customers.models import RoomParty, RoomRole
from cloud.modules.customers.service import (
    EndBeforeStart,
    PayerAlreadySet,
    RoleAlreadyHeld,
    SharesExceeded,
    SharesHalfBlank,
    Tenure,
)
from tests.cloud.customers.builders import SINCE, add_party, own
from tests.cloud.resources.builders import add_room
from tests.kit.world import World


async def test_the_payer_of_a_day_is_who_paid_then(world: World) -> None:
    site_id = world.alpha.site_id
    async with world.unit() as ctx:
        room = await add_room(ctx, site_id)
        seller = await add_party(ctx, site_id, name="卖方")
        buyer = await add_party(ctx, site_id, name="买方")
        first = await own(ctx, room.id, seller.id)
        await service.end_role(ctx, room_party_id=first.id, ends_on=date(2026, 7, 1))
        await own(ctx, room.id, buyer.id, since=date(2026, 7, 1))
    async with world.unit() as ctx:
        before = await queries.payers_on(ctx, site_id, date(2026, 6, 30))
        after = await queries.payers_on(ctx, site_id, date(2026, 7, 1))
        today = await queries.parties_of_room(ctx, room.id)
    assert before == {room.id: (seller.id, "卖方")}
    assert after == {room.id: (buyer.id, "买方")}
    assert [(held.name, held.phone_masked) for held in today] == [("买方", "138****5512")]


async def test_owners_may_not_hold_more_than_the_whole(world: World) -> None:
    site_id = world.alpha.site_id
    async with world.unit() as ctx:
        room = await add_room(ctx, site_id)
        one, two = await add_party(ctx, site_id), await add_party(ctx, site_id, name="李静")
        await own(ctx, room.id, one.id, share="60")
        with pytest.raises(SharesExceeded) as refused:
            await own(ctx, room.id, two.id, share="50", is_payer=False)
        assert refused.value.params["total"] == "110"
        with pytest.raises(SharesHalfBlank):
            await own(ctx, room.id, two.id, share=None, is_payer=False)
        await own(ctx, room.id, two.id, share="40", is_payer=False)


async def test_a_room_has_one_payer_at_a_date(world: World) -> None:
    site_id = world.alpha.site_id
    async with world.unit() as ctx:
        room = await add_room(ctx, site_id)
        owner, tenant = await add_party(ctx, site_id), await add_party(ctx, site_id, name="租客")
        await own(ctx, room.id, owner.id)
        rent = Tenure(role=RoomRole.tenant, valid_from=date(2026, 3, 1), is_payer=True)
        with pytest.raises(PayerAlreadySet) as refused:
            await service.attach_party(ctx, room_id=room.id, party_id=tenant.id, tenure=rent)
        with pytest.raises(RoleAlreadyHeld):
            await own(ctx, room.id, owner.id, is_payer=False)
    assert refused.value.params == {"name": "张伟", "valid_from": SINCE}


async def test_the_database_itself_refuses_a_second_payer(world: World) -> None:
    site_id = world.alpha.site_id
    async with world.unit() as ctx:
        room = await add_room(ctx, site_id)
        owner = await add_party(ctx, site_id)
        await own(ctx, room.id, owner.id)
    with pytest.raises(IntegrityError, match="ex_customers_room_party_payer"):
        async with world.unit() as ctx:
            ctx.session.add(
                RoomParty(
                    **ctx.stamp(site_id),
                    room_id=room.id,
                    party_id=owner.id,
                    role=RoomRole.tenant,
                    valid_from=date(2030, 1, 1),
                    is_payer=True,
                )
            )


async def test_two_clerks_cannot_both_make_a_payer(committed: World) -> None:
    site_id = committed.alpha.site_id
    async with committed.unit() as ctx:
        room = await add_room(ctx, site_id)
        parties = [await add_party(ctx, site_id, name=name) for name in ("甲", "乙")]

    async def attach(party_id: UUID) -> str:
        try:
            async with committed.unit() as ctx:
                await own(ctx, room.id, party_id, share=None)
                await asyncio.sleep(0.05)  # the other clerk meets the lock
        except PayerAlreadySet:
            return "refused"
        return "done"

    outcomes = await asyncio.gather(*(attach(party.id) for party in parties))
    assert sorted(outcomes) == ["done", "refused"]


async def test_an_end_comes_after_its_start(world: World) -> None:
    site_id = world.alpha.site_id
    async with world.unit() as ctx:
        room = await add_room(ctx, site_id)
        party = await add_party(ctx, site_id)
        with pytest.raises(EndBeforeStart):
            await own(ctx, room.id, party.id, until=SINCE)
        held = await own(ctx, room.id, party.id)
        with pytest.raises(EndBeforeStart):
            await service.end_role(ctx, room_party_id=held.id, ends_on=SINCE)


async def test_rooms_and_parties_of_others_are_absent(world: World) -> None:
    async with world.unit() as ctx:
        room = await add_room(ctx, world.alpha.site_id)
        party = await add_party(ctx, world.alpha.site_id)
        held = await own(ctx, room.id, party.id)
    for stranger, site_id in (
        (world.at_other_site(), world.alpha.other_site_id),
        (world.at_site(world.beta), world.beta.site_id),
    ):
        async with world.unit(stranger) as ctx:
            theirs = await add_party(ctx, site_id, name="外人")
            with pytest.raises(NotFound):
                await own(ctx, room.id, theirs.id)
            with pytest.raises(NotFound):
                await service.end_role(ctx, room_party_id=held.id, ends_on=date(2026, 1, 1))
            with pytest.raises(NotFound):
                await service.reveal_phone(ctx, party_id=party.id)
            assert await queries.parties_of_room(ctx, room.id) == []
            assert await queries.find_rooms_of(ctx, "张", by="name") == []


async def test_a_party_of_another_community_gets_no_room_here(world: World) -> None:
    async with world.unit(world.headquarters()) as ctx:
        room = await add_room(ctx, world.alpha.site_id)
        party = await add_party(ctx, world.alpha.other_site_id)
        with pytest.raises(NotFound):
            await own(ctx, room.id, party.id)


async def test_revealing_a_phone_leaves_a_trace(world: World) -> None:
    async with world.unit() as ctx:
        party = await add_party(ctx, world.alpha.site_id)
    async with world.unit() as ctx:
        assert (await service.reveal_phone(ctx, party_id=party.id)).number == "13805765512"
    async with world.unit() as ctx:
        rows = await ctx.session.execute(
            select(AuditRow).where(col(AuditRow.action) == "customers.phone.revealed")
        )
        row = rows.scalar_one()
    assert (row.subject_id, row.org_id) == (party.id, world.alpha.site_id)


async def test_a_share_is_exact(world: World) -> None:
    site_id = world.alpha.site_id
    async with world.unit() as ctx:
        room = await add_room(ctx, site_id)
        for name in "甲乙丙":
            party = await add_party(ctx, site_id, name=name)
            await own(ctx, room.id, party.id, share="33.3333", is_payer=name == "甲")
        held = await queries.parties_of_room(ctx, room.id)
    assert sum(part.share or 0 for part in held) == Decimal("99.9999")
