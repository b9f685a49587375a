"""The connection to the platform: sends what the outbox holds until it is acknowledged.

The broker's own acknowledgment says nothing about the platform, so it only paces the sending.
Every connection begins with the birth and with the oldest that is held.
"""

import asyncio
import logging
import random
from collections.abc import Callable

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from edge_agent import clock
from edge_agent.config import BrokerConfig, EdgeConfig
from edge_agent.health import Health
from edge_agent.live import LiveBoard
from edge_agent.outbox import Outbox
from edge_agent.window import Window
from protocols.points import Lane
from protocols.uplink import codec, topics
from protocols.uplink.client import Client
from protocols.uplink.codec import WireError
from protocols.uplink.messages import Ack, Command, Nack

log = logging.getLogger("edge.uplink")

WINDOW = 6
KEEPALIVE_S = 15
RECONNECT_MAX_S = 15.0
STEADY_AFTER_S = 5.0
"""A connection that held this long was a good one; after it, reconnecting begins quickly."""
BIRTH_EVERY_S = 30.0
LIVE_EVERY_S = 1.0
LIVE_WHOLE_EVERY_S = 60.0
_HOLE_PAUSE_S = 2.0
_INCOMING_MAX = 1000


class Uplink:
    """`take` is given each command that comes in; it must not wait."""

    def __init__(
        self,
        config: EdgeConfig,
        *,
        outbox: Outbox,
        live: LiveBoard,
        health: Health,
        take: Callable[[Command], None],
    ) -> None:
        self._broker: BrokerConfig = config.broker
        self._site = config.site
        self._outbox = outbox
        self._live = live
        self._health = health
        self._take = take
        self._windows: dict[Lane, Window] = {}
        self._wake = {lane: asyncio.Event() for lane in Lane}
        self._bytes_per_s: dict[Lane, int | None] = {}
        self._filled: dict[Lane, int] = {}
        self._client: Client | None = None

    async def run(self) -> None:
        """Connect and stay connected, for ever."""
        failures = 0
        while True:
            connected_at = None
            try:
                async with self._connection() as client:
                    connected_at = clock.monotonic()
                    log.info("connected failures=%d", failures)
                    await self._converse(client)
            except* (aiomqtt.MqttError, OSError) as group:
                if connected_at is not None and clock.monotonic() > connected_at + STEADY_AFTER_S:
                    failures = 0
                if connected_at is not None or not failures:
                    log.warning("disconnected reason=%s", _reason(group))
                failures += 1
            await asyncio.sleep(_jitter(min(0.5 * 2 ** min(failures, 10), RECONNECT_MAX_S)))

    async def say_goodbye(self) -> None:
        """Tell that the stop is an orderly one, if there is a connection; at most half a second."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            async with asyncio.timeout(0.5):
                await self._publish_state(client, codec.encode(self._health.gone()))
        except (aiomqtt.MqttError, TimeoutError):
            log.info("no goodbye: the broker does not answer")

    def _connection(self) -> Client:
        broker = self._broker
        will = codec.encode(self._health.gone())
        return Client(
            broker.host,
            broker.port,
            user=broker.user,
            password=broker.password,
            identifier=broker.user,
            keepalive_s=KEEPALIVE_S,
            incoming_max=_INCOMING_MAX,
            inflight_max=2 * WINDOW * len(Lane),
            will=aiomqtt.Will(topics.state(self._site), will, qos=1, retain=True),
        )

    async def _converse(self, client: Client) -> None:
        await self._subscribe(client)
        self._filled.clear()
        self._windows = {lane: Window(WINDOW, random.random) for lane in Lane}
        self._live.changed_all()
        self._client = client
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(client))
                group.create_task(self._keep_born(client))
                group.create_task(self._show(client))
                for lane in Lane:
                    group.create_task(self._deliver(client, lane))
        finally:
            self._client = None

    async def _subscribe(self, client: Client) -> None:
        wanted = [(topics.ack(self._site), 1), (topics.command(self._site), 1)]
        for granted in await client.subscribe(wanted):
            if getattr(granted, "is_failure", False):
                raise aiomqtt.MqttError(f"subscription refused: {granted}")

    async def _listen(self, client: Client) -> None:
        async for message in client.messages:
            payload = message.payload
            assert isinstance(payload, bytes)
            try:
                if str(message.topic) == topics.ack(self._site):
                    await self._hear(codec.decode_ack(payload))
                else:
                    self._take(codec.decode_command(payload))
            except WireError as error:
                log.warning("unreadable topic=%s error=%s", message.topic, error)

    async def _hear(self, answer: Ack | Nack) -> None:
        if answer.epoch != self._outbox.epoch:
            return
        lane, window, now = answer.lane, self._windows[answer.lane], clock.monotonic()
        match answer:
            case Ack():
                await self._outbox.acknowledge(lane, answer.upto_seq)
                self._bytes_per_s[lane] = answer.max_bytes_per_s
                window.acked(answer.upto_seq, now)
            case Nack(reason="busy"):
                pause = answer.retry_after_s or 1.0
                window.rewind(answer.expect or 1, now, pause_s=pause + _jitter(pause))
            case Nack(reason="undecodable", expect=int(expect)):
                if await self._outbox.set_aside(lane, expect, "the platform cannot read it"):
                    log.error("set aside lane=%s first_seq=%d", lane, expect)
                window.rewind(1, now)
            case Nack(reason="hole", expect=int(expect)):
                await self._fill(lane, window, expect)
        self._wake[lane].set()

    async def _fill(self, lane: Lane, window: Window, expect: int) -> None:
        """Go back to what is missing, or, when that is gone for good, say so."""
        if not window.told_hole(expect, clock.monotonic()):
            return
        oldest = await self._outbox.pending(lane, expect, 1)
        if oldest and oldest[0].first_seq <= expect:
            return
        if self._filled.get(lane) != expect and await self._outbox.fill_hole(lane, expect):
            self._filled[lane] = expect
            log.error("hole lane=%s from=%d", lane, expect)
        window.rewind(expect, clock.monotonic(), pause_s=_HOLE_PAUSE_S)

    async def _deliver(self, client: Client, lane: Lane) -> None:
        changed = self._outbox.changed[lane]
        while True:
            window = self._windows[lane]
            changed.clear()
            self._wake[lane].clear()
            if window.overdue(clock.monotonic()):
                window.expire(clock.monotonic())
                log.info("no answer lane=%s failures=%d", lane, window.failures)
            free = window.free(clock.monotonic())
            batches = await self._outbox.pending(lane, window.cursor, free) if free else []
            turn = window.turn
            for batch in batches:
                if window.turn != turn:
                    break
                if window.cursor > batch.last_seq:
                    continue
                window.sent(batch.last_seq, clock.monotonic())
                await client.publish(topics.up(self._site, lane), batch.body, qos=1)
                await self._pace(lane, len(batch.body))
            if not batches:
                await self._wait(lane, window, changed)

    async def _wait(self, lane: Lane, window: Window, changed: asyncio.Event) -> None:
        """Until there is something new, an answer, or nothing for too long."""
        at = window.wake_at(clock.monotonic())
        timeout = None if at is None else max(0.0, at - clock.monotonic())
        waits = [asyncio.ensure_future(event.wait()) for event in (changed, self._wake[lane])]
        try:
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _pace(self, lane: Lane, sent_bytes: int) -> None:
        """Keep to the rate that the platform can take while a backlog drains."""
        rate = self._bytes_per_s.get(lane)
        if rate:
            await asyncio.sleep(sent_bytes / rate)

    async def _keep_born(self, client: Client) -> None:
        while True:
            await self._publish_state(client, codec.encode(await self._health.birth()))
            await asyncio.sleep(BIRTH_EVERY_S)

    async def _publish_state(self, client: Client, payload: bytes) -> None:
        await client.publish(topics.state(self._site), payload, qos=1, retain=True)

    async def _show(self, client: Client) -> None:
        whole_at = clock.monotonic() + LIVE_WHOLE_EVERY_S
        while True:
            if clock.monotonic() >= whole_at:
                self._live.changed_all()
                whole_at += LIVE_WHOLE_EVERY_S
            for message in self._live.take(clock.now_us()):
                await client.publish(topics.live(self._site), codec.encode(message), qos=0)
            await asyncio.sleep(LIVE_EVERY_S)


def _reason(group: BaseExceptionGroup[BaseException]) -> str:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, MqttConnectError):
        return f"{error} — the broker does not know this user and password, or not yet"
    # The library says "disconnected"; why stands in the cause.
    return f"{type(error).__name__}: {error.__cause__ or error}"


def _jitter(most_s: float) -> float:
    return random.uniform(0, most_s)  # noqa: S311
