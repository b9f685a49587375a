"""The process that keeps hosts in Ray: it makes the actors, watches them, and ends them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import structlog

from actors.placement import LEASE_S
from actors.process_host import HOOK, ready_file, say_ready
from actors.ray_connection import connect
from cloud.kernel.registry import Function
from cloud.kernel.runtime import Runtime
from cloud.kernel.settings import RayEndpoint
from protocols.uplink.topics import SHARDS

log = structlog.get_logger()

WATCH_EVERY_S = 2.0
HEALTH_TIMEOUT_S = 5.0
SICK_MAX = 6
STOP_TIMEOUT_S = 6.0
CORES_PER_HOST = 2


def supervise(
    endpoint: RayEndpoint,
    *,
    data_dir: Path,
    runtime: Callable[[Path], Runtime],
    functions: Callable[[], Iterable[Function]],
    hosts: int | None = None,
    lease_s: float = LEASE_S,
) -> None:
    """Until SIGTERM. Ends the process with 1 when Ray itself is gone, for whoever supervises it."""
    connect(endpoint)
    from actors.ray_actor import ACTOR, Birthright  # noqa: PLC0415 - imports ray

    count = hosts or max(1, (os.cpu_count() or 1) // CORES_PER_HOST)
    born = [
        Birthright(
            data_dir=data_dir.absolute(),
            name=f"host-{index}",
            share=-(-SHARDS // count),
            runtime=runtime,
            functions=functions,
            lease_s=lease_s,
        )
        for index in range(count)
    ]
    actors = {
        one.name: ACTOR.options(
            name=one.name, lifetime="detached", get_if_exists=True, **_hook()
        ).remote(one)
        for one in born
    }
    sys.exit(asyncio.run(_watch(actors, ready_file(data_dir))))


async def _watch(actors: dict[str, Any], ready: Path) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sick = dict.fromkeys(actors, 0)
    while not stop.is_set():
        for name, actor in actors.items():
            sick[name] = 0 if await _is_well(name, actor) else sick[name] + 1
        say_ready(ready, is_ready=not any(sick.values()))
        if all(count >= SICK_MAX for count in sick.values()):
            log.error("hosts.gone", hosts=len(actors))
            return 1
        try:
            async with asyncio.timeout(WATCH_EVERY_S):
                await stop.wait()
        except TimeoutError:
            continue
    await _end(actors)
    return 0


async def _is_well(name: str, actor: Any) -> bool:
    from ray.exceptions import RayError  # noqa: PLC0415 - imports ray

    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_S):
            await actor.health.remote()
    except (RayError, TimeoutError) as error:
        log.warning("host.not_well", host=name, error=type(error).__name__)
        return False
    return True


async def _end(actors: dict[str, Any]) -> None:
    """Let each finish and give its shards back, then end it for good."""
    import ray  # noqa: PLC0415 - takes 130 MB: only where hosts run in it
    from ray.exceptions import RayError  # noqa: PLC0415 - imports ray

    for name, actor in actors.items():
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await actor.stop.remote()
                await actor.release.remote()
        except (RayError, TimeoutError) as error:
            log.warning("host.not_stopped", host=name, error=type(error).__name__)
        ray.kill(actor, no_restart=True)


def _hook() -> dict[str, Any]:
    """The crash hook of tests has to be passed on: actors inherit Ray's environment, not ours."""
    crash_at = os.environ.get(HOOK)  # noqa: TID251 - read in the shells only
    return {"runtime_env": {"env_vars": {HOOK: crash_at}}} if crash_at else {}
