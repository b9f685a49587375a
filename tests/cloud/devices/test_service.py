"""Gateways that come, go and fall silent; devices and points of one's own site only."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.kernel.errors import NotFound
from cloud.modules.devices import queries, service
from cloud.modules.devices.models import Device, Gateway, GatewayState, SiteEvent
from cloud.modules.organization.queries import ProjectNotYours
from protocols.uplink.messages import Birth, Lane, LaneState
from tests.cloud.devices.test_queries import equip
from tests.kit.world import NOW, World


def _birth(*, online: bool = True) -> Birth:
    return Birth(
        epoch=uuid4(),
        boot_id=uuid4(),
        agent_version="1",
        config_hash="x",
        lanes={Lane.TELE: LaneState(next_seq=11, acked_seq=4, bytes=1, oldest_us=None)},
        clock_synced=True,
        disk_free=1,
        at_us=1,
        online=online,
    )


async def _gateway(ctx: Ctx) -> Gateway:
    return (await ctx.session.execute(select(Gateway))).scalar_one()


async def test_birth_is_an_event_only_when_the_state_changes(world: World) -> None:
    site_id = world.alpha.site_id
    async with world.unit() as ctx:
        await equip(ctx, site_id)
        for online in (True, True, False):
            news = await service.record_birth(ctx, site_id=site_id, birth=_birth(online=online))
            assert news is not None
        await ctx.session.flush()  # the test reads them
        kinds = (await ctx.session.execute(select(col(SiteEvent.kind)))).scalars().all()
        gateway = await _gateway(ctx)
    assert sorted(kinds) == ["gateway_offline", "gateway_online"]
    assert (gateway.state, gateway.backlog) == (GatewayState.offline, 6)


async def test_birth_for_a_site_without_a_gateway_is_nothing(world: World) -> None:
    async with world.unit() as ctx:
        found = await service.record_birth(ctx, site_id=world.alpha.site_id, birth=_birth())
    assert found is None


async def test_gateway_that_says_nothing_for_minutes_is_offline(world: World) -> None:
    site_id = world.alpha.site_id
    async with world.unit() as ctx:
        await equip(ctx, site_id)
        await service.record_birth(ctx, site_id=site_id, birth=_birth())
    async with world.unit(now=NOW + timedelta(minutes=4)) as ctx:
        assert await service.mark_silent(ctx) == []
    async with world.unit(now=NOW + timedelta(minutes=6)) as ctx:
        assert await service.mark_silent(ctx) == [site_id]
        assert (await _gateway(ctx)).state == GatewayState.offline


async def test_site_has_one_gateway(world: World) -> None:
    async with world.unit() as ctx:
        await equip(ctx, world.alpha.site_id)
        with pytest.raises(service.SiteHasGateway):
            await service.add_gateway(ctx, site_id=world.alpha.site_id, code="G2")


async def test_gateway_of_another_site_is_hidden(world: World) -> None:
    async with world.unit() as ctx:
        await equip(ctx, world.alpha.site_id)
        gateway = await _gateway(ctx)
        device = (await ctx.session.execute(select(Device))).scalar_one()
    async with world.unit(world.at_other_site()) as ctx:
        with pytest.raises(NotFound):
            await service.add_devices(ctx, gateway_id=gateway.id, specs=[])
        with pytest.raises(NotFound):
            await service.read_now(ctx, device_id=device.id, command_id=uuid7())
        with pytest.raises(ProjectNotYours):
            await service.add_gateway(ctx, site_id=world.alpha.site_id, code="G2")
        assert await queries.gateway_of_site(ctx, world.alpha.site_id) is None


async def test_command_given_up_is_unknown_when_the_gateway_was_there(world: World) -> None:
    site_id = world.alpha.site_id
    async with world.unit() as ctx:
        await equip(ctx, site_id)
        await service.record_birth(ctx, site_id=site_id, birth=_birth())
        device = (await ctx.session.execute(select(Device))).scalar_one()
        command_id = uuid7()
        await service.read_now(ctx, device_id=device.id, command_id=command_id)
        await ctx.session.flush()  # giving up locks the row
        answer = await service.give_up_command(ctx, command_id=command_id)
        again = await service.give_up_command(ctx, command_id=command_id)
    assert answer.outcome == "unknown"
    assert again == answer
