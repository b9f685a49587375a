"""The dashboards under the office's own address: HTTP and websocket, handed on to their process.

One origin means one login, one cookie and one certificate. The process listens on the loopback
interface only, and answers nobody who does not bring the key of this installation.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.background import BackgroundTask
from starlette.websockets import WebSocketDisconnect, WebSocketState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from cloud.kernel.errors import Unavailable
from cloud.kernel.settings import Endpoints

PREFIX = "/dashboards"
KEY_HEADER = "X-Wuye-Relay"
FRAME_BYTES_MAX = 8 * 1024 * 1024
SOCKETS_MAX = 200
OPEN_TIMEOUT_S = 20.0  # they build a page while they open it, which takes a slow machine long
ANSWER_TIMEOUT_S = 30.0

_ASKED = ("accept", "accept-encoding", "accept-language", "cookie", "if-none-match", "user-agent")
_ANSWERED = (
    "cache-control", "content-encoding", "content-security-policy", "content-type", "etag",
    "last-modified", "location", "vary",
)  # fmt: skip
_FRAMED = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013


class DashboardsAway(Unavailable):
    message = "The dashboards are starting or have stopped. Try again in a moment."


def relay_key(secret: str) -> str:
    """What the relay shows the dashboards' process: derived, so that nothing needs storing."""
    return hmac.new(secret.encode(), b"dashboards", hashlib.sha256).hexdigest()


_RETRY = '<a href="">重试 / Try again</a>'


def plain_page(chinese: str, english: str, *, link: str = _RETRY, again_s: int = 0) -> bytes:
    """What stands in the frame when no dashboard can: it asks again by itself after `again_s`."""
    again = f'<meta http-equiv="refresh" content="{again_s}">' if again_s else ""
    return (
        f'<!doctype html><meta charset="utf-8"><title>wuye</title>{again}'
        '<body style="font:13px/20px sans-serif;padding:32px;color:#6b7686">'
        f"<p>{chinese}<p>{english}<p>{link}"
    ).encode()


_AWAY = plain_page(
    "看板正在启动或已停止，恢复后这里会自动显示。",
    "The dashboards are starting or have stopped. They come back by themselves.",
    again_s=3,
)


class Relay:
    def __init__(self, endpoints: Endpoints) -> None:
        place = endpoints.dashboards
        self._authority = f"{place.host}:{place.port}" if place else None
        self._key = relay_key(endpoints.secret_key.get_secret_value())
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(ANSWER_TIMEOUT_S, connect=2.0))
        self._sockets = 0

    def mount(self, app: FastAPI) -> None:
        app.add_api_route(
            PREFIX + "/{path:path}", self.answer, methods=["GET"], include_in_schema=False
        )
        app.add_api_websocket_route(PREFIX + "/{path:path}", self.connect)

    async def close(self) -> None:
        await self._client.aclose()

    async def answer(self, request: Request) -> Response:
        """Their answer, streamed as it is; a page that asks again where a person looks at it.
        Raises DashboardsAway to scripts."""
        try:
            return await self._asked(request)
        except DashboardsAway:
            if "text/html" not in request.headers.get("accept", ""):
                raise
            headers = {"Cache-Control": "no-store", "Content-Security-Policy": _FRAMED}
            return HTMLResponse(_AWAY, status_code=503, headers=headers)

    async def _asked(self, request: Request) -> Response:
        if self._authority is None:
            raise DashboardsAway
        asked = self._client.build_request(
            "GET",
            f"http://{self._authority}{_target(request.scope)}",
            headers={**_only(request.headers, _ASKED), KEY_HEADER: self._key},
        )
        try:
            given = await self._client.send(asked, stream=True)
        except httpx.TransportError as error:
            raise DashboardsAway from error
        return StreamingResponse(
            given.aiter_raw(),
            status_code=given.status_code,
            headers=_only(given.headers, _ANSWERED),
            background=BackgroundTask(given.aclose),
        )

    async def connect(self, socket: WebSocket) -> None:
        """Frames both ways until either side closes; only for pages of our own origin."""
        origin = urlsplit(socket.headers.get("origin", "")).netloc
        if origin != socket.headers.get("host"):
            await socket.close(_POLICY_VIOLATION)
            return
        if self._authority is None or self._sockets >= SOCKETS_MAX:
            await socket.close(_TRY_AGAIN_LATER)
            return
        self._sockets += 1
        try:
            await self._join(socket)
        finally:
            self._sockets -= 1

    async def _join(self, socket: WebSocket) -> None:
        try:
            async with connect(
                f"ws://{self._authority}{_target(socket.scope)}",
                subprotocols=[Subprotocol(name) for name in socket.scope["subprotocols"]],
                additional_headers={
                    **_only(socket.headers, ("cookie", "accept-language")),
                    KEY_HEADER: self._key,
                },
                compression=None,
                max_size=FRAME_BYTES_MAX,
                open_timeout=OPEN_TIMEOUT_S,
                proxy=None,
            ) as there:
                await socket.accept(there.subprotocol)
                await _exchange(socket, there)
        except (OSError, TimeoutError, WebSocketException):
            if socket.client_state is not WebSocketState.DISCONNECTED:
                await socket.close(_TRY_AGAIN_LATER)


async def _exchange(here: WebSocket, there: ClientConnection) -> None:
    pumps = {asyncio.create_task(_up(here, there)), asyncio.create_task(_down(here, there))}
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
    if here.application_state is WebSocketState.CONNECTED:
        with contextlib.suppress(WebSocketDisconnect):  # the viewer has left already
            await here.close(there.close_code or _TRY_AGAIN_LATER)


async def _up(here: WebSocket, there: ClientConnection) -> None:
    while True:
        message = await here.receive()
        if message["type"] == "websocket.disconnect":
            return
        said = message.get("text")
        try:
            await there.send(said if said is not None else message["bytes"])
        except ConnectionClosed:
            return


async def _down(here: WebSocket, there: ClientConnection) -> None:
    async for message in there:
        try:
            if isinstance(message, str):
                await here.send_text(message)
            else:
                await here.send_bytes(message)
        except WebSocketDisconnect:
            return


def _target(scope: Mapping[str, Any]) -> str:
    path: bytes = scope.get("raw_path") or str(scope["path"]).encode()
    query: bytes = scope["query_string"]
    return (path.split(b"?")[0] + (b"?" + query if query else b"")).decode("ascii")


def _only(headers: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}
