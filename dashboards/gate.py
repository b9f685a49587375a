"""Who may come in: only through our own web process, only with a live session, and only so long.

An ASGI gate around everything that Panel serves. The session cookie ends here: what is behind gets
the caller as a context variable, so that no token of ours reaches a page or a Panel session.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from time import monotonic
from typing import Any

from cloud.kernel.analytics import FiguresAway, answering
from cloud.kernel.auth import SESSION_COOKIE, Authenticator
from cloud.kernel.context import Principal
from cloud.kernel.relay import KEY_HEADER, PREFIX, plain_page

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

RECHECK_S = 30.0
AGE_S = 12 * 3600.0
SESSION_ENDED = 4401
GROWN_OLD = 4408

# Bokeh starts its page with an inline script and takes components as blobs, by script and by fetch;
# nothing else differs from the office's own policy.
CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: ws: wss:;"
    " frame-ancestors 'self'"
)
_STATIC = (f"{PREFIX}/static/", f"{PREFIX}/components/")
_FOR_EVER = b"public, max-age=31536000, immutable"
_FOR_AN_HOUR = b"public, max-age=3600"

_ENDED = plain_page(
    "登录已过期，请重新登录。",
    "Your session has ended. Log in again.",
    link='<a href="/login?next=/hq" target="_top">登录 / Log in</a>',
)
_AWAY = plain_page(
    "数据库暂时没有应答，恢复后这里会自动显示。",
    "The database is not answering. The figures come back by themselves.",
    again_s=5,
)


@dataclass
class Visitor:
    """The session of whoever opened a page; asked again at every look at data."""

    token: str
    authenticator: Authenticator

    async def principal(self) -> Principal | None:
        """None when the session has ended. Raises FiguresAway."""
        with answering():
            return await self.authenticator.by_token(self.token)


VISITOR: ContextVar[Visitor] = ContextVar("visitor")


class Gate:
    def __init__(
        self,
        app: App,
        authenticator: Authenticator,
        *,
        key: str,
        recheck_s: float = RECHECK_S,
        age_s: float = AGE_S,
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._key = key.encode()
        self._recheck_s = recheck_s
        self._age_s = age_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not hmac.compare_digest(headers.get(KEY_HEADER.lower().encode(), b""), self._key):
            await refuse(scope, send, 403, b"")
            return
        visitor = Visitor(_token(headers.get(b"cookie", b"")), self._authenticator)
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"cookie"]
        is_static = scope["path"].startswith(_STATIC)
        if not is_static and (refusal := await _refusal(visitor)) is not None:
            await refuse(scope, send, *refusal)
            return
        VISITOR.set(visitor)
        if scope["type"] == "websocket":
            await self._watched(scope, receive, send, visitor)
        else:
            await self._app(scope, receive, _hardened(scope, send, is_static=is_static))

    async def _watched(self, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> None:
        """The websocket, until the session behind it ends or the page is too old: it opens itself
        anew, and what it had gathered is freed."""
        end = monotonic() + self._age_s
        talk = asyncio.ensure_future(self._app(scope, receive, send))
        try:
            while not (await asyncio.wait({talk}, timeout=self._recheck_s))[0]:
                if await _has_ended(visitor):
                    await send({"type": "websocket.close", "code": SESSION_ENDED})
                    return
                if monotonic() > end:
                    await send({"type": "websocket.close", "code": GROWN_OLD})
                    return
            talk.result()
        finally:
            talk.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await talk


async def _refusal(visitor: Visitor) -> tuple[int, bytes] | None:
    try:
        if visitor.token and await visitor.principal() is not None:
            return None
    except FiguresAway:
        return 503, _AWAY
    return 401, _ENDED


async def _has_ended(visitor: Visitor) -> bool:
    """A database that is away ends nothing: nobody sees new figures before it answers again."""
    try:
        return await visitor.principal() is None
    except FiguresAway:
        return False


def _token(cookie: bytes) -> str:
    try:
        found = SimpleCookie(cookie.decode("latin-1")).get(SESSION_COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


async def refuse(
    scope: Scope, send: Send, status: int, body: bytes, *, code: int = SESSION_ENDED
) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": code})
        return
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", CSP.encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _hardened(scope: Scope, send: Send, *, is_static: bool) -> Send:
    versioned = b"v=" in scope["query_string"] or "@" in scope["path"]
    kept = (_FOR_EVER if versioned else _FOR_AN_HOUR) if is_static else b"no-store"

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *(pair for pair in message["headers"] if pair[0] != b"cache-control"),
                (b"content-security-policy", CSP.encode()),
                (b"cache-control", kept),
            ]
        await send(message)

    return sending
