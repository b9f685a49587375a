"""The edge agent as a process, with a config for the small community of the simulators."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from protocols.uplink import topics
from tests.kit.simulators import CHECKOUT

SITE = UUID("0192f0c0-0000-7000-8000-0000000000e1")
PASSWORD = "of the gateway"


def electricity(unit_id: int, first_point: int, *, every_s: int = 1) -> dict[str, Any]:
    """Points first_point (energy, lane meter), +1 (power) and +2 (voltage)."""

    described = (
        ("energy", 0, "uint32", 0.01, "meter"),
        ("power", 2, "uint32", 0.001, "tele"),
        ("voltage", 4, "uint16", 0.1, "tele"),
    )
    points = [
        {
            "point": first_point + number,
            "code": code,
            "table": "holding",
            "address": address,
            "type": kind,
            "word_order": "big",
            "scale": scale,
            "lane": lane,
            "every_s": every_s,
            "deadband": 0,
        }
        for number, (code, address, kind, scale, lane) in enumerate(described)
    ]
    return {"code": f"E-{unit_id}", "unit_id": unit_id, "points": points}


def config(
    folder: Path,
    *,
    broker_port: int,
    bus_port: int,
    site: UUID = SITE,
    devices: list[dict[str, Any]] | None = None,
    **changes: Any,
) -> Path:
    """Two electricity meters on bus B1, polled twice a second."""
    tree = {
        "version": 1,
        "site": str(site),
        "gateway": "LT-GW1",
        "broker": {
            "host": "127.0.0.1",
            "port": broker_port,
            "user": topics.user(site),
            "password": PASSWORD,
        },
        "store": "outbox",
        "buses": [
            {
                "code": "B1",
                "host": "127.0.0.1",
                "port": bus_port,
                "timeout_s": 0.6,
                "poll_every_s": 0.5,
                "devices": devices or [electricity(1, 17), electricity(2, 27)],
            }
        ],
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(tree | changes, sort_keys=False), encoding="utf-8")
    return path


@dataclass
class Gateway:
    process: asyncio.subprocess.Process
    log: list[str] = field(default_factory=list)
    """Also written to stderr at the end, where pytest shows it when the test fails."""

    async def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 5)

    async def read_log(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log.append(line.decode().rstrip())


@asynccontextmanager
async def running_gateway(
    path: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Gateway]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge_agent", "--config", str(path)),
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"], **(environment or {})},
        stderr=asyncio.subprocess.PIPE,
    )
    gateway = Gateway(process)
    reading = asyncio.create_task(gateway.read_log())
    try:
        yield gateway
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await reading
        sys.stderr.write("\n".join(["", *gateway.log, ""]))
