"""Changes of ownership, and what parties and owners may not become."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel.errors import NotFound, StaleVersion
from cloud.modules.charging.service import RoomOwes, RoomStillCharged
from cloud.modules.customers import queries, service
from cloud.modules.customers.models import Arrears, Party, PartyKind, RoomRole, Transfer
from cloud.modules.customers.service import (
    NewParty,
    NobodyTakesOver,
    OwnersSinceThen,
    OwnsItAlready,
    PartyStillHolds,
    SharesExceeded,
    SharesShort,
    SharesUnmatched,
    TooManyParties,
)
from cloud.modules.customers.service.parties import PARTIES_MAX
from cloud.modules.customers.service.roles import RoomStillHeld
from cloud.modules.receiving import service as receiving
from cloud.modules.receiving.service import Prepayment, Tender
from cloud.modules.resources import service as resources
from tests.cloud.customers.builders import add_party, own
from tests.cloud.receiving.builders import bill_room, set_fees
from tests.cloud.resources.builders import add_room
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]
DAY = date(2026, 12, 1)


async def _newcomers(world: World, *names: str) -> list[UUID]:
    async with world.unit() as ctx:
        made = [await add_party(ctx, world.alpha.site_id, name=name) for name in names]
    return [party.id for party in made]


async def _owned(world: World) -> tuple[UUID, UUID]:
    """A room with its only owner."""
    async with world.unit() as ctx:
        room = await add_room(ctx, world.alpha.site_id)
        party = await add_party(ctx, world.alpha.site_id)
        await ctx.session.flush()
        await own(ctx, room.id, party.id)
    return room.id, party.id


class TestTransferRoom:
    async def test_changes_owners_and_payer_on_the_day(self, world: World) -> None:
        room_id, _ = await _owned(world)
        comers = await _newcomers(world, "李四", "王五")
        async with world.unit() as ctx:
            await service.transfer_room(
                ctx,
                room_id=room_id,
                on=DAY,
                owners=comers,
                shares=[Decimal(60), Decimal(40)],
                arrears=Arrears.settle,
            )
        async with world.unit() as ctx:
            before = await queries.payers_on(ctx, world.alpha.site_id, date(2026, 11, 30))
            after = await queries.payers_on(ctx, world.alpha.site_id, DAY)
            people = await queries.people_of_room(ctx, room_id)
        assert (before[room_id][1], after[room_id][1]) == ("张伟", "李四")
        shares = {one.name: (one.role, one.share) for one in people.items}
        assert shares["李四"] == (RoomRole.owner, Decimal(60))
        assert shares["王五"] == (RoomRole.co_owner, Decimal(40))

    async def test_gives_an_only_owner_the_whole(self, world: World) -> None:
        room_id, _ = await _owned(world)
        comers = await _newcomers(world, "李四")
        async with world.unit() as ctx:
            await service.transfer_room(
                ctx, room_id=room_id, on=DAY, owners=comers, arrears=Arrears.settle
            )
            people = await queries.people_of_room(ctx, room_id)
        assert [one.share for one in people.items if one.name == "李四"] == [Decimal(100)]

    async def test_refuses_what_leaves_no_whole_owner(self, world: World) -> None:
        room_id, owner_id = await _owned(world)
        comers = await _newcomers(world, "李四", "王五")
        half = [Decimal(50)]
        cases: list[tuple[type[Exception], list[UUID], list[Decimal], date]] = [
            (NobodyTakesOver, [], [], DAY),
            (SharesUnmatched, comers, half, DAY),
            (SharesShort, comers[:1], half, DAY),
            (SharesExceeded, comers, [Decimal(60), Decimal(50)], DAY),
            (OwnsItAlready, [owner_id], [], DAY),
            (OwnersSinceThen, comers[:1], [], date(2024, 1, 1)),
        ]
        for refusal, owners, shares, day in cases:
            with pytest.raises(refusal):
                async with world.unit() as ctx:
                    await service.transfer_room(
                        ctx,
                        room_id=room_id,
                        on=day,
                        owners=owners,
                        shares=shares,
                        arrears=Arrears.settle,
                    )
        async with world.unit() as ctx:
            kept = await ctx.session.execute(select(func.count()).select_from(Transfer))
            assert kept.scalar_one() == 0
            assert (await queries.people_of_room(ctx, room_id)).share_total == Decimal(100)

    async def test_hides_rooms_of_another_community(self, world: World) -> None:
        room_id, _ = await _owned(world)
        comers = await _newcomers(world, "李四")
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(NotFound):
                await service.transfer_room(
                    ctx, room_id=room_id, on=DAY, owners=comers, arrears=Arrears.assume
                )


async def test_a_room_is_transferred_as_the_form_says(world: World, client: Client) -> None:
    fees = await set_fees(world)
    billed = await bill_room(world, fees)
    async with world.unit() as ctx:
        await receiving.take_receipt(
            ctx,
            room_id=billed.room_id,
            ahead=Prepayment(Decimal(50)),
            lines=(Tender("cash", Decimal(50)),),
        )
    (comer,) = await _newcomers(world, "李四")
    caller = client(world.at_site())
    typed = {"on": str(DAY), "owners": [str(comer)], "shares": None, "arrears": "settle"}
    trial = f"/api/v1/receiving/rooms/{billed.room_id}/transfer/trial"
    transfers = f"/api/v1/customers/rooms/{billed.room_id}/transfers"

    said = (await caller.post(trial, json=typed)).json()["lines"]
    assert [(one["label"], one["text"], one["tone"]) for one in said] == [
        ("Open bills", "2 bills, 218.08", "bad"),
        ("Prepaid", "50.00", "warn"),
        ("Charge items", "物业费, 垃圾费", None),
    ]
    refused = await caller.post(transfers, json=typed)
    assert (refused.status_code, refused.json()["code"]) == (409, "room-owes")

    typed["arrears"] = "assume"
    said = (await caller.post(trial, json=typed)).json()["lines"]
    assert (said[0]["tone"], said[0]["note"]) == (
        "warn",
        "stay with the room: the new owner assumes them",
    )
    made = await caller.post(transfers, json=typed)
    assert made.status_code == 201, made.text
    room = (await caller.get(f"/api/v1/receiving/rooms/{billed.room_id}")).json()
    assert (room["open_total"], room["prepaid"][0]["party_name"]) == ("218.08", "张伟")
    assert room["events"][0]["kind"]["value"] == "transferred"


class TestEndRole:
    async def test_leaves_no_part_of_a_whole(self, world: World) -> None:
        async with world.unit() as ctx:
            room = await add_room(ctx, world.alpha.site_id)
            one = await add_party(ctx, world.alpha.site_id)
            other = await add_party(ctx, world.alpha.site_id, name="李四")
            await ctx.session.flush()
            kept = await own(ctx, room.id, one.id, share="50")
            ending = await own(ctx, room.id, other.id, share="50", is_payer=False)
        with pytest.raises(SharesShort) as refused:
            async with world.unit() as ctx:
                await service.end_role(ctx, room_party_id=ending.id, ends_on=DAY)
        assert (refused.value.params["on"], refused.value.params["total"]) == (DAY, "50")
        async with world.unit() as ctx:  # what never was whole may be ended
            second = await add_room(ctx, world.alpha.site_id, building="2")
            await ctx.session.flush()
            await own(ctx, second.id, one.id, share="30")
            short = await own(ctx, second.id, other.id, share="30", is_payer=False)
            await ctx.session.flush()
            await service.end_role(ctx, room_party_id=short.id, ends_on=DAY)
            assert (short.valid_to, kept.valid_to) == (DAY, None)


class TestParties:
    async def test_change_and_refuse_a_version_that_is_old(self, world: World) -> None:
        (party_id,) = await _newcomers(world, "李四")
        facts: dict[str, Any] = {
            "kind": PartyKind.person,
            "phone": None,
            "id_number": None,
            "type_id": None,
        }
        async with world.unit() as ctx:
            await service.change_party(
                ctx, party_id=party_id, version=1, name="李思", note="", **facts
            )
        async with world.unit() as ctx:
            party = await ctx.get(Party, party_id)
            assert (party.name, party.initials, party.phone) == ("李思", "ls", "13805765512")
            with pytest.raises(StaleVersion):
                await service.change_party(
                    ctx, party_id=party_id, version=1, name="李斯", note="", **facts
                )
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(NotFound):
                await service.change_party(
                    ctx, party_id=party_id, version=2, name="李斯", note="", **facts
                )

    async def test_close_only_when_they_hold_nothing(self, world: World) -> None:
        _, owner_id = await _owned(world)
        (free_id,) = await _newcomers(world, "李四")
        async with world.unit() as ctx:
            with pytest.raises(PartyStillHolds) as refused:
                await service.close_party(ctx, party_id=owner_id, reason="搬走")
        assert refused.value.params["rooms"] == "1幢1单元101"
        async with world.unit() as ctx:
            await service.close_party(ctx, party_id=free_id, reason="重复")
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(NotFound):
                await service.close_party(ctx, party_id=owner_id, reason="x")
        async with world.unit() as ctx:
            assert (await ctx.get(Party, free_id)).is_closed

    async def test_come_many_at_once_or_not_at_all(self, world: World) -> None:
        site_id = world.alpha.site_id
        rows = [NewParty(f"业主{number}", phone=f"1390000{number:04}") for number in range(3)]
        async with world.unit() as ctx:
            ids = await service.add_parties(ctx, site_id=site_id, rows=rows)
        async with world.unit() as ctx:
            found = await ctx.session.execute(select(Party).where(col(Party.id).in_(ids)))
            names = {party.id: party.name for party in found.scalars()}
            assert [names[one] for one in ids] == ["业主0", "业主1", "业主2"]
            with pytest.raises(TooManyParties):
                await service.add_parties(ctx, site_id=site_id, rows=rows * PARTIES_MAX)


class TestClosingARoom:
    async def test_waits_for_its_people_its_bills_and_its_charges(self, world: World) -> None:
        fees = await set_fees(world)
        billed = await bill_room(world, fees)

        async def close() -> None:
            async with world.unit() as ctx:
                await resources.close_room(ctx, room_id=billed.room_id, reason="拆除", on=None)

        with pytest.raises(RoomStillHeld):
            await close()
        async with world.unit() as ctx:
            (role,) = (await queries.people_of_room(ctx, billed.room_id)).items
            await service.end_role(ctx, room_party_id=role.id, ends_on=ctx.business_on)
        with pytest.raises(RoomOwes) as refused:
            await close()
        assert refused.value.params["amount"] == "218.08"
        async with world.unit() as ctx:
            await receiving.take_receipt(
                ctx,
                room_id=billed.room_id,
                amount=Decimal("218.08"),
                lines=(Tender("cash", Decimal("218.08")),),
            )
        with pytest.raises(RoomStillCharged):
            await close()
