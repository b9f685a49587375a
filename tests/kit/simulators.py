"""The simulators as a process of their own, with a small community."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
COMMUNITY = CHECKOUT / "demo" / "community.yaml"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def small_community(path: Path) -> Path:
    """Two rooms on bus B1 of site LT (electricity 1 and 2, water 101 and 102), one shared meter."""
    tree: dict[Any, Any] = yaml.load(
        COMMUNITY.read_text(encoding="utf-8"),
        yaml.BaseLoader,  # noqa: S506 (builds text only)
    )
    site = tree["sites"][0]
    tree["seed"] = 7
    tree["sites"] = [
        site
        | {
            "buses": [{"code": "B1"}, {"code": "P"}],
            "rooms": site["rooms"][:2],
            "shared": site["shared"][:1],
        }
    ]
    path.write_text(_yaml(tree), encoding="utf-8")
    return path


def _yaml(tree: dict[Any, Any]) -> str:
    """BaseLoader reads every scalar as text; what the readers want as numbers is put back."""

    def typed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: typed(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [typed(item, key) for item in value]
        if key in ("electricity", "water", "daily", "device", "rooms", "address"):
            return int(value) if str(value).isdigit() else value
        return value

    return yaml.safe_dump(typed(tree), allow_unicode=True)


@dataclass
class Simulators:
    state: Path
    ports: dict[str, int]
    process: asyncio.subprocess.Process

    def silence(self, *names: str) -> None:
        (self.state / "silenced.json").write_text(json.dumps({"silenced": names}))

    async def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 5)


def command(*, community: Path, ports: Path, state: Path, speed: float = 1) -> list[str]:
    return [
        *(sys.executable, "-m", "simulators", "--community", str(community)),
        *("--ports", str(ports), "--state", str(state), "--speed", str(speed)),
    ]


@asynccontextmanager
async def running_simulators(
    state: Path, *, speed: float = 1, ports: Mapping[str, int] | None = None
) -> AsyncIterator[Simulators]:
    community = small_community(state / "community.yaml")
    chosen = dict(ports or {"LT/B1": free_port(), "LT/P": free_port()})
    listed = state / "ports.json"
    listed.write_text(json.dumps(chosen))
    process = await asyncio.create_subprocess_exec(
        *command(community=community, ports=listed, state=state, speed=speed),
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"]},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    simulators = Simulators(state, chosen, process)
    try:
        line = b""
        while b"ready" not in line:
            line = await asyncio.wait_for(process.stderr.readline(), 10)
            assert line, "the simulators ended before they were ready"
        yield simulators
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
