"""What site hosts publish for screens, handed to the listeners of one web process.

One broker connection for the process, opened with the first listener; subscribed to the sites that
somebody watches. A listener that does not keep up is dropped: its browser comes back by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import aiomqtt
import structlog

from cloud.kernel.db import uuid7
from cloud.kernel.settings import BrokerEndpoint
from protocols.uplink.client import Client

log = structlog.get_logger()

INBOX_MAX = 100
INCOMING_MAX = 1_000
LISTENERS_MAX = 1_000
RETRY_S = (0.5, 10.0)
KEEPALIVE_S = 20


class Inbox:
    """What one listener has not read yet: (event, data), then None when it is dropped."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue(INBOX_MAX)
        self.is_dropped = False

    async def get(self) -> tuple[str, bytes] | None:
        if self.is_dropped and self._queue.empty():
            return None
        return await self._queue.get()

    def put(self, news: tuple[str, bytes]) -> None:
        try:
            self._queue.put_nowait(news)
        except asyncio.QueueFull:
            self.drop()

    def drop(self) -> None:
        self.is_dropped = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)


class LiveFeed:
    def __init__(self, endpoint: BrokerEndpoint) -> None:
        self._endpoint = endpoint
        self._listeners: dict[UUID, set[Inbox]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listen(self, site_id: UUID) -> AsyncIterator[Inbox]:
        """News of a site from now on. Past a thousand listeners new ones are dropped at once."""
        inbox = Inbox()
        if sum(map(len, self._listeners.values())) >= LISTENERS_MAX:
            inbox.drop()
        self._listeners.setdefault(site_id, set()).add(inbox)
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            yield inbox
        finally:
            self._listeners[site_id].discard(inbox)
            if not self._listeners[site_id]:
                del self._listeners[site_id]
                self._changed.set()

    async def close(self) -> None:
        """End every stream and the connection."""
        for inboxes in self._listeners.values():
            for inbox in inboxes:
                inbox.drop()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        attempt = 0
        while True:
            try:
                await self._session()
            except* aiomqtt.MqttError as group:
                log.warning("live.lost", error=str(group.exceptions[0]))
            low, high = RETRY_S
            await asyncio.sleep(min(high, low * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311
            attempt = min(attempt + 1, 5)

    async def _session(self) -> None:
        async with (
            Client(
                self._endpoint.host,
                self._endpoint.port_platform,
                user=self._endpoint.platform_user,
                password=self._endpoint.platform_password.get_secret_value(),
                identifier=f"web-{uuid7()}",
                keepalive_s=KEEPALIVE_S,
                incoming_max=INCOMING_MAX,
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            self._changed.set()
            group.create_task(self._follow_listeners(client))
            async for message in client.messages:
                self._hand_out(str(message.topic), message.payload)

    async def _follow_listeners(self, client: Client) -> None:
        subscribed: set[UUID] = set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = set(self._listeners)
            for site_id in wanted - subscribed:
                await client.subscribe(f"ui/{site_id}/+", qos=0)
            for site_id in subscribed - wanted:
                await client.unsubscribe(f"ui/{site_id}/+")
            subscribed = wanted

    def _hand_out(self, topic: str, payload: object) -> None:
        _, site_id, leaf = topic.split("/", 2)
        if leaf not in {"twins", "gateway"} or not isinstance(payload, bytes | bytearray):
            return
        for inbox in self._listeners.get(UUID(site_id), ()):
            inbox.put((leaf, bytes(payload)))
