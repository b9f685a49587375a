"""The shell of a host that is a Ray actor: detached, named, restarted for ever.

Sites, pools and the broker live in the loop of the default concurrency group. The leases are tended
in a thread and over a connection of their own, and health is answered in the group `control`, so
that neither starves behind the work. The thread is ours, not a call of the actor to itself: Ray
refuses such a call while it still takes the actor for one that is restarting.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import structlog

from actors.door import answer
from actors.functions import Functions
from actors.host import Host, tend_leases
from actors.placement import LEASE_S, HostName, Leases
from actors.process_host import crash_hook
from actors.wire import unpack_ask
from cloud.kernel import logs
from cloud.kernel.registry import Function
from cloud.kernel.runtime import Runtime

log = structlog.get_logger()

CONTROL_CALLS = 4


@dataclass(frozen=True)
class Birthright:
    """What an actor makes itself from at every start. The functions are named, not shipped."""

    data_dir: Path
    name: str
    share: int
    runtime: Callable[[Path], Runtime]
    functions: Callable[[], Iterable[Function]]
    lease_s: float = LEASE_S


class RayHost:
    def __init__(self, born: Birthright) -> None:
        # Ray calls this inside the default group's loop.
        runtime = born.runtime(born.data_dir)
        logs.configure(runtime.settings.log, born.name)
        self._leases = Leases(
            runtime.endpoints.database.host_url.get_secret_value(),
            HostName(born.name, f"ray:{born.name}", born.share),
            lease_s=born.lease_s,
        )
        self._host = Host(
            runtime,
            Functions(runtime, born.functions()),
            self._leases,
            before_ack=crash_hook(),
        )
        self._running = asyncio.ensure_future(self._host.run())
        self._running.add_done_callback(_die_of_a_bug)
        self._control = asyncio.new_event_loop()
        self._tending = self._control.create_task(
            tend_leases(self._leases, every_s=born.lease_s / 3)
        )
        self._tending.add_done_callback(_die_of_a_bug)
        threading.Thread(target=self._control.run_forever, name="leases", daemon=True).start()

    async def ask(self, packed: dict[str, Any]) -> dict[str, Any]:
        return await answer(self._host, unpack_ask(packed))

    async def stop(self) -> None:
        """Take nothing new, let what runs finish."""
        self._running.cancel()
        await asyncio.wait([self._running], timeout=6)

    async def release(self) -> None:
        """Give the shards back; after `stop`."""
        given_back = asyncio.run_coroutine_threadsafe(self._give_back(), self._control)
        await asyncio.wrap_future(given_back)

    @ray.method(concurrency_group="control")
    async def health(self) -> dict[str, Any]:
        return {**self._host.health(), "pid": os.getpid()}

    async def _give_back(self) -> None:
        self._tending.cancel()
        await asyncio.wait([self._tending])
        await self._leases.release()


_remote: Any = ray.remote
ACTOR = _remote(
    concurrency_groups={"control": CONTROL_CALLS}, max_restarts=-1, max_task_retries=0, num_cpus=0
)(RayHost)


def _die_of_a_bug(running: asyncio.Future[None]) -> None:
    """A host that runs no more, or tends no leases, is no host: Ray starts another."""
    if not running.cancelled() and running.exception() is not None:
        log.error("host.died", exc_info=running.exception())
        os._exit(1)
