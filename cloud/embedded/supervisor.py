"""Keeps the parts of the platform running: starts them in order, restarts what dies, stops all.

One task per part. A part waits for what it needs, starts, becomes ready, and is awaited by its
pidfd; when it ends, what is left of its session is killed and it starts again, at once if it had
been steady, with a growing delay if not.
"""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from cloud.embedded import processes
from cloud.embedded.errors import SetupError
from cloud.embedded.logs import cut_log, log_tail, open_log
from cloud.embedded.part import Part, PartState, PartStatus, StepFailed

_READY_POLL_S = 0.05
_PROBE_EVERY_S = 5.0
_PROBES_FAILED_MAX = 3
_STEADY_S = 10.0
_DELAY_FIRST_S = 0.5
_DELAY_MAX_S = 15.0
_TICK_S = 2.0
_GROUP_STOP_TIMEOUT_S = 1.0

Observer = Callable[[str, PartState], None]


class _Keeper:
    """One part and what is known of it now."""

    def __init__(self, part: Part, log: Path, observe: Observer) -> None:
        self.part = part
        self.log = log
        self.ready = asyncio.Event()
        self.child: subprocess.Popen[bytes] | None = None
        self.fell = False
        """Ended by us, with its group: restarted without delay."""
        self.began = time.monotonic()
        """When the current start, or the outage that led to it, began."""
        self.state = PartState(PartStatus.STARTING, "", None, 0, _now())
        self._observe = observe

    def mark(self, status: PartStatus, detail: str = "") -> None:
        pid = self.child.pid if self.child is not None and status != PartStatus.DOWN else None
        changed = status != self.state.status
        since = _now() if changed else self.state.since
        self.state = PartState(status, detail, pid, self.state.restarts, since)
        if status == PartStatus.READY:
            self.ready.set()
        else:
            self.ready.clear()
        if changed:
            self._observe(self.part.name, self.state)


