"""Functions as turns of a site, asked the way web processes ask."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import pytest

from actors.client import SitesClient
from actors.host import Host
from cloud.kernel.auth import Authenticator
from cloud.kernel.context import Principal
from cloud.kernel.db import uuid7
from cloud.kernel.errors import RefusedElsewhere
from cloud.kernel.sites import Ask, SiteUnavailable
from cloud.modules.accounts import service as accounts
from cloud.modules.accounts.queries import AccountsAuthenticator
from cloud.modules.devices.permissions import DevicesPermission
from protocols.points import Quality
from protocols.uplink.messages import CommandResult, Outcome
from tests.actors.conftest import Plant

pytestmark = pytest.mark.processes


async def engineer(plant: Plant, *permissions: str) -> Principal:
    """A real account of the site: hosts resolve it anew."""
    world = plant.world
    async with world.unit(world.headquarters()) as ctx:
        user = await accounts.add_user(
            ctx,
            org_id=plant.site_id,
            login=f"eng-{uuid4().hex[:8]}",
            name="陈志强",
            post="",
            password="long-enough",
        )
        role = await accounts.add_role(
            ctx, code=f"r{uuid4().hex[:6]}", name="工程", permissions=permissions
        )
        await accounts.grant_role(ctx, user_id=user.id, role_id=role.id, unit_id=plant.site_id)
    authenticator: Authenticator = AccountsAuthenticator(world.sessions)
    principal = await authenticator.by_user(user.id)
    assert principal is not None
    return principal


def _client(plant: Plant) -> SitesClient:
    return SitesClient(plant.world.sessions, secret="tests", ray=None)


def read_now(plant: Plant, who: Principal, *, timeout_s: float = 12) -> Ask:
    command_id = uuid7()
    assert who.id is not None
    return Ask(
        site_id=plant.site_id,
        function="devices.device.read_now",
        payload={"device_id": str(plant.device_id), "command_id": str(command_id)},
        principal_id=who.id,
        request_id=str(command_id),
        timeout_s=timeout_s,
    )


async def test_read_now_waits_for_the_gateway_outside_of_the_turn(plant: Plant) -> None:
    who = await engineer(plant, DevicesPermission.device_command)
    async with plant.host(), plant.gateway() as gateway:
        await gateway.be_born()
        asked = asyncio.create_task(_client(plant).ask(read_now(plant, who)))
        command = await gateway.command()
        assert (command.op, command.point) == ("read_now", plant.tele)
        at = time.time_ns() // 1000
        # The site takes other turns meanwhile.
        await gateway.send(gateway.batch(1, [(plant.tele, at, 1.0)]))
        await gateway.answer()
        result = CommandResult(command.id, Outcome.DONE, 3.25, Quality.GOOD, at, "")
        await gateway.send_events(1, result)
        answer = await asked
    assert (answer["outcome"], answer["value"]) == ("done", 3.25)
    assert plant.query("SELECT state, outcome, value FROM devices_command") == [
        ("finished", "done", 3.25)
    ]


async def test_same_command_again_is_answered_from_the_record(plant: Plant) -> None:
    who = await engineer(plant, DevicesPermission.device_command)
    ask = read_now(plant, who)
    async with plant.host(), plant.gateway() as gateway:
        await gateway.be_born()
        asked = asyncio.create_task(_client(plant).ask(ask))
        command = await gateway.command()
        await gateway.send_events(
            1, CommandResult(command.id, Outcome.FAILED, None, Quality.BAD, 1, "timeout")
        )
        first = await asked
        assert await _client(plant).ask(ask) == first
        assert gateway.commands.empty()
    assert first["outcome"] == "failed"


async def test_offline_gateway_lets_the_command_expire(plant: Plant) -> None:
    who = await engineer(plant, DevicesPermission.device_command)
    async with plant.host():
        answer = await _client(plant).ask(read_now(plant, who))
    assert answer["outcome"] == "expired"


async def test_permission_is_checked_again_where_the_turn_runs(plant: Plant) -> None:
    who = await engineer(plant, DevicesPermission.device_read)
    async with plant.host():
        with pytest.raises(RefusedElsewhere) as refused:
            await _client(plant).ask(read_now(plant, who))
    assert (refused.value.remote_status, refused.value.remote_code) == (403, "permission-missing")
    assert refused.value.params == {"permission": "devices.device:command"}


async def test_somebody_of_another_site_finds_nothing(plant: Plant) -> None:
    who = await engineer(plant, DevicesPermission.device_command)
    ask = read_now(plant, who)
    elsewhere = Ask(**{**ask.__dict__, "site_id": plant.world.alpha.other_site_id})
    async with plant.host():
        with pytest.raises(RefusedElsewhere) as refused:
            await _client(plant).ask(elsewhere)
    assert refused.value.remote_status == 404


async def test_wrong_payload_is_named(plant: Plant) -> None:
    who = await engineer(plant, DevicesPermission.device_command)
    ask = Ask(**{**read_now(plant, who).__dict__, "payload": {"device_id": "no"}})
    async with plant.host():
        with pytest.raises(RefusedElsewhere) as refused:
            await _client(plant).ask(ask)
    assert refused.value.remote_status == 422
    assert {field.path for field in refused.value.fields} == {"device_id", "command_id"}


async def test_without_a_host_the_asker_is_told_in_time(plant: Plant) -> None:
    who = await engineer(plant, DevicesPermission.device_command)
    with pytest.raises(SiteUnavailable):
        await _client(plant).ask(read_now(plant, who, timeout_s=1))


async def test_health_counts_what_runs(plant: Plant) -> None:
    host: Host
    async with plant.host() as host, plant.gateway() as gateway:
        await gateway.send(gateway.batch(1, [(plant.tele, time.time_ns() // 1000, 1.0)]))
        await gateway.answer()
        health = host.health()
    assert (health["shards"], health["sites"], health["rows"]) == (1024, 1, 1)
