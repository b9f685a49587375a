"""The relay and what stands behind it: refusals, bounds, an end, and no session that stays."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from cloud.kernel.auth import SESSION_COOKIE
from cloud.kernel.problems import install_problem_handlers
from cloud.kernel.relay import FRAME_BYTES_MAX, Relay, relay_key
from cloud.kernel.settings import Endpoints, Settings
from cloud.main import runtime
from cloud.modules.accounts.queries import AccountsAuthenticator
from dashboards.gate import App, Gate
from dashboards.sessions import Bounded
from dashboards.site import compose
from tests.kit.client import TOKEN, OnePerson
from tests.kit.database import TestDatabase, endpoints_of
from tests.kit.simulators import free_port
from tests.kit.world import World

LIVE = {"cookie": f"{SESSION_COOKIE}={TOKEN}"}
LINGER_MS = 200
WITHIN_S = 30


@asynccontextmanager
async def served(app: Any, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1)
    )
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await running


@dataclass
class Office:
    """A web process that is nothing but the relay, and the place of the dashboards behind it."""

    endpoints: Endpoints
    world: World
    port: int

    @property
    def key(self) -> str:
        return relay_key(self.endpoints.secret_key.get_secret_value())

    @asynccontextmanager
    async def behind(self, app: App) -> AsyncIterator[None]:
        """`app` as the dashboards' process, behind its gate."""
        person = OnePerson(self.world.headquarters(), AccountsAuthenticator(self.world.sessions))
        assert self.endpoints.dashboards is not None
        async with served(Gate(app, person, key=self.key), self.endpoints.dashboards.port):
            yield

    async def get(self, path: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=30) as one:
            return await one.get(f"/dashboards{path}", headers=headers)

    def socket(self, path: str = "/finance/ws", *, named: str = "known", **headers: str) -> connect:
        given = {"origin": f"http://127.0.0.1:{self.port}", **LIVE, **headers}
        return connect(
            f"ws://127.0.0.1:{self.port}/dashboards{path}",
            subprotocols=[Subprotocol("bokeh"), Subprotocol(named)],
            additional_headers=given,
            max_size=None,
            proxy=None,
        )


