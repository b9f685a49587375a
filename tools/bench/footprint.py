"""Memory and idle CPU of everything that `make up` starts, by part."""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cloud.embedded import processes
from tools.soak.platform import RunningPlatform, command_line

SETTLED_S = 60.0
WATCHED_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Footprint:
    """`mb` is the proportional set size, `cpu` per cent of one core."""

    name: str
    count: int = 0
    mb: float = 0.0
    cpu: float = 0.0

    def add(self, other: Footprint) -> None:
        self.count += other.count
        self.mb += other.mb
        self.cpu += other.cpu


async def footprint() -> list[Footprint]:
    """Largest first. Raises RuntimeError when the platform does not become ready."""
    with tempfile.TemporaryDirectory() as above:
        folder = Path(above) / "data"
        folder.mkdir()
        platform = RunningPlatform(folder, secrets.token_urlsafe(9))
        try:
            if not await platform.start():
                said = (Path(above) / "up.log").read_text()[-2000:]
                raise RuntimeError(f"the platform did not become ready:\n{said}")
            await asyncio.sleep(SETTLED_S)
            return await _watched(platform)
        finally:
            platform.stop()


async def _watched(platform: RunningPlatform) -> list[Footprint]:
    before = {pid: _cpu_s(pid) for pid in platform.members()}
    await asyncio.sleep(WATCHED_S)
    found: dict[str, Footprint] = {}
    for pid, then in before.items():
        if processes.is_alive(pid):
            name = part_of(command_line(pid))
            cpu = 100 * (_cpu_s(pid) - then) / WATCHED_S
            found.setdefault(name, Footprint(name)).add(Footprint(name, 1, _pss_mb(pid), cpu))
    return sorted(found.values(), key=lambda part: -part.mb)


def part_of(command_line: str) -> str:
    """The part of the platform that a process is of."""
    known = {
        "postgres": "postgres",
        "mosquitto": "broker",
        "simulators": "simulators",
        "edge_agent": "gateways",
        "wuye-edge": "gateways",
        " run web": "web",
        " run worker": "worker",
        " run dashboards": "dashboards",
        " run host": "host",
        "ray": "ray",
        "cloud.cli up": "supervisor",
        "wuye up": "supervisor",
    }
    return next((name for mark, name in known.items() if mark in command_line), "other")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
