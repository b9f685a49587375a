"""The platform's end of the uplink, in memory: strict order, watermarks, cumulative acks.

It follows the contract in protocols/uplink/messages.py and nothing else; what it misdoes on
purpose (deaf, busy, forgetful) is switched by the test.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import aiomqtt

from cloud.embedded.broker import Broker
from protocols.points import Lane
from protocols.uplink import codec, topics
from protocols.uplink.messages import (
    Ack,
    Batch,
    Birth,
    Command,
    CommandResult,
    Events,
    Gap,
    Live,
    Nack,
)
from tests.kit.tasks import end

Key = tuple[UUID, Lane]


@dataclass
class Platform:
    site: UUID
    watermarks: dict[Key, int] = field(default_factory=dict)
    rows: list[tuple[Key, int, int, int, float, int]] = field(default_factory=list)
    events: list[CommandResult | Gap] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)
    lives: list[Live] = field(default_factory=list)
    batches: int = 0
    is_deaf: bool = False
    busy_for: int = 0
    unreadable: set[tuple[Lane, int]] = field(default_factory=set)
    client: aiomqtt.Client | None = None

    @property
    def gaps(self) -> list[Gap]:
        return [record for record in self.events if isinstance(record, Gap)]

    @property
    def results(self) -> list[CommandResult]:
        return [record for record in self.events if isinstance(record, CommandResult)]

    def receive(self, lane: Lane, data: bytes) -> Ack | Nack | None:
        """One batch, as one transaction; the answer goes out after it."""
        self.batches += 1
        named = codec.peek(data)
        assert named is not None
        if self.is_deaf:
            return None
        if self.busy_for:
            self.busy_for -= 1
            return Nack(named.epoch, lane, "busy", None, 0.1)
        if (lane, named.first_seq) in self.unreadable:
            return Nack(named.epoch, lane, "undecodable", named.first_seq)
        message = codec.decode_batch(lane, data)
        key = (message.epoch, lane)
        known = self.watermarks.get(key, 0)
        if message.first_seq > known + 1:
            return Nack(message.epoch, lane, "hole", known + 1)
        if message.last_seq > known:
            self._store(key, message, known + 1 - message.first_seq)
            self.watermarks[key] = message.last_seq
        return Ack(message.epoch, lane, self.watermarks[key], 0)

    def _store(self, key: Key, message: Batch | Events, skip: int) -> None:
        if isinstance(message, Events):
            for record in message.records[skip:]:
                self.events.append(record)
                if isinstance(record, Gap) and record.seq_to is not None and record.epoch:
                    gone = (record.epoch, record.lane)
                    self.watermarks[gone] = max(self.watermarks.get(gone, 0), record.seq_to)
            return
        columns = (message.points, message.times_us, message.values, message.qualities)
        for i, row in enumerate(zip(*columns, strict=True)):
            if i >= skip:
                self.rows.append((key, message.first_seq + i, *row))

    async def send(self, command: Command) -> None:
        assert self.client is not None
        await self.client.publish(topics.command(self.site), codec.encode(command), qos=1)

    async def run(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload
            assert isinstance(payload, bytes)
            leaf = topics.parse(str(message.topic)).leaf
            if leaf == "live":
                self.lives.append(codec.decode_live(payload))
            elif leaf == "state":
                self.births.append(codec.decode_birth(payload))
            elif leaf.startswith("up/"):
                answer = self.receive(Lane(leaf.removeprefix("up/")), payload)
                if answer is not None:
                    await client.publish(topics.ack(self.site), codec.encode(answer), qos=1)


@asynccontextmanager
async def running_platform(broker: Broker, platform: Platform) -> AsyncIterator[Platform]:
    async with aiomqtt.Client(
        "127.0.0.1",
        broker.port_platform,
        username="platform",
        password=broker.platform_password,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=True,
    ) as client:
        await client.subscribe("v1/+/+/up/+", qos=1)
        await client.subscribe("v1/+/+/live", qos=0)
        await client.subscribe("v1/+/+/state", qos=1)
        platform.client = client
        running = asyncio.create_task(platform.run(client))
        try:
            yield platform
        finally:
            await end(running)
