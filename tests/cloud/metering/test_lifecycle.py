"""Meters as people keep them: put up, corrected, connected, taken away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound, StaleVersion
from cloud.modules.devices import service as devices
from cloud.modules.devices.models import DeviceKind, PointLane
from cloud.modules.devices.service import DeviceSpec, PointSpec
from cloud.modules.metering import queries, service
from cloud.modules.metering.models import Meter, MeterKind
from cloud.modules.metering.service import MeterSpec
from cloud.modules.resources import service as resources
from cloud.modules.resources.service import RoomFacts
from tests.cloud.metering.builders import INSTALLED_ON, add_meter, add_readings
from tests.kit.world import NOW, World

Client = Callable[..., httpx.AsyncClient]


async def add_room(ctx: Ctx, site_id: UUID) -> tuple[UUID, UUID]:
    """A building and a room in it."""
    building = await resources.add_building(ctx, site_id=site_id, code="1", name="1幢")
    room = await resources.add_room(
        ctx, parent_id=building.id, code="101", facts=RoomFacts(building_area=Decimal(90))
    )
    return building.id, room.id


async def add_points(ctx: Ctx, site_id: UUID) -> dict[str, int]:
    gateway = await devices.add_gateway(ctx, site_id=site_id, code=f"GW-{site_id}"[:40])
    await ctx.session.flush()
    points = tuple(
        PointSpec(
            code=lane.value,
            label=lane.value,
            unit="kWh",
            digits=2,
            lane=lane,
            register_table="holding",
            address=address,
            register_type="uint32",
            scale=Decimal("0.01"),
        )
        for address, lane in ((0, PointLane.meter), (2, PointLane.tele))
    )
    spec = DeviceSpec(
        bus="B1", unit_id=1, code="D-1", name="表", kind=DeviceKind.electricity,
        place="", space_id=None, points=points,
    )  # fmt: skip
    made = await devices.add_devices(ctx, gateway_id=gateway.id, specs=[spec])
    return made["D-1"][1]


def spec_of(**more: Any) -> MeterSpec:
    facts: dict[str, Any] = {
        "no": "E-9",
        "kind": MeterKind.electricity,
        "initial_value": Decimal("12.5"),
        "installed_on": INSTALLED_ON,
        **more,
    }
    return MeterSpec(**facts)


async def test_meter_is_put_up_in_a_room_or_a_building(world: World) -> None:
    async with world.unit() as ctx:
        building_id, room_id = await add_room(ctx, world.alpha.site_id)
        own = await service.put_up_meter(ctx, spec=spec_of(room_id=room_id))
        shared = await service.put_up_meter(ctx, spec=spec_of(no="E-P", space_id=building_id))
        assert own.org_id == shared.org_id == world.alpha.site_id
        found = await queries.read_meter(ctx, own.id)
        assert (found.place, found.facts.initial_value) == ("1幢101", Decimal("12.5"))
        assert (found.months[0].usage, found.months[0].unit) == (None, "kWh")


async def test_meter_that_makes_no_sense_is_refused(world: World) -> None:
    async with world.unit() as ctx:
        building_id, room_id = await add_room(ctx, world.alpha.site_id)
        points = await add_points(ctx, world.alpha.site_id)
        await service.put_up_meter(ctx, spec=spec_of(room_id=room_id, point_no=points["meter"]))
        later = ctx.business_on + timedelta(days=1)
        for refusal, wrong in (
            (service.MeterNeedsPlace, spec_of(no="X")),
            (service.MeterNumberTaken, spec_of(room_id=room_id)),
            (service.InstalledInFuture, spec_of(no="X", room_id=room_id, installed_on=later)),
            (
                service.InitialTooLong,
                spec_of(no="X", room_id=room_id, digits=5, initial_value=Decimal(100_000)),
            ),
            (service.PointHasMeter, spec_of(no="X", room_id=room_id, point_no=points["meter"])),
            (service.PointIsNoRegister, spec_of(no="X", room_id=room_id, point_no=points["tele"])),
            (NotFound, spec_of(no="X", room_id=building_id)),
        ):
            with pytest.raises(refusal):
                await service.put_up_meter(ctx, spec=wrong)


async def test_meter_reaches_no_place_of_another_organization(world: World) -> None:
    async with world.unit() as ctx:
        _, room_id = await add_room(ctx, world.alpha.site_id)
    for stranger in (world.at_site(world.beta), world.at_other_site()):
        async with world.unit(stranger) as ctx:
            with pytest.raises(NotFound):
                await service.put_up_meter(ctx, spec=spec_of(room_id=room_id))


async def test_plate_is_corrected_until_it_was_read(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        plate: dict[str, Any] = {
            "no": "E-1A",
            "multiplier": Decimal(30),
            "digits": 6,
            "can_roll_over": False,
        }
        changed = await service.correct_meter(ctx, meter_id=meter.id, version=1, **plate)
        assert (changed.no, changed.multiplier, changed.version) == ("E-1A", Decimal(30), 2)
        with pytest.raises(StaleVersion):
            await service.correct_meter(ctx, meter_id=meter.id, version=1, **plate)
        await add_readings(ctx, meter, (NOW, "5"))
        with pytest.raises(service.MeterHasReadings) as refused:
            await service.correct_meter(
                ctx, meter_id=meter.id, version=2, **{**plate, "multiplier": Decimal(40)}
            )
        assert [field.path for field in refused.value.fields] == ["multiplier"]
        other = await add_meter(ctx, world.alpha.site_id, "E-2")
        with pytest.raises(service.MeterNumberTaken):
            await service.correct_meter(ctx, meter_id=other.id, version=1, **plate)


async def test_meter_is_connected_and_read_by_hand_again(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        points = await add_points(ctx, world.alpha.site_id)
        assert [one.value for one in (await queries.point_choices(ctx, "")).items] == [
            str(points["meter"])
        ]
        await service.connect_meter(ctx, meter_id=meter.id, point_no=points["meter"])
        await ctx.session.flush()
        assert (await queries.point_choices(ctx, "")).items == []
        await service.connect_meter(ctx, meter_id=meter.id, point_no=None)
        assert meter.point_no is None
    async with world.unit(world.at_other_site()) as ctx:
        with pytest.raises(NotFound):
            await service.connect_meter(ctx, meter_id=meter.id, point_no=points["meter"])


async def test_meter_is_taken_away_with_what_it_showed_last(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
        await add_readings(ctx, meter, (NOW - timedelta(days=3), "40"))
        with pytest.raises(service.ReadingBelowLast):
            await service.take_away_meter(
                ctx, meter_id=meter.id, final_value=Decimal(39), reason="拆"
            )
        gone = await service.take_away_meter(
            ctx, meter_id=meter.id, final_value=Decimal(41), reason="拆"
        )
        assert (gone.state, gone.removed_on) == ("removed", ctx.business_on)
        found = await queries.read_meter(ctx, meter.id)
        assert [line.value for line in found.readings] == [Decimal(41), Decimal(40)]
        with pytest.raises(service.MeterRemoved):
            await service.take_away_meter(ctx, meter_id=meter.id, final_value=None, reason="拆")
        with pytest.raises(service.MeterRemoved):
            await service.connect_meter(ctx, meter_id=meter.id, point_no=None)


async def test_meter_of_another_organization_is_hidden(world: World) -> None:
    async with world.unit() as ctx:
        meter = await add_meter(ctx, world.alpha.site_id)
    for stranger in (world.at_site(world.beta), world.at_other_site()):
        async with world.unit(stranger) as ctx:
            for act in (
                queries.read_meter(ctx, meter.id),
                service.take_away_meter(ctx, meter_id=meter.id, final_value=None, reason="x"),
                service.correct_meter(
                    ctx, meter_id=meter.id, version=1, no="X", multiplier=Decimal(1),
                    digits=5, can_roll_over=True,
                ),
            ):  # fmt: skip
                with pytest.raises(NotFound):
                    await act


async def test_over_http_each_fault_is_said_at_its_field(world: World, client: Client) -> None:
    async with world.unit() as ctx:
        _, room_id = await add_room(ctx, world.alpha.site_id)
    http = client(world.at_site())
    body = {
        "room_id": str(room_id),
        "no": "W-1",
        "kind": "water",
        "multiplier": "1",
        "digits": 5,
        "initial_value": "0.125",
        "installed_on": "2026-11-01",
    }
    made = await http.post("/api/v1/metering/meters", json=body)
    assert made.status_code == 201, made.text
    for wrong, path in (
        ({"digits": 2}, "digits"),
        ({"multiplier": "0"}, "multiplier"),
        ({"initial_value": "1.00001"}, "initial_value"),
        ({"installed_on": "2026-11-31"}, "installed_on"),
        ({"no": "  "}, "no"),
        ({"no": "W-2", "installed_on": "2999-12-01"}, "installed_on"),
    ):
        refused = await http.post("/api/v1/metering/meters", json={**body, **wrong})
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path)
    taken = await http.post("/api/v1/metering/meters", json=body)
    assert (taken.status_code, taken.json()["errors"][0]["path"]) == (409, "no")
    async with world.unit() as ctx:
        assert (await ctx.get(Meter, UUID(made.json()["id"]))).multiplier == 1
