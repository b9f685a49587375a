"""The uplink as the agent runs it: it ends when it is told to, wherever that meets it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.embedded.broker import Broker
from edge_agent.config import load
from edge_agent.health import Health
from edge_agent.live import LiveBoard
from edge_agent.outbox import Outbox
from edge_agent.uplink import Uplink
from protocols.points import Block, Quality
from protocols.uplink import topics
from protocols.uplink.messages import Command
from tests.kit.broker import private_broker
from tests.kit.gateway import PASSWORD, SITE, config
from tests.kit.platform import Platform, running_platform

pytestmark = pytest.mark.processes

STOPS = 100


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with private_broker({topics.user(SITE): PASSWORD}) as broker:
        yield broker


def _ignore(command: Command) -> None:
    del command


async def test_uplink_ends_while_the_broker_answers(tmp_path: Path, broker: Broker) -> None:
    """A cancellation that meets the broker's answer is swallowed by Python 3.11's wait_for."""
    loaded = load(config(tmp_path, broker_port=broker.port_gateways, bus_port=1))
    outbox = Outbox(loaded.config.store)
    try:
        async with running_platform(broker, Platform(SITE, is_deaf=True)) as platform:
            for number in range(STOPS):
                block = Block()
                block.append(17, number, float(number), Quality.GOOD)
                await outbox.keep(block)
                uplink = Uplink(
                    loaded.config,
                    outbox=outbox,
                    live=LiveBoard(),
                    health=Health.begin(outbox, loaded.hash),
                    take=_ignore,
                )
                seen = platform.batches
                running = asyncio.create_task(uplink.run())
                while platform.batches == seen:  # noqa: ASYNC110 — that moment, no poll later
                    await asyncio.sleep(0)
                await asyncio.sleep(number * 10e-6)
                running.cancel()
                done, _ = await asyncio.wait([running], timeout=5)
                assert done, f"the uplink of stop {number} never ended"
    finally:
        await outbox.close()