@pytest.fixture
async def office(world: World, database: TestDatabase, tmp_path: Path) -> AsyncIterator[Office]:
    endpoints = endpoints_of(database, dashboards={"host": "127.0.0.1", "port": free_port()})
    app = FastAPI()
    install_problem_handlers(app)
    app.state.runtime = runtime(settings=Settings(data_dir=tmp_path), endpoints=endpoints)
    relay = Relay(endpoints)
    relay.mount(app)
    port = free_port()
    async with served(app, port):
        yield Office(endpoints, world, port)
    await relay.close()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Says what it was asked for, and sends every frame back."""
    if scope["type"] == "lifespan":
        return
    if scope["type"] == "http":
        names = sorted(name.decode() for name, _ in scope["headers"])
        headers = [(b"content-type", b"application/json"), (b"set-cookie", b"a=b")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(names).encode()})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        size = int(text) if text and text.isdigit() else 0
        await send({"type": "websocket.send", "text": "x" * size if size else text})


class TestHttp:
    @pytest.mark.parametrize("cookie", ["", f"{SESSION_COOKIE}=stolen"])
    async def test_shows_nothing_without_a_session(self, office: Office, cookie: str) -> None:
        async with office.behind(echo):
            answer = await office.get("/finance", cookie=cookie)

        assert answer.status_code == 401
        assert "/login" in answer.text

    async def test_hands_on_no_header_but_those_it_knows(self, office: Office) -> None:
        async with office.behind(echo):
            answer = await office.get("/finance", **LIVE, **{"x-forwarded-for": "1.2.3.4"})

        assert "x-forwarded-for" not in answer.json()
        assert "cookie" not in answer.json()
        assert "set-cookie" not in answer.headers

    async def test_a_head_that_is_too_large_is_refused(self, office: Office) -> None:
        async with office.behind(echo):
            answer = await office.get("/finance", cookie="x" * 66_000)

        assert 400 <= answer.status_code < 500

    async def test_tells_a_person_and_a_script_that_they_are_away_and_heals(
        self, office: Office
    ) -> None:
        page = await office.get("/finance", accept="text/html", **LIVE)
        script = await office.get("/ready", accept="*/*", **LIVE)
        async with office.behind(echo):
            healed = await office.get("/finance", accept="text/html", **LIVE)

        assert (page.status_code, script.status_code, healed.status_code) == (503, 503, 200)
        assert "看板正在启动" in page.text
        assert 'http-equiv="refresh"' in page.text


class TestWebsocket:
    async def test_frames_go_both_ways(self, office: Office) -> None:
        async with office.behind(echo), office.socket() as there:
            await there.send("hello")
            assert await there.recv() == "hello"

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "http://elsewhere.test"},
            {"cookie": ""},
            {"cookie": f"{SESSION_COOKIE}=stolen"},
        ],
    )
    async def test_is_refused_to_strangers(self, office: Office, headers: dict[str, str]) -> None:
        async with office.behind(echo):
            with pytest.raises(InvalidStatus):
                await office.socket(**headers).__aenter__()

    async def test_ends_at_a_frame_that_is_too_large(self, office: Office) -> None:
        async with office.behind(echo), office.socket() as there:
            await there.send(str(FRAME_BYTES_MAX + 1))
            with pytest.raises(ConnectionClosed):
                await there.recv()

    async def test_ends_when_their_process_does(self, office: Office) -> None:
        async with office.behind(echo):
            there = await office.socket().__aenter__()
        with pytest.raises(ConnectionClosed):
            await there.recv()


class TestBounds:
    @pytest.mark.parametrize(("count", "status"), [(1, 200), (2, 503)])
    async def test_a_page_too_many_is_refused_with_a_page_that_asks_again(
        self, office: Office, count: int, status: int
    ) -> None:
        bounded = _bounded(count)
        async with office.behind(bounded):
            answer = await office.get("/finance", **LIVE)
            file = await office.get("/static/some.js", **LIVE)

        assert (answer.status_code, file.status_code) == (status, 200)
        assert (status == 503) == ('http-equiv="refresh"' in answer.text)

    async def test_what_is_open_goes_on_when_there_is_no_room(self, office: Office) -> None:
        async with office.behind(_bounded(2)):
            async with office.socket(named="known") as there:
                await there.send("hello")
                assert await there.recv() == "hello"
            with pytest.raises(InvalidStatus):
                await office.socket(named="unknown").__aenter__()

    async def test_a_page_that_is_too_old_is_closed(self, office: Office) -> None:
        person = OnePerson(
            office.world.headquarters(), AccountsAuthenticator(office.world.sessions)
        )
        gate = Gate(echo, person, key=office.key, recheck_s=0.05, age_s=1.0)
        assert office.endpoints.dashboards is not None
        async with served(gate, office.endpoints.dashboards.port), office.socket() as there:
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(there.recv(), WITHIN_S)


def _bounded(count: int) -> Bounded:
    return Bounded(
        echo,
        codes=frozenset({"finance"}),
        count=lambda: count,
        is_known=lambda token: token == "known",
        most=2,
    )


async def test_sessions_that_were_opened_and_dropped_are_gone(
    office: Office, tmp_path: Path
) -> None:
    """Real Panel sessions: their sockets go without a word, or never come."""
    running = runtime(settings=Settings(data_dir=tmp_path), endpoints=office.endpoints)
    running.sessions = office.world.sessions
    running.authenticator = OnePerson(office.world.headquarters(), running.authenticator)
    assert office.endpoints.dashboards is not None
    app = compose(running, linger_ms=LINGER_MS)
    async with served(app, office.endpoints.dashboards.port):
        sockets = [await _opened(office, code) for code in ("finance", "energy", "finance")]
        await office.get("/finance", **LIVE)  # its socket never comes
        assert await _sessions(office) >= len(sockets)

        for socket in sockets:
            socket.transport.abort()

        async with asyncio.timeout(WITHIN_S):
            while await _sessions(office):  # noqa: ASYNC110 - Bokeh tells nobody
                await asyncio.sleep(0.2)


async def _opened(office: Office, code: str) -> ClientConnection:
    page = await office.get(f"/{code}", **LIVE)
    assert page.status_code == 200, page.text
    token = re.search(r'"token":\s*"([^"]+)"', page.text)
    assert token is not None
    socket = await office.socket(f"/{code}/ws", named=token[1]).__aenter__()
    assert "ACK" in str(await socket.recv())
    return socket


async def _sessions(office: Office) -> int:
    return int((await office.get("/ready", **LIVE)).json()["sessions"])
