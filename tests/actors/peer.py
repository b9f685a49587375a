"""A gateway's end of the wire: publishes with the real codec, remembers what it is answered."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import aiomqtt

from protocols.uplink import codec, topics
from protocols.uplink.client import Client
from protocols.uplink.messages import (
    Ack,
    Batch,
    Birth,
    Command,
    CommandResult,
    Events,
    Gap,
    Lane,
    LaneState,
    Live,
    Nack,
)
from tests.kit.tasks import end

WAIT_S = 15.0


class Peer:
    def __init__(self, client: aiomqtt.Client, site_id: UUID) -> None:
        self._client = client
        self.site_id = site_id
        self.epoch = uuid4()
        self.answers: asyncio.Queue[Ack | Nack] = asyncio.Queue(1_000)
        self.commands: asyncio.Queue[Command] = asyncio.Queue(1_000)

    async def listen(self) -> None:
        await self._client.subscribe(topics.ack(self.site_id), qos=1)
        await self._client.subscribe(topics.command(self.site_id), qos=1)
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            if str(message.topic) == topics.ack(self.site_id):
                self.answers.put_nowait(codec.decode_ack(message.payload))
            else:
                self.commands.put_nowait(codec.decode_command(message.payload))

    def batch(
        self, first_seq: int, rows: Sequence[tuple[int, int, float]], lane: Lane = Lane.TELE
    ) -> Batch:
        """Rows are (point, µs, value), all good."""
        return Batch(
            self.epoch,
            lane,
            first_seq,
            array("I", [row[0] for row in rows]),
            array("q", [row[1] for row in rows]),
            array("d", [row[2] for row in rows]),
            array("B", [0] * len(rows)),
        )

    async def send(self, batch: Batch) -> None:
        await self._client.publish(topics.up(self.site_id, batch.lane), codec.encode(batch), qos=1)

    async def deliver(self, batch: Batch) -> Ack:
        """Sends again until it is acknowledged, as an outbox does: whoever takes a site over may
        own it before it listens."""
        async with asyncio.timeout(WAIT_S):
            while True:
                await self.send(batch)
                with suppress(TimeoutError):
                    return await self.upto(batch.lane, batch.last_seq, within_s=1)

    async def send_events(self, first_seq: int, *records: CommandResult | Gap) -> None:
        events = Events(self.epoch, first_seq, records)
        await self._client.publish(topics.up(self.site_id, Lane.EVENT), codec.encode(events), qos=1)

    async def send_live(self, rows: Sequence[tuple[int, int, float]]) -> None:
        batch = self.batch(1, rows)
        live = Live(rows[-1][1], batch.points, batch.times_us, batch.values, batch.qualities)
        await self._client.publish(topics.live(self.site_id), codec.encode(live))

    async def send_raw(self, lane: Lane, payload: bytes) -> None:
        await self._client.publish(topics.up(self.site_id, lane), payload, qos=1)

    async def be_born(self, *, online: bool = True, next_seq: int = 1, acked_seq: int = 0) -> None:
        state = LaneState(next_seq=next_seq, acked_seq=acked_seq, bytes=0, oldest_us=None)
        birth = Birth(
            epoch=self.epoch,
            boot_id=uuid4(),
            agent_version="test",
            config_hash="none",
            lanes={Lane.TELE: state},
            clock_synced=True,
            disk_free=1,
            at_us=1,
            online=online,
        )
        await self._client.publish(
            topics.state(self.site_id), codec.encode(birth), qos=1, retain=True
        )

    async def answer(self) -> Ack | Nack:
        async with asyncio.timeout(WAIT_S):
            return await self.answers.get()

    async def upto(self, lane: Lane, seq: int, *, within_s: float = WAIT_S) -> Ack:
        """The first ack of the lane that covers `seq`."""
        async with asyncio.timeout(within_s):
            while True:
                answer = await self.answers.get()
                if isinstance(answer, Ack) and answer.lane is lane and answer.upto_seq >= seq:
                    return answer

    async def command(self) -> Command:
        async with asyncio.timeout(WAIT_S):
            return await self.commands.get()


@asynccontextmanager
async def connected(port: int, site_id: UUID, password: str) -> AsyncIterator[Peer]:
    user = topics.user(site_id)
    async with Client(
        "127.0.0.1",
        port,
        user=user,
        password=password,
        identifier=user,
        keepalive_s=60,
        incoming_max=1_000,
    ) as client:
        peer = Peer(client, site_id)
        listening = asyncio.create_task(peer.listen())
        await asyncio.sleep(0.1)
        try:
            yield peer
        finally:
            await end(listening)
