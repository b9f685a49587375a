"""The whole platform as separate real processes, each of which a test may kill and start again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import yaml

from cloud import main
from cloud.kernel.auth import CSRF_HEADER
from cloud.kernel.settings import Settings
from protocols.uplink import topics
from tests.kit.broker import private_broker
from tests.kit.database import TestDatabase, endpoints_of
from tests.kit.simulators import CHECKOUT, free_port

PASSWORD = "password-of-the-demo"
CRASHED = 86


@dataclass
class Stack:
    """`start` runs a part by name, `kill` ends it as a power cut would. Logs stand in `folder`."""

    folder: Path
    database: TestDatabase
    port: int
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *argv: str, **environment: str) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.children[name] = subprocess.Popen(
            [sys.executable, *argv],
            cwd=CHECKOUT,
            env={**os.environ, "WUYE_DATA_DIR": str(self.folder), **environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def role(self, name: str, **environment: str) -> None:
        self.start(name, "-m", "cloud.cli", "run", name, **environment)

    def edge(self, site: str, **environment: str) -> None:
        config = self.folder / "edge" / site / "config.yaml"
        self.start(f"edge-{site}", "-m", "edge_agent", "--config", str(config), **environment)

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        child = self.children.pop(name)
        if child.poll() is None:
            os.killpg(child.pid, number)
        return child.wait(15)

    async def crash_of(self, name: str) -> None:
        """Wait until a part has died at the hook that the test set."""
        child = self.children[name]
        await until(lambda: child.poll() is not None, f"{name} to crash", 60)
        assert child.returncode == CRASHED, self.tail(name)
        del self.children[name]

    def tail(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]

    async def answers(self) -> bool:
        """Whether the web server does."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as client:
            try:
                return (await client.get("/")).status_code == 200
            except httpx.TransportError:
                return False

    def stop(self) -> None:
        for name in list(self.children):
            self.kill(name, signal.SIGTERM)

    @asynccontextmanager
    async def person(self, login: str) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody of the demo company, logged in over HTTP."""
        base = f"http://127.0.0.1:{self.port}"
        async with httpx.AsyncClient(base_url=base, timeout=30) as client:
            credentials = {"login": login, "password": PASSWORD}
            answer = await client.post("/api/v1/session", json=credentials)
            assert answer.status_code == 200, answer.text
            client.headers[CSRF_HEADER] = answer.json()["csrf"]
            client.headers["Accept-Language"] = "zh-CN"
            yield client


async def until(ready: Callable[[], Any], what: str, timeout_s: float = 30) -> Any:
    """The first true answer of `ready`. Fails with what was waited for."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = ready()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"waited {timeout_s} s for {what}")


@asynccontextmanager
async def seeded_stack(database: TestDatabase, folder: Path) -> AsyncIterator[Stack]:
    """Broker, simulators and web are up, the demo company is seeded; the rest is the test's."""
    with private_broker() as broker:
        port = free_port()
        buses = [
            f"{site['code']}/{bus['code']}"
            for site in _community()["sites"]
            for bus in site["buses"]
        ]
        ports = {bus: free_port() for bus in buses}
        endpoints = endpoints_of(
            database,
            http={"host": "127.0.0.1", "port": port},
            mqtt={
                "host": "127.0.0.1",
                "port_gateways": broker.port_gateways,
                "port_platform": broker.port_platform,
                "platform_user": "platform",
                "platform_password": broker.platform_password,
            },
            simulators={"ports": ports},
            dashboards={"host": "127.0.0.1", "port": free_port()},
        )
        revealed = _revealed(endpoints.model_dump(mode="python"))
        (folder / "runtime.json").write_text(json.dumps(revealed, default=str))
        settings = Settings(data_dir=folder, demo_password=PASSWORD)
        await main.seed_company(settings, endpoints)
        await main.write_configs(settings, endpoints)
        gateways = json.loads((folder / "gateways.json").read_text())
        broker.write_users({topics.user(UUID(site)): word for site, word in gateways.items()})
        broker.reload()
        stack = Stack(folder=folder, database=database, port=port)
        (folder / "ports.json").write_text(json.dumps(ports))
        try:
            _start_outside(stack)
            yield stack
        finally:
            stack.stop()


def _start_outside(stack: Stack) -> None:
    archive = CHECKOUT.parent / "shared" / "data" / "meters"
    stack.start(
        "simulators",
        *("-m", "simulators"),
        *("--community", str(main.COMMUNITY)),
        *("--ports", str(stack.folder / "ports.json")),
        *("--state", str(stack.folder / "simulators")),
        *(("--data", str(archive)) if archive.is_dir() else ()),
    )
    stack.role("web")


def _community() -> dict[str, Any]:
    tree: dict[str, Any] = yaml.safe_load(main.COMMUNITY.read_text(encoding="utf-8"))
    return tree


def _revealed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _revealed(item) for key, item in value.items()}
    reveal = getattr(value, "get_secret_value", None)
    return reveal() if reveal else value
