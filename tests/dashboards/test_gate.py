"""The gate: nobody comes in around the web process, without a session, or after it has ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from cloud.kernel.auth import SESSION_COOKIE
from cloud.kernel.context import Principal
from cloud.kernel.relay import KEY_HEADER
from cloud.modules.accounts.queries import AccountsAuthenticator
from dashboards.gate import SESSION_ENDED, VISITOR, Gate
from tests.kit.client import TOKEN, OnePerson
from tests.kit.world import World

KEY = "key-of-the-installation"


class OneSession(OnePerson):
    """Its session can be ended."""

    live = True

    async def by_token(self, token: str) -> Principal | None:
        return await super().by_token(token) if self.live else None


def person(world: World) -> OneSession:
    return OneSession(world.headquarters(), AccountsAuthenticator(world.sessions))


@dataclass
class Behind:
    """What stands behind the gate, and what it was shown."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(dict(scope))
        self.tokens.append(VISITOR.get().token)
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                continue
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"in"})


async def ask(app: Gate, *, path: str = "/dashboards/finance", **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return await client.get(path, headers=headers)


def cookie(token: str) -> str:
    return f"{SESSION_COOKIE}={token}"


class TestHttp:
    async def test_lets_a_live_session_in_and_keeps_its_cookie(self, world: World) -> None:
        behind = Behind()
        app = Gate(behind, person(world), key=KEY)

        answer = await ask(app, cookie=cookie(TOKEN), **{KEY_HEADER: KEY})

        assert (answer.status_code, behind.tokens) == (200, [TOKEN])
        assert b"cookie" not in dict(behind.seen[0]["headers"])
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize("token", ["", "stolen"])
    async def test_asks_everybody_else_to_log_in(self, world: World, token: str) -> None:
        behind = Behind()
        app = Gate(behind, person(world), key=KEY)

        answer = await ask(app, cookie=cookie(token), **{KEY_HEADER: KEY})

        assert (answer.status_code, behind.seen) == (401, [])
        assert "/login" in answer.text

    async def test_answers_nobody_who_comes_around_the_web_process(self, world: World) -> None:
        behind = Behind()
        app = Gate(behind, person(world), key=KEY)

        answer = await ask(app, cookie=cookie(TOKEN))

        assert (answer.status_code, behind.seen) == (403, [])


class TestWebsocket:
    async def test_is_closed_when_its_session_ends(self, world: World) -> None:
        sessions = person(world)
        behind = Behind()
        app = Gate(behind, sessions, key=KEY, recheck_s=0.01)
        sent: list[dict[str, Any]] = []

        async def receive() -> Any:
            sessions.live = False
            await _for_ever()

        async def send(message: Any) -> None:
            sent.append(message)

        await app(_socket(cookie(TOKEN)), receive, send)

        assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
        assert sent[-1]["code"] == SESSION_ENDED

    async def test_is_refused_without_a_session(self, world: World) -> None:
        behind = Behind()
        app = Gate(behind, person(world), key=KEY)
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await app(_socket(cookie("stolen")), _for_ever, send)

        assert (sent[-1]["type"], behind.seen) == ("websocket.close", [])


async def _for_ever() -> Any:
    await asyncio.Event().wait()


def _socket(cookies: str) -> dict[str, Any]:
    headers = [(b"cookie", cookies.encode()), (KEY_HEADER.lower().encode(), KEY.encode())]
    return {"type": "websocket", "path": "/dashboards/finance/ws", "headers": headers}
