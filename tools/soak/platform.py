"""The platform under test: started as `wuye up`, hurt, watched until it is well, and stopped."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from cloud.embedded import processes
from cloud.embedded.postgres import cluster_home
from cloud.embedded.processes import Command
from cloud.kernel.clock import utc_now
from tests.kit.simulators import CHECKOUT, free_port
from tools.soak.report import Fault, How

READY_WITHIN_S = 240.0
HEAL_WITHIN_S = 150.0
STOP_WITHIN_S = 30.0
GONE_WITHIN_S = 8.0
PAUSED_S = 20.0  # longer than a lease
# Processes that no part is, by how their command line begins.
INSIDE = {
    "gcs_server": "gcs_server",
    "raylet": "raylet",
    "ray::RayHost": "host-actor",
    "postgres: wuye: wuye_app": "postgres-backend",
}


@dataclass(frozen=True)
class Plan:
    """What is done to whom, and how long nothing happens in between; no names are all names."""

    seconds: float
    every_s: tuple[float, float] = (10.0, 20.0)
    hows: tuple[How, ...] = tuple(How)
    names: frozenset[str] = frozenset()
    once: bool = False

    def deal(self, had: set[tuple[How, str]], targets: Iterable[str]) -> list[tuple[How, str]]:
        """What may come next: nothing to anybody again before everything came to everybody, and
        kills first, so that a short run reaches every process."""
        deck = {
            (how, name)
            for how in self.hows
            for name in targets
            if not self.names or name in self.names
        }
        if had >= deck:
            if self.once:
                return []
            had.clear()
        left = deck - had
        first = next(how for how in self.hows if any(how is each for each, _ in left))
        return sorted(pair for pair in left if pair[0] is first)


@dataclass
class RunningPlatform:
    folder: Path
    password: str
    port: int = field(default_factory=free_port)
    child: subprocess.Popen[bytes] | None = None
    _ray: Path = Path("/nonexistent")

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> bool:
        """False when it did not become ready."""
        command = Command(
            argv=(sys.executable, "-m", "cloud.cli", "up"),
            environment={
                "WUYE_DATA_DIR": str(self.folder),
                "WUYE_HTTP_PORT": str(self.port),
                "WUYE_DEMO_PASSWORD": self.password,
            },
            directory=CHECKOUT,
            parent_death_signal=signal.SIGTERM,
        )
        with (self.folder.parent / "up.log").open("ab") as output:
            self.child = processes.spawn(command, output.fileno())
        if await self.healed(READY_WITHIN_S) is None:
            return False
        self._ray = Path(self.runtime()["ray"]["temp_dir"])
        return True

    def stop(self) -> int:
        """Answers how many processes it left behind, after ending them."""
        assert self.child is not None
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        left = processes.wait_gone(self.members(), timeout_s=GONE_WITHIN_S)
        processes.end(left)
        return len(left)

    def runtime(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "runtime.json").read_text())
        return found

    def targets(self) -> dict[str, int]:
        """Every process that may be hurt, by name: the parts that run, and those inside them."""
        parts = json.loads((self.folder / "status.json").read_text())["parts"]
        found = {name: int(part["pid"]) for name, part in parts.items() if part["pid"]}
        for pid in self.members():
            for start, name in INSIDE.items():
                if command_line(pid).startswith(start):
                    found[name] = pid
        return found

    async def injure(self, chance: random.Random, plan: Plan) -> list[Fault]:
        """Hurt one process after the other, each when the last has healed; ends when one does
        not, when the plan is through, and when its time is."""
        end, faults, had = monotonic() + plan.seconds, list[Fault](), set[tuple[How, str]]()
        while True:
            pause = chance.uniform(*plan.every_s)
            if monotonic() + pause > end:
                return faults
            await asyncio.sleep(pause)
            targets = self.targets()
            dealt = plan.deal(had, targets)
            if not dealt:
                return faults
            how, name = chance.choice(dealt)
            had.add((how, name))
            fault = await self._hurt(how, name, targets[name])
            faults.append(fault)
            print(f"  {how} {name}: healed after {fault.healed_s} s", file=sys.stderr)
            if fault.healed_s is None:
                return faults

    async def _hurt(self, how: How, name: str, pid: int) -> Fault:
        at = f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"
        if how is How.killed:
            processes.send([pid], signal.SIGKILL)
            # A backend of Postgres comes back when it is needed, under another number.
            dead = {} if name == "postgres-backend" else {name: pid}
            return Fault(at, name, how, await self.healed(HEAL_WITHIN_S, dead))
        processes.send([pid], signal.SIGSTOP)
        await asyncio.sleep(PAUSED_S)
        processes.send([pid], signal.SIGCONT)
        return Fault(at, name, how, await self.healed(HEAL_WITHIN_S))

    async def healed(self, within_s: float, dead: dict[str, int] | None = None) -> float | None:
        """Seconds until all is ready and each name of `dead` has a new process; None: too long."""
        began = monotonic()
        while monotonic() - began < within_s:
            if await self._is_ready():
                now = self.targets() if dead else {}
                if all(now.get(name, pid) != pid for name, pid in (dead or {}).items()):
                    return round(monotonic() - began, 1)
            await asyncio.sleep(0.2)
        return None

    async def _is_ready(self) -> bool:
        try:
            async with httpx.AsyncClient(base_url=self.base, timeout=5) as client:
                return (await client.get("/healthz")).status_code == 200
        except httpx.HTTPError:
            return False

    def members(self) -> list[int]:
        """All that it has started, by what they hold open or are told."""
        home = cluster_home(CHECKOUT, self.folder)
        folders = (self.folder, self._ray, home)
        found = {pid for each in folders for pid in processes.find_by_open_file(each)}
        return sorted(found | set(processes.find_by_argument(str(self.folder))))


def command_line(pid: int) -> str:
    try:
        told = (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        return ""
    program, _, rest = told.partition(" ")
    return f"{Path(program).name} {rest}" if program.startswith("/") else told
