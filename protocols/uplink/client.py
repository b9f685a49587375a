"""The connection to the broker, as both ends use it."""

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, Self, TypeVar

import aiomqtt

P = ParamSpec("P")
T = TypeVar("T")

ANSWER_S = 5.0
LEAVE_S = 1.0
# Otherwise a small publish waits for the acknowledgment of the one before: 40 ms each.
_NO_DELAY = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)


@asynccontextmanager
async def _answered(within_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(within_s):
            yield
    except OSError as error:  # a timeout is one
        raise aiomqtt.MqttError(str(error) or "the broker does not answer") from error


def _bounded(call: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    @wraps(call)
    async def answered(*args: P.args, **kwargs: P.kwargs) -> T:
        async with _answered(ANSWER_S):
            return await call(*args, **kwargs)

    return answered


class Client(aiomqtt.Client):
    """One client for one connection: after a loss there is a new one. Raises MqttError only.

    The library bounds its waits by asyncio.wait_for, which in Python 3.11 swallows a cancellation
    that meets the broker's answer: the task goes on, and who waits for its end waits for ever. So
    it is told to wait without a bound, and asyncio.timeout sets one.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        user: str,
        password: str,
        identifier: str,
        keepalive_s: int,
        incoming_max: int,
        inflight_max: int | None = None,
        will: aiomqtt.Will | None = None,
    ) -> None:
        self._address = (host, port)
        super().__init__(
            host,
            port,
            username=user,
            password=password,
            identifier=identifier,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=will,
            timeout=math.inf,
            keepalive=keepalive_s,
            clean_start=True,
            max_queued_incoming_messages=incoming_max,
            max_inflight_messages=inflight_max,
            socket_options=_NO_DELAY,
        )

    subscribe = _bounded(aiomqtt.Client.subscribe)
    unsubscribe = _bounded(aiomqtt.Client.unsubscribe)
    publish = _bounded(aiomqtt.Client.publish)

    async def __aenter__(self) -> Self:
        async with _answered(ANSWER_S):
            # The library connects in a thread that cannot be interrupted: see first that it is
            # quick.
            _, writer = await asyncio.open_connection(*self._address)
            writer.close()
            return await super().__aenter__()

    async def __aexit__(self, *error: object) -> None:
        """Never longer than a second: what is not said by then the broker finds out itself."""
        try:
            async with _answered(LEAVE_S):
                await super().__aexit__(None, None, None)
        except aiomqtt.MqttError:
            return
