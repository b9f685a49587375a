"""`/healthz` says ready only when every part is, and speaks for itself when nobody supervises."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.kernel.clock import utc_now
from cloud.kernel.db import make_engine, make_sessions
from cloud.kernel.health import router
from tests.architecture.web import NOWHERE
from tests.cloud.kernel.probe import probing
from tests.kit.database import TestDatabase
from tests.kit.world import World

Clients = Callable[[], httpx.AsyncClient]


@pytest.fixture
def asked(database: TestDatabase, world: World, tmp_path: Path) -> Clients:
    """The public route of a process whose data directory is the test's own."""
    (tmp_path / "assets").mkdir()
    return lambda: probing(database, world, None, routers=(router,), office=tmp_path)


def report(folder: Path, *, status: str, at: datetime, **parts: str) -> None:
    said: dict[str, Any] = {name: {"status": part, "detail": ""} for name, part in parts.items()}
    text = json.dumps({"status": status, "at": at.isoformat(), "parts": said})
    (folder / "status.json").write_text(text)


async def health(asked: Clients) -> tuple[int, str, dict[str, str]]:
    async with asked() as client:
        response = await client.get("/healthz")
    body = response.json()
    parts = {name: part["status"] for name, part in body["parts"].items()}
    return response.status_code, body["status"], parts


class TestHealth:
    async def test_without_a_supervisor_speaks_for_itself(self, asked: Clients) -> None:
        assert await health(asked) == (200, "ready", {"database": "ready"})

    async def test_is_ready_when_every_part_is(self, asked: Clients, tmp_path: Path) -> None:
        report(tmp_path, status="ready", at=utc_now(), broker="ready")

        assert await health(asked) == (200, "ready", {"broker": "ready", "database": "ready"})

    @pytest.mark.parametrize(
        ("status", "said"),
        [("starting", "starting"), ("degraded", "degraded"), ("stopping", "degraded")],
    )
    async def test_is_not_while_one_is_not(
        self, asked: Clients, tmp_path: Path, status: str, said: str
    ) -> None:
        report(tmp_path, status=status, at=utc_now(), broker="starting")

        assert (await health(asked))[:2] == (503, said)

    async def test_does_not_believe_an_old_report(self, asked: Clients, tmp_path: Path) -> None:
        report(tmp_path, status="ready", at=utc_now() - timedelta(minutes=1), broker="ready")

        code, status, parts = await health(asked)

        assert (code, status, parts["supervisor"]) == (503, "degraded", "down")

    async def test_a_torn_report_is_none(self, asked: Clients, tmp_path: Path) -> None:
        (tmp_path / "status.json").write_text('{"status": "rea')

        assert (await health(asked))[0] == 200

    async def test_says_when_the_database_is_away(
        self, database: TestDatabase, world: World, tmp_path: Path
    ) -> None:
        engine = make_engine(NOWHERE)
        away = World(make_sessions(engine), alpha=world.alpha, beta=world.beta)
        async with probing(database, away, None, routers=(router,), office=tmp_path) as client:
            response = await client.get("/healthz")
        await engine.dispose()

        assert response.status_code == 503
        assert response.json()["parts"]["database"]["status"] == "down"
