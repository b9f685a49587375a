"""The room grid and one room as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.errors import NotFound
from cloud.modules.receiving import queries, service
from cloud.modules.receiving.models import Method
from cloud.modules.receiving.rules import CellLook, look_of, months_overdue
from cloud.modules.resources.models import RoomState, Space, SpaceKind
from tests.cloud.metering.builders import add_meter, add_readings
from tests.cloud.receiving.builders import bill_room, set_fees
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]

ROOT = "/api/v1/receiving"


class TestLookOf:
    @pytest.mark.parametrize(
        ("due_on", "months"),
        [
            (None, 0),
            (date(2026, 11, 24), 0),
            (date(2026, 11, 23), 1),
            (date(2026, 8, 24), 3),
            (date(2026, 8, 23), 4),
            (date(2025, 11, 24), 12),
            (date(2025, 11, 23), 13),
        ],
    )
    def test_a_month_counts_once_it_has_begun(self, due_on: date | None, months: int) -> None:
        assert months_overdue(due_on, date(2026, 11, 24)) == months

    @pytest.mark.parametrize(
        ("state", "months", "look"),
        [
            (RoomState.occupied, 0, CellLook.usual),
            (RoomState.vacant, 0, CellLook.vacant),
            (RoomState.sold, 0, CellLook.undelivered),
            (RoomState.closed, 0, CellLook.closed),
            (RoomState.vacant, 3, CellLook.overdue),
            (RoomState.decorating, 12, CellLook.over_3),
            (RoomState.occupied, 13, CellLook.over_12),
        ],
    )
    def test_arrears_show_before_the_state(
        self, state: RoomState, months: int, look: CellLook
    ) -> None:
        assert look_of(state, months) is look


async def _building(world: World) -> Space:
    async with world.unit() as ctx:
        found = await ctx.session.execute(
            select(Space).where(col(Space.kind) == SpaceKind.building).limit(1)
        )
        return found.scalars().one()


class TestGrid:
    async def test_a_building_shows_what_its_rooms_owe_and_since_when(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        building = await _building(world)
        async with world.unit() as ctx:
            early = await queries.read_grid(ctx, building.id)
        later = world.now + timedelta(days=150)
        async with world.unit(now=later) as ctx:
            grid = await queries.read_grid(ctx, building.id)
            listed = await queries.list_grid(ctx, site_id=billed.site_id)
        (before,), (cell,) = early.cells, grid.cells
        assert (before.look, before.open, before.months) == ("usual", Decimal("218.08"), 0)
        assert (cell.look, cell.open, cell.overdue) == ("over_3", grid.open, Decimal("218.08"))
        assert (cell.unit, cell.payer_name, cell.phone_masked) == ("1单元", "张伟", "138****5512")
        assert [(one.rooms, one.in_arrears, one.arrears_rate) for one in listed.items] == [
            (1, 1, Decimal("1.0000"))
        ]

    async def test_another_organizations_building_is_not_there(self, world: World) -> None:
        await bill_room(world, await set_fees(world))
        building = await _building(world)
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(NotFound):
                await queries.read_grid(ctx, building.id)

    async def test_a_room_is_no_building(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        async with world.unit() as ctx:
            with pytest.raises(NotFound):
                await queries.read_grid(ctx, billed.room_id)


class TestRoomProfile:
    async def test_it_holds_people_money_and_what_happened(
        self, world: World, client: Client
    ) -> None:
        billed = await bill_room(world, await set_fees(world))
        async with world.unit() as ctx:
            await service.take_receipt(
                ctx, room_id=billed.room_id, method=Method.scan, amount=Decimal("213.08")
            )
        answer = await client(world.at_site()).get(f"{ROOT}/rooms/{billed.room_id}")
        assert answer.status_code == 200, answer.text
        room = answer.json()
        assert (room["room"]["name"], room["room"]["payer_name"]) == ("1幢1单元101", "张伟")
        assert [(one["name"], one["state"]) for one in room["people"]] == [("张伟", "holds")]
        assert [(one["state"]["value"], one["open"]) for one in room["bills"]] == [
            ("unpaid", "5.00"),
            ("paid", "0.00"),
        ]
        assert (room["open_total"], room["overdue"]) == ("5.00", "0.00")
        assert [one["amount"] for one in room["receipts"]] == ["213.08"]
        assert {one["state"]["value"] for one in room["bindings"]} == {"holding"}
        assert (room["prepaid"], room["deposits"], room["meters"]) == ([], [], [])

    async def test_a_meter_shows_twelve_months_and_its_last_reading(self, world: World) -> None:
        billed = await bill_room(world, await set_fees(world))
        zone = ZoneInfo("Asia/Shanghai")
        async with world.unit() as ctx:
            meter = await add_meter(ctx, billed.site_id, room_id=billed.room_id)
            await add_readings(
                ctx,
                meter,
                (datetime(2026, 10, 1, tzinfo=zone), "100"),
                (datetime(2026, 11, 1, tzinfo=zone), "130.5"),
            )
            room = await queries.room_profile(ctx, billed.room_id)
        (shown,) = room.meters
        assert (shown.last_value, shown.last_on) == (Decimal("130.5"), date(2026, 11, 1))
        assert [one.month for one in shown.months][0::11] == ["2025-11", "2026-10"]
        assert shown.months[-1].usage == Decimal("30.5")

    async def test_another_organizations_room_is_not_there(
        self, world: World, client: Client
    ) -> None:
        billed = await bill_room(world, await set_fees(world))
        stranger = client(world.at_other_site())
        for room_id in (billed.room_id, uuid4()):
            answer = await stranger.get(f"{ROOT}/rooms/{room_id}")
            assert answer.status_code == 404

    @pytest.mark.parametrize("path", ["grid", "grid/{id}", "rooms/{id}"])
    async def test_who_may_not_read_receipts_is_refused(
        self, world: World, client: Client, path: str
    ) -> None:
        caller = client(world.at_site(permissions={"resources.room:read"}))
        answer = await caller.get(
            f"{ROOT}/{path.format(id=uuid4())}", params={"site_id": str(uuid4())}
        )
        assert answer.status_code == 403
