"""Hosts as processes: killed between COMMIT and acknowledgment, and inside a real Ray."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from actors.client import SitesClient
from actors.ray_connection import NAMESPACE, connect, prepare
from cloud.kernel.settings import RayEndpoint
from protocols.points import Quality
from protocols.uplink.messages import CommandResult, Lane, Outcome
from protocols.uplink.topics import shard_of
from tests.actors.conftest import Plant
from tests.actors.test_turns import engineer, read_now
from tests.kit.hosts import host_process, private_ray, short_leased_host

pytestmark = pytest.mark.processes

HELD = "SELECT count(*) FROM kernel_shard_lease WHERE expires_at > clock_timestamp()"


async def _until(plant: Plant, statement: str, wanted: Any, *, timeout_s: float = 30) -> None:
    async with asyncio.timeout(timeout_s):
        while plant.query(statement)[0][0] != wanted:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


async def test_crash_between_commit_and_ack_stores_once(plant: Plant) -> None:
    async with plant.gateway() as gateway:
        batch = gateway.batch(1, [(plant.tele, time.time_ns() // 1000, 1.0)])
        with host_process(plant.data_dir, WUYE_HOST_CRASH_AT="before-ack") as child:
            await _until(plant, HELD, 1024)
            await asyncio.sleep(0.5)
            await gateway.send(batch)
            assert await asyncio.to_thread(child.wait, 15) == 86
        assert plant.query("SELECT count(*) FROM devices_telemetry") == [(1,)]
        assert gateway.answers.empty()
        async with plant.host():
            await gateway.send(batch)
            await gateway.upto(Lane.TELE, 1)
    assert plant.query("SELECT count(*) FROM devices_telemetry") == [(1,)]


async def test_process_gives_its_shards_back_when_it_is_ended(plant: Plant) -> None:
    with host_process(plant.data_dir) as child:
        await _until(plant, HELD, 1024)
        child.terminate()
        assert await asyncio.to_thread(child.wait, 15) == 0
    assert plant.query(HELD) == [(0,)]


async def test_stopped_host_is_replaced_and_can_do_no_harm_when_it_wakes(plant: Plant) -> None:
    """The zombie still holds what the broker sent it, and its old idea of what it owns."""
    owner = "SELECT host FROM kernel_shard_lease WHERE shard = 0"
    at = time.time_ns() // 1000
    with short_leased_host(plant.data_dir, name="zombie", lease_s=1.5) as zombie:
        await _until(plant, owner, "zombie")
        await asyncio.sleep(0.7)  # until it listens
        async with plant.gateway() as gateway:
            await gateway.send(gateway.batch(1, [(plant.tele, at, 1.0)]))
            await gateway.upto(Lane.TELE, 1)
            zombie.send_signal(signal.SIGSTOP)
            async with plant.host(name="heir", lease_s=1.5):
                await _until(plant, owner, "heir")
                await gateway.deliver(gateway.batch(2, [(plant.tele, at + 1, 2.0)]))
                zombie.send_signal(signal.SIGCONT)
                await gateway.send(gateway.batch(3, [(plant.tele, at + 2, 3.0)]))
                await gateway.upto(Lane.TELE, 3)
                await asyncio.sleep(1)
                assert plant.query(owner) == [("heir",)]
    assert plant.query("SELECT value FROM devices_telemetry ORDER BY value") == [
        (1.0,),
        (2.0,),
        (3.0,),
    ]


@contextmanager
def _ray(plant: Plant) -> Iterator[RayEndpoint]:
    path = plant.data_dir / "runtime.json"
    with private_ray(plant.data_dir) as endpoint:
        endpoints = json.loads(path.read_text())
        path.write_text(json.dumps({**endpoints, "ray": endpoint.model_dump(mode="json")}))
        yield endpoint


async def test_host_in_ray_is_asked_killed_and_comes_back(plant: Plant) -> None:
    who = await engineer(plant, "devices.device:command")
    address = "SELECT address FROM kernel_shard_lease WHERE shard = %s AND epoch > %s"
    shard = shard_of(plant.site_id)
    with _ray(plant) as endpoint:
        prepare(endpoint)
        import ray

        async with plant.gateway() as gateway:
            with host_process(plant.data_dir) as child:
                await _until(plant, HELD, 1024, timeout_s=60)
                assert plant.query(address, shard, 0) == [("ray:host-0",)]
                connect(endpoint)
                host = ray.get_actor("host-0", namespace=NAMESPACE)
                while not (await host.health.remote())["listening"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                client = SitesClient(plant.world.sessions, secret="tests", ray=endpoint)
                asked = asyncio.create_task(client.ask(read_now(plant, who)))
                command = await gateway.command()
                done = CommandResult(command.id, Outcome.DONE, 7.5, Quality.GOOD, 1, "")
                await gateway.send_events(1, done)
                assert (await asked)["value"] == 7.5

                os.kill((await host.health.remote())["pid"], signal.SIGKILL)
                await _until(plant, "SELECT min(epoch) > 1 FROM kernel_shard_lease", True)
                batch = gateway.batch(1, [(plant.tele, time.time_ns() // 1000, 1.0)])
                for _ in range(20):
                    await gateway.send(batch)
                    try:
                        async with asyncio.timeout(1):
                            await gateway.upto(Lane.TELE, 1)
                            break
                    except TimeoutError:
                        continue
                assert plant.query("SELECT count(*) FROM devices_telemetry") == [(1,)]
                child.terminate()
                assert await asyncio.to_thread(child.wait, 20) == 0
            ray.shutdown()
    assert plant.query(HELD) == [(0,)]
