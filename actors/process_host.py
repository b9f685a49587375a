"""The shell of a host that is a plain process: for tests, and for running on without Ray.

It is asked over a loopback socket, one signed line a question; whoever can sign may ask.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from actors.door import answer
from actors.functions import Functions
from actors.host import Host, tend_leases
from actors.placement import LEASE_S, HostName, Leases
from actors.wire import LINE_MAX, NotSigned, sign, unpack_ask, verify
from cloud.kernel.registry import Function
from cloud.kernel.runtime import Runtime
from cloud.kernel.settings import DatabaseEndpoint
from protocols.uplink.topics import SHARDS

log = structlog.get_logger()

READ_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 2.0
HOOK = "WUYE_HOST_CRASH_AT"


def crash_hook() -> Callable[[], None]:
    """For tests: die between COMMIT and acknowledgment, once, when the environment says so."""
    if os.environ.get(HOOK) == "before-ack":  # noqa: TID251 - read in the shells only
        return lambda: os._exit(86)
    return lambda: None


def host_url(database: DatabaseEndpoint, *, lease_s: float = LEASE_S) -> str:
    """The hosts' login. A host that is stopped inside a transaction must let go of its locks well
    before its leases run out."""
    url = database.host_url.get_secret_value()
    separator = "&" if "?" in url else "?"
    limit_ms = int(lease_s * 500)
    return f"{url}{separator}options=-c%20idle_in_transaction_session_timeout%3D{limit_ms}"


def serve(
    runtime: Runtime,
    functions: Iterable[Function],
    *,
    name: str = "host-0",
    share: int = SHARDS,
    lease_s: float = LEASE_S,
) -> None:
    """Run one host until SIGTERM or SIGINT, then give its shards back."""
    asyncio.run(_serve(runtime, functions, name=name, share=share, lease_s=lease_s))


async def _serve(
    runtime: Runtime, functions: Iterable[Function], *, name: str, share: int, lease_s: float
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_host(runtime, functions, name=name, share=share, lease_s=lease_s):
        ready = ready_file(runtime.settings.data_dir)
        say_ready(ready, is_ready=True)
        await stop.wait()
        say_ready(ready, is_ready=False)


def ready_file(data_dir: Path) -> Path:
    """By its being there, whoever supervises sees that the hosts of this folder answer."""
    return data_dir / "run" / "host.ready"


def say_ready(file: Path, *, is_ready: bool) -> None:
    if is_ready:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch(mode=0o600)
    else:
        file.unlink(missing_ok=True)


@asynccontextmanager
async def running_host(
    runtime: Runtime,
    functions: Iterable[Function],
    *,
    name: str,
    share: int = SHARDS,
    lease_s: float = LEASE_S,
) -> AsyncIterator[Host]:
    """A host with its leases and its door, in this process and loop."""
    door = _Door(runtime.endpoints.secret_key.get_secret_value())
    server = await asyncio.start_server(door.serve, "127.0.0.1", 0, limit=LINE_MAX)
    port = server.sockets[0].getsockname()[1]
    leases = Leases(
        runtime.endpoints.database.host_url.get_secret_value(),
        HostName(name, f"tcp:127.0.0.1:{port}", share),
        lease_s=lease_s,
    )
    host = Host(runtime, Functions(runtime, functions), leases, before_ack=crash_hook())
    door.host = host
    tasks = [
        asyncio.create_task(host.run()),
        asyncio.create_task(tend_leases(leases, every_s=lease_s / 3)),
    ]
    log.info("host.ready", host=name, address=leases.host.address)
    try:
        yield host
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        # Bounded: Python 3.11 loses a cancellation that meets the result of wait_for, and a task
        # that goes on must not keep the shards (seen once). What is left ends with the loop.
        ended, _ = await asyncio.wait(tasks, timeout=STOP_TIMEOUT_S)
        await leases.release()
        await runtime.sessions.kw["bind"].dispose()
        for task in ended:
            if not task.cancelled():
                task.result()
        log.info("host.stopped", host=name)


class _Door:
    def __init__(self, secret: str) -> None:
        self.host: Host | None = None
        self._secret = secret

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question a connection. A line without a good signature ends it."""
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                line = await reader.readline()
                message = verify(self._secret, line)
                found = await self._found(message)
                writer.write(sign(self._secret, found))
                await writer.drain()
        except (NotSigned, ValueError, KeyError, TimeoutError, ConnectionError) as error:
            log.warning("host.door.refused", error=repr(error)[:200])
        finally:
            writer.close()

    async def _found(self, message: dict[str, Any]) -> dict[str, Any]:
        if self.host is None:
            return {"elsewhere": True}
        if message.get("health"):
            return self.host.health()
        return await answer(self.host, unpack_ask(message))
