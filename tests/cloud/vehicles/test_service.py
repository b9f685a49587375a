"""Vehicles: what is kept, what is refused, and what others cannot see."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from cloud.kernel.errors import NotFound, StaleVersion
from cloud.kernel.records import AuditRow
from cloud.kernel.search import Wanted
from cloud.modules.customers import service as customers
from cloud.modules.customers.models import Arrears
from cloud.modules.resources import service as resources
from cloud.modules.vehicles import queries, service
from cloud.modules.vehicles.models import PlateType, Vehicle
from cloud.modules.vehicles.service import (
    PlateMalformed,
    PlateTaken,
    PlateWithoutNeed,
    VehicleClosed,
    VehicleFacts,
)
from tests.cloud.customers.builders import add_party, own
from tests.cloud.resources.builders import add_room
from tests.cloud.vehicles.builders import add_vehicle
from tests.kit.world import World

FUEL = VehicleFacts(plate_type=PlateType.fuel, plate="粤B12345")


class TestAddVehicle:
    async def test_keeps_the_plate_and_what_search_reads(self, world: World) -> None:
        async with world.unit() as ctx:
            vehicle = await add_vehicle(ctx, world.alpha.site_id, "粤b·1o345")
        async with world.unit() as ctx:
            kept = await ctx.get(Vehicle, vehicle.id)
        assert (kept.plate, kept.plate_key, kept.serial_key) == ("粤B10345", "粤B10345", "10345")

    async def test_refuses_a_plate_of_another_kind(self, world: World) -> None:
        async with world.unit() as ctx:
            with pytest.raises(PlateMalformed) as refused:
                await add_vehicle(ctx, world.alpha.site_id, "粤BD12345")
            with pytest.raises(PlateMalformed):
                await add_vehicle(ctx, world.alpha.site_id, "")
            with pytest.raises(PlateWithoutNeed):
                await add_vehicle(ctx, world.alpha.site_id, plate_type=PlateType.unlicensed)
        assert refused.value.params == {"plate": "粤BD12345", "example": "粤B12345"}

    async def test_refuses_a_plate_that_is_in_use(self, world: World) -> None:
        async with world.unit(world.headquarters()) as ctx:
            first = await add_vehicle(ctx, world.alpha.site_id, "粤B00011")
            await add_vehicle(ctx, world.alpha.other_site_id, "粤B00011")
            for plate, kind in (("粤BOOOII", PlateType.fuel), ("粤BO00I1", PlateType.other)):
                with pytest.raises(PlateTaken):
                    await add_vehicle(ctx, world.alpha.site_id, plate, plate_type=kind)
            await service.close_vehicle(ctx, vehicle_id=first.id, reason="卖了")
            await add_vehicle(ctx, world.alpha.site_id, "粤B00011")

    async def test_knows_several_without_a_plate(self, world: World) -> None:
        async with world.unit() as ctx:
            for brand in ("雅迪", "爱玛"):
                await add_vehicle(
                    ctx, world.alpha.site_id, "", plate_type=PlateType.unlicensed, brand=brand
                )
            listed = await queries.search(ctx, Wanted(text="00", orgs=None))
        assert listed == []

    async def test_two_clerks_cannot_both_give_a_plate(self, world: World) -> None:
        async with world.unit() as ctx:
            await add_vehicle(ctx, world.alpha.site_id)
        with pytest.raises(IntegrityError, match="uq_vehicles_vehicle_plate_key"):
            async with world.unit() as ctx:
                ctx.session.add(
                    Vehicle(
                        **ctx.stamp(world.alpha.site_id),
                        plate="粤BI2345",
                        plate_type=PlateType.other,
                    )
                )


class TestChangeVehicle:
    async def test_tells_the_trail_what_the_plate_was(self, world: World) -> None:
        async with world.unit() as ctx:
            vehicle = await add_vehicle(ctx, world.alpha.site_id)
        async with world.unit() as ctx:
            await service.change_vehicle(
                ctx, vehicle_id=vehicle.id, version=1, facts=replace(FUEL, plate="粤b67890")
            )
        async with world.unit() as ctx:
            rows = await ctx.session.execute(
                select(AuditRow).where(col(AuditRow.action) == "vehicles.vehicle.changed")
            )
            row = rows.scalar_one()
        assert row.before is not None
        assert row.after is not None
        assert (row.before["plate"], row.after["plate"]) == ("粤B12345", "粤B67890")

    async def test_keeps_its_own_plate(self, world: World) -> None:
        async with world.unit() as ctx:
            vehicle = await add_vehicle(ctx, world.alpha.site_id)
        async with world.unit() as ctx:
            changed = await service.change_vehicle(
                ctx, vehicle_id=vehicle.id, version=1, facts=replace(FUEL, color="白")
            )
        assert (changed.plate, changed.color, changed.version) == ("粤B12345", "白", 2)

    async def test_refuses_an_old_version_and_a_closed_vehicle(self, world: World) -> None:
        async with world.unit() as ctx:
            vehicle = await add_vehicle(ctx, world.alpha.site_id)
            with pytest.raises(StaleVersion):
                await service.change_vehicle(ctx, vehicle_id=vehicle.id, version=9, facts=FUEL)
            await service.close_vehicle(ctx, vehicle_id=vehicle.id, reason="卖了")
            with pytest.raises(VehicleClosed):
                await service.change_vehicle(ctx, vehicle_id=vehicle.id, version=2, facts=FUEL)
            with pytest.raises(VehicleClosed) as refused:
                await service.close_vehicle(ctx, vehicle_id=vehicle.id, reason="卖了")
        assert refused.value.params == {"plate": "粤B12345", "on": date(2026, 11, 24)}


class TestScope:
    async def test_rooms_and_people_of_another_community_are_absent(self, world: World) -> None:
        async with world.unit(world.headquarters()) as ctx:
            room = await add_room(ctx, world.alpha.other_site_id)
            party = await add_party(ctx, world.alpha.other_site_id)
            with pytest.raises(NotFound):
                await add_vehicle(ctx, world.alpha.site_id, room_id=room.id)
            with pytest.raises(NotFound):
                await add_vehicle(ctx, world.alpha.site_id, party_id=party.id)

    async def test_vehicles_of_another_community_are_absent(self, world: World) -> None:
        async with world.unit() as ctx:
            room = await add_room(ctx, world.alpha.site_id)
            vehicle = await add_vehicle(ctx, world.alpha.site_id, room_id=room.id)
        for stranger in (world.at_other_site(), world.at_site(world.beta)):
            async with world.unit(stranger) as ctx:
                with pytest.raises(NotFound):
                    await service.change_vehicle(ctx, vehicle_id=vehicle.id, version=1, facts=FUEL)
                with pytest.raises(NotFound):
                    await service.close_vehicle(ctx, vehicle_id=vehicle.id, reason="卖了")
                assert await queries.vehicles_of_room(ctx, room.id) == []
                assert await queries.search(ctx, Wanted(text="12345", orgs=None)) == []


class TestRooms:
    async def _room(self, world: World) -> tuple[UUID, UUID]:
        async with world.unit() as ctx:
            room = await add_room(ctx, world.alpha.site_id)
            owner = await add_party(ctx, world.alpha.site_id)
            await add_vehicle(ctx, world.alpha.site_id, room_id=room.id, party_id=owner.id)
        return room.id, owner.id

    async def test_a_room_closes_with_its_vehicle(self, world: World) -> None:
        room_id, owner_id = await self._room(world)
        async with world.unit() as ctx:
            await resources.close_room(ctx, room_id=room_id, reason="拆除")
            (kept,) = await queries.vehicles_of_room(ctx, room_id)
        assert (kept.party_id, kept.state) == (owner_id, "in_use")

    async def test_a_vehicle_stays_its_owners_when_the_room_is_sold(self, world: World) -> None:
        room_id, owner_id = await self._room(world)
        async with world.unit() as ctx:
            await own(ctx, room_id, owner_id)
            buyer = await add_party(ctx, world.alpha.site_id, name="李静")
            await customers.transfer_room(
                ctx,
                room_id=room_id,
                on=date(2026, 11, 1),
                owners=[buyer.id],
                arrears=Arrears.settle,
            )
            (kept,) = await queries.vehicles_of_room(ctx, room_id)
        assert kept.party_id == owner_id
