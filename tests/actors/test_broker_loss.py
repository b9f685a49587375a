"""The broker dies and comes back: the host goes on, and nothing is stored twice."""

from __future__ import annotations

import time

import pytest

from protocols.uplink.messages import Lane
from tests.actors.conftest import Plant, listening

pytestmark = pytest.mark.processes


async def test_host_outlives_the_broker(plant: Plant) -> None:
    at = time.time_ns() // 1000
    async with plant.host() as host:
        async with plant.gateway() as gateway:
            batch = gateway.batch(1, [(plant.tele, at, 1.0)])
            await gateway.send(batch)
            await gateway.upto(Lane.TELE, 1)
        plant.broker.stop()
        await listening(host, False)
        plant.broker.start()
        await listening(host, True)
        async with plant.gateway() as again:
            again.epoch = gateway.epoch
            await again.send(batch)
            await again.upto(Lane.TELE, 1)
            await again.send(again.batch(2, [(plant.tele, at + 1, 2.0)]))
            await again.upto(Lane.TELE, 2)
    assert plant.query("SELECT value FROM devices_telemetry ORDER BY value") == [(1.0,), (2.0,)]
