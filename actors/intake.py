"""The broker, as a host uses it: subscribed to the shards it owns, publishing acks and commands.

A client is used once: after a loss there is a new one, which subscribes anew. Nothing here is
durable and nothing needs to be: what is not acknowledged comes again from the outboxes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable

import aiomqtt
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cloud.kernel.db import uuid7
from cloud.kernel.settings import BrokerEndpoint
from protocols.uplink import topics
from protocols.uplink.client import Client

log = structlog.get_logger()

FILTERS_PER_REQUEST = 150
QUEUED_MAX = 4_000
RETRY_S = (0.5, 10.0)
KEEPALIVE_S = 20

_LEAVES = ("up/+", "state", "live")

Receive = Callable[[topics.Address, bytes], None]


class Intake:
    """Connected as long as `run` runs. `receive` is called for each message, in order."""

    def __init__(self, endpoint: BrokerEndpoint, name: str, receive: Receive) -> None:
        self._endpoint = endpoint
        self._name = name
        self._receive = receive
        self._client: Client | None = None
        self._failed = 0  # attempts since there was a connection
        self._wanted: frozenset[int] = frozenset()
        self._subscribed: frozenset[int] = frozenset()
        self._changed = asyncio.Event()

    @property
    def is_listening(self) -> bool:
        """Connected, and subscribed to all that is wanted."""
        return self._client is not None and self._subscribed == self._wanted

    def want(self, shards: Iterable[int]) -> None:
        """Which shards to be subscribed to from now on."""
        self._wanted = frozenset(shards)
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled; a lost broker is tried again, ever more seldom up to ten seconds."""
        while True:
            try:
                await self._session()
            except* aiomqtt.MqttError as lost:
                log.warning("intake.lost", error=str(lost.exceptions[0])[:200])
            low, high = RETRY_S
            pause = min(high, low * 2**self._failed)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
            self._failed += 1

    async def publish(
        self, topic: str, payload: bytes, *, qos: int, expiry_s: int | None = None
    ) -> bool:
        """False when it did not get through; the sender of what it answers will ask again."""
        client = self._client
        if client is None:
            return False
        properties = None
        if expiry_s is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = expiry_s
        try:
            await client.publish(topic, payload, qos=qos, properties=properties)
        except aiomqtt.MqttError:
            return False
        return True

    async def _session(self) -> None:
        async with Client(
            self._endpoint.host,
            self._endpoint.port_platform,
            user=self._endpoint.platform_user,
            password=self._endpoint.platform_password.get_secret_value(),
            identifier=f"{self._name}-{uuid7()}",  # a stopped namesake must not evict us
            keepalive_s=KEEPALIVE_S,
            incoming_max=QUEUED_MAX,
        ) as client:
            self._client = client
            self._failed = 0
            self._changed.set()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._follow_wanted(client))
                    await self._read(client)
            finally:
                self._client = None

    async def _read(self, client: Client) -> None:
        async for message in client.messages:
            if not isinstance(message.payload, bytes | bytearray):
                continue
            try:
                address = topics.parse(str(message.topic))
            except topics.NotATopic:
                log.warning("intake.topic.foreign", topic=str(message.topic)[:120])
                continue
            self._receive(address, bytes(message.payload))

    async def _follow_wanted(self, client: Client) -> None:
        self._subscribed = frozenset()
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = self._wanted
            for filters in _filters(wanted - self._subscribed):
                await client.subscribe([(each, 1) for each in filters])
            for filters in _filters(self._subscribed - wanted):
                await client.unsubscribe(filters)
            self._subscribed = wanted


def _filters(shards: Iterable[int]) -> list[list[str]]:
    every = [f"v1/{shard}/+/{leaf}" for shard in sorted(shards) for leaf in _LEAVES]
    return [
        every[start : start + FILTERS_PER_REQUEST]
        for start in range(0, len(every), FILTERS_PER_REQUEST)
    ]