class Supervisor:
    def __init__(
        self,
        parts: Iterable[Part],
        *,
        logs: Path,
        observe: Observer,
        on_tick: Callable[["Supervisor"], None],
    ) -> None:
        """`on_tick` is called every two seconds and after each change of a part."""
        self._on_tick = on_tick
        self._observe = observe
        self._keepers = {
            part.name: _Keeper(part, logs / f"{part.name}.log", self._changed) for part in parts
        }
        self._was_ready = False
        self._stopping = False

    @property
    def states(self) -> dict[str, PartState]:
        return {name: keeper.state for name, keeper in self._keepers.items()}

    @property
    def status(self) -> str:
        if self._stopping:
            return "stopping"
        if all(keeper.ready.is_set() for keeper in self._keepers.values()):
            self._was_ready = True
            return "ready"
        return "degraded" if self._was_ready else "starting"

    def pid_of(self, name: str) -> int | None:
        return self._keepers[name].state.pid

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. Raises StepFailed and SetupError; everything is stopped either way."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._keep(k)) for k in self._keepers.values()]
                tasks.append(group.create_task(self._tick()))
                await stop.wait()
                self._stopping = True
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as failed:
            refusals, others = failed.split(SetupError)
            if refusals is None or others is not None:
                raise
            raise refusals.exceptions[0] from None
        finally:
            await self._stop_all()

    def _changed(self, name: str, state: PartState) -> None:
        self._observe(name, state)
        self._on_tick(self)

    async def _tick(self) -> None:
        while True:
            for keeper in self._keepers.values():
                cut_log(keeper.log)
            self._on_tick(self)
            await asyncio.sleep(_TICK_S)

    async def _keep(self, keeper: _Keeper) -> None:
        delay_s = _DELAY_FIRST_S
        for other in sorted(keeper.part.yields_to):
            await self._keepers[other].ready.wait()
        while True:
            for need in sorted(keeper.part.needs):
                await self._keepers[need].ready.wait()
            if keeper.state.restarts == 0:
                keeper.began = time.monotonic()
            lived_s, code = await self._run_once(keeper)
            if keeper.part.is_step:
                await self._end_step(keeper, code)
                return
            await self._fell_down(keeper, code)
            if lived_s > _STEADY_S or keeper.fell:
                delay_s = _DELAY_FIRST_S
            else:
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, _DELAY_MAX_S)
            keeper.fell = False

    async def _run_once(self, keeper: _Keeper) -> tuple[float, int]:
        part = keeper.part
        try:
            await asyncio.to_thread(part.prepare)
        except (SetupError, OSError) as error:
            if keeper.state.restarts == 0:
                raise SetupError(f"cannot start {part.name}: {error}") from error
            keeper.mark(PartStatus.RESTARTING, str(error))
            return 0.0, 1
        with open_log(keeper.log) as output:
            keeper.child = processes.spawn(part.command(), output.fileno())
        started = time.monotonic()
        keeper.state.pid = keeper.child.pid
        watch = None if part.is_step else asyncio.create_task(self._watch(keeper))
        try:
            code = await processes.exited(keeper.child)
        finally:
            if watch is not None:
                watch.cancel()
        processes.end_session(keeper.child)
        keeper.child = None
        return time.monotonic() - started, code

    async def _watch(self, keeper: _Keeper) -> None:
        part = keeper.part
        if part.is_ready is None:
            await asyncio.sleep(part.settle_s)
        else:
            # Only asking tells whether another process is ready.
            while not await asyncio.to_thread(part.is_ready):  # noqa: ASYNC110
                await asyncio.sleep(_READY_POLL_S)
        took_s = time.monotonic() - keeper.began
        how = "restarted after" if keeper.state.restarts else "in"
        detail = f"{part.detail}, {how} {took_s:.1f} s".removeprefix(", ")
        keeper.mark(PartStatus.READY, detail)
        failed = 0
        while part.is_ready is not None:
            await asyncio.sleep(_PROBE_EVERY_S)
            failed = 0 if await asyncio.to_thread(part.is_ready) else failed + 1
            if failed >= _PROBES_FAILED_MAX:
                keeper.mark(PartStatus.DOWN, "does not answer")
            elif failed == 0 and not keeper.ready.is_set():
                keeper.mark(PartStatus.READY, detail)

    async def _end_step(self, keeper: _Keeper, code: int) -> None:
        if code != 0:
            keeper.mark(PartStatus.DOWN, f"ended with {code}")
            raise StepFailed(keeper.part.name, log_tail(keeper.log))
        await asyncio.to_thread(keeper.part.after)
        keeper.mark(PartStatus.READY, f"in {time.monotonic() - keeper.began:.1f} s")

    async def _fell_down(self, keeper: _Keeper, code: int) -> None:
        if not keeper.fell:
            keeper.began = time.monotonic()
        keeper.state.restarts += 1
        why = "with its group" if keeper.fell else _explain(code, keeper.log)
        keeper.mark(PartStatus.RESTARTING, why)
        group = [
            member
            for member in self._keepers.values()
            if keeper.part.name in member.part.falls_with and member.child is not None
        ]
        for member in group:
            member.fell = True
            member.began = keeper.began
        await asyncio.gather(*(self._stop_one(m, _GROUP_STOP_TIMEOUT_S) for m in group))

    async def _stop_all(self) -> None:
        self._stopping = True
        self._on_tick(self)
        for stage in sorted({k.part.stop_stage for k in self._keepers.values()}, reverse=True):
            members = [k for k in self._keepers.values() if k.part.stop_stage == stage]
            await asyncio.gather(*(self._stop_one(k, k.part.stop_timeout_s) for k in members))

    async def _stop_one(self, keeper: _Keeper, timeout_s: float) -> None:
        child = keeper.child
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, keeper.part.command().stop_signal)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await processes.exited(child)
        processes.end_session(child)
        await processes.exited(child)
        if self._stopping:
            keeper.child = None
            keeper.mark(PartStatus.DOWN, "stopped")


def _explain(code: int, log: Path) -> str:
    how = f"killed by signal {-code}" if code < 0 else f"ended with {code}"
    last = log_tail(log, lines=1)
    return f"{how}: {last}" if last else how


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
