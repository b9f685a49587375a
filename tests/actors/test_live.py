"""From a gateway's live values to the browser's stream."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from actors.live_feed import INBOX_MAX, Inbox, LiveFeed
from protocols.uplink.messages import Lane
from tests.actors.conftest import Plant

pytestmark = pytest.mark.processes


CLOSINGS = 150


async def test_committed_and_live_values_reach_a_listener_once(plant: Plant) -> None:
    feed = LiveFeed(plant.runtime().endpoints.mqtt)
    at = time.time_ns() // 1000
    async with plant.host(), plant.gateway() as gateway, feed.listen(plant.site_id) as inbox:
        await asyncio.sleep(0.5)  # until the feed has subscribed
        await gateway.be_born()
        await gateway.send(gateway.batch(1, [(plant.tele, at, 1.5)]))
        await gateway.upto(Lane.TELE, 1)
        await gateway.send_live([(plant.tele, at, 1.5), (plant.other_tele, at + 5000, 9.0)])
        await gateway.send_live([(plant.tele, at + 5_000, 2.5)])
        news = [await _next(inbox) for _ in range(3)]
    await feed.close()
    assert news[0] == ("gateway", {"state": "online", "since": news[0][1]["since"], "backlog": 0})
    assert news[1][1]["points"] == [[plant.tele, 1.5, at // 1000, 0]]
    assert news[2][1]["points"] == [[plant.tele, 2.5, (at + 5_000) // 1000, 0]]


async def test_slow_listener_is_dropped() -> None:
    inbox = Inbox()
    for number in range(INBOX_MAX + 1):
        inbox.put(("twins", str(number).encode()))
    assert await inbox.get() is None


async def test_backlog_shrinks_as_it_is_committed(plant: Plant) -> None:
    feed = LiveFeed(plant.runtime().endpoints.mqtt)
    at = time.time_ns() // 1000
    rows = [(plant.tele, at + index, 1.0) for index in range(10)]
    async with plant.host(), plant.gateway() as gateway, feed.listen(plant.site_id) as inbox:
        await asyncio.sleep(0.5)  # until the feed has subscribed
        await gateway.be_born(next_seq=11)
        assert (await _next(inbox, "gateway"))[1]["backlog"] == 10
        await gateway.send(gateway.batch(1, rows[:4]))
        assert (await _next(inbox, "gateway"))[1]["backlog"] == 6
        await gateway.send(gateway.batch(5, rows[4:]))
        assert (await _next(inbox, "gateway"))[1]["backlog"] == 0
    await feed.close()
    assert plant.query("SELECT backlog FROM devices_gateway WHERE code = 'LT-GW1'") == [(0,)]


async def test_feed_closes_while_it_gives_a_site_up(plant: Plant) -> None:
    """A cancellation that meets the broker's answer is swallowed by Python 3.11's wait_for."""
    for number in range(CLOSINGS):
        feed = LiveFeed(plant.runtime().endpoints.mqtt)
        async with feed.listen(plant.site_id):
            await asyncio.sleep(0.03)
        await asyncio.sleep(number * 10e-6)
        done, _ = await asyncio.wait([asyncio.create_task(feed.close())], timeout=5)
        assert done, f"the feed of closing {number} never ended"


async def _next(inbox: Inbox, wanted: str | None = None) -> tuple[str, Any]:
    async with asyncio.timeout(10):
        while True:
            news = await inbox.get()
            assert news is not None
            if wanted in {None, news[0]}:
                return news[0], json.loads(news[1])
