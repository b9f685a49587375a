"""Keeping parts running: order, restarts, groups, steps, and an end without orphans."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cloud.embedded import processes
from cloud.embedded.errors import SetupError
from cloud.embedded.logs import cut_log, log_tail, open_log
from cloud.embedded.part import Part, PartState, PartStatus, StepFailed
from cloud.embedded.processes import Command
from cloud.embedded.supervisor import Supervisor

pytestmark = pytest.mark.processes

SLEEP = "import time; time.sleep(600)"
# Starts a grandchild that stays when its parent is killed.
FAMILY = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{SLEEP}'])"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


def python(code: str) -> Callable[[], Command]:
    return lambda: Command(argv=(sys.executable, "-c", code))


class Watched:
    """A supervisor with what it has said, in order."""

    def __init__(self, logs: Path, *parts: Part) -> None:
        self.said: list[tuple[str, PartStatus, str]] = []
        self.supervisor = Supervisor(
            parts, logs=logs, observe=self._observe, on_tick=lambda _: self.changed.set()
        )
        self.changed = asyncio.Event()
        self.stop = asyncio.Event()

    def _observe(self, name: str, state: PartState) -> None:
        self.said.append((name, state.status, state.detail))

    async def until(self, name: str, status: PartStatus, *, restarts: int = 0) -> int:
        """The part's process id."""
        async with asyncio.timeout(20):
            while True:
                state = self.supervisor.states[name]
                if state.status == status and state.restarts >= restarts:
                    return state.pid or 0
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def running(logs: Path, *parts: Part) -> AsyncIterator[Watched]:
    watched = Watched(logs, *parts)
    task = asyncio.create_task(watched.supervisor.run(watched.stop))
    try:
        yield watched
    finally:
        watched.stop.set()
        await task


class TestStarting:
    async def test_waits_for_what_a_part_needs(self, tmp_path: Path) -> None:
        first = Part(name="first", command=python(SLEEP), settle_s=0.1)
        second = Part(
            name="second", command=python(SLEEP), settle_s=0.1, needs=frozenset({"first"})
        )

        async with running(tmp_path, second, first) as watched:
            await watched.until("second", PartStatus.READY)

        ready = [name for name, status, _ in watched.said if status == PartStatus.READY]
        assert ready == ["first", "second"]

    async def test_ends_all_when_a_step_fails(self, tmp_path: Path) -> None:
        step = Part(name="step", command=python("raise SystemExit('no such table')"), is_step=True)
        other = Part(name="other", command=python(SLEEP), settle_s=0.1)
        watched = Watched(tmp_path, step, other)

        with pytest.raises(StepFailed, match="no such table"):
            await watched.supervisor.run(watched.stop)

        assert watched.supervisor.states["other"].pid is None

    async def test_tells_what_keeps_a_part_from_its_first_start(self, tmp_path: Path) -> None:
        def refuse() -> None:
            raise OSError(28, "No space left on device")

        watched = Watched(tmp_path, Part(name="full", command=python(SLEEP), prepare=refuse))

        with pytest.raises(SetupError, match=r"cannot start full: .*No space left on device"):
            await watched.supervisor.run(watched.stop)


class TestAPartThatDies:
    async def test_is_started_again_and_shown(self, tmp_path: Path) -> None:
        async with running(
            tmp_path, Part(name="part", command=python(SLEEP), settle_s=0.1)
        ) as watched:
            killed = await watched.until("part", PartStatus.READY)
            os.kill(killed, signal.SIGKILL)

            again = await watched.until("part", PartStatus.READY, restarts=1)

        assert again != killed
        assert ("part", PartStatus.RESTARTING, "killed by signal 9") in watched.said

    async def test_leaves_no_grandchild(self, tmp_path: Path) -> None:
        part = Part(name="family", command=python(FAMILY), settle_s=0.5)

        async with running(tmp_path, part) as watched:
            killed = await watched.until("family", PartStatus.READY)
            grandchildren = processes.find_by_session(killed)
            os.kill(killed, signal.SIGKILL)
            await watched.until("family", PartStatus.READY, restarts=1)

        assert len(grandchildren) == 2
        assert processes.wait_gone(grandchildren, timeout_s=2) == []

    async def test_is_started_ever_later_when_it_dies_at_once(self, tmp_path: Path) -> None:
        part = Part(name="broken", command=python("raise SystemExit(3)"))

        async with running(tmp_path, part) as watched:
            await asyncio.sleep(3)
            restarts = watched.supervisor.states["broken"].restarts

        assert 2 <= restarts <= 4

    async def test_takes_its_group_along(self, tmp_path: Path) -> None:
        lead = Part(name="lead", command=python(SLEEP), settle_s=0.1)
        member = Part(
            name="member", command=python(SLEEP), settle_s=0.1, falls_with=frozenset({"lead"})
        )

        async with running(tmp_path, lead, member) as watched:
            before = await watched.until("member", PartStatus.READY)
            os.kill(await watched.until("lead", PartStatus.READY), signal.SIGKILL)
            after = await watched.until("member", PartStatus.READY, restarts=1)

        assert after != before
        assert ("member", PartStatus.RESTARTING, "with its group") in watched.said


class TestStopping:
    async def test_ends_what_does_not_listen(self, tmp_path: Path) -> None:
        part = Part(name="deaf", command=python(DEAF), settle_s=0.3, stop_timeout_s=0.3)

        async with running(tmp_path, part) as watched:
            pid = await watched.until("deaf", PartStatus.READY)

        assert not processes.is_alive(pid)

    async def test_keeps_what_others_stand_on_until_they_are_gone(self, tmp_path: Path) -> None:
        parts = [
            Part(name=name, command=python(SLEEP), settle_s=0.1, stop_stage=stage)
            for stage, name in enumerate(("ground", "upper"))
        ]

        async with running(tmp_path, *parts) as watched:
            await watched.until("ground", PartStatus.READY)
            await watched.until("upper", PartStatus.READY)

        down = [name for name, status, _ in watched.said if status == PartStatus.DOWN]
        assert down == ["upper", "ground"]


class TestALog:
    def test_is_cut_under_its_writer_when_it_has_grown_too_long(self, tmp_path: Path) -> None:
        path = tmp_path / "part.log"
        with open_log(path) as log:
            log.write(b"x" * (17 * 1024 * 1024))
            log.flush()
            cut_log(path)
            log.write(b"after\n")

        assert log_tail(path) == "after"
        assert (tmp_path / "part.log.1").stat().st_size == 17 * 1024 * 1024
