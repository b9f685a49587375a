"""The dashboards' process: which dashboards there are, and how Panel serves them behind the gate.

All that leans on Panel's and Bokeh's inner shape stands here: it changes with their next minor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import panel as pn
from bokeh.util.token import get_session_id
from bokeh_fastapi.handler import WSHandler
from fastapi import FastAPI
from panel.io.fastapi import add_applications
from starlette.middleware.gzip import GZipMiddleware

from cloud.kernel.analytics import Analytics
from cloud.kernel.relay import PREFIX, relay_key
from cloud.kernel.runtime import Runtime
from dashboards.energy.page import EnergyPage
from dashboards.finance.page import FinancePage
from dashboards.gate import App, Gate
from dashboards.sessions import Bounded
from dashboards.view import DashboardPage, Desk

GZIP_LEVEL = 5
CHECKED_EVERY_MS = 2_000
LINGER_MS = 20_000  # a slow machine takes seconds from the page to its socket


@dataclass(frozen=True)
class Dashboard:
    code: str
    title: str
    page: type[DashboardPage]


DASHBOARDS = (
    Dashboard("finance", "Collection dashboard", FinancePage),
    Dashboard("energy", "Energy dashboard", EnergyPage),
)


def compose(running: Runtime, *, linger_ms: int = LINGER_MS) -> App:
    """The ASGI application of the role `dashboards`. A page whose socket is gone, or never came,
    is forgotten after `linger_ms`."""
    pn.extension("echarts")
    _let_go_of_lost_sockets()
    desk = Desk(
        analytics=Analytics(running.sessions, running.bus),
        texts=running.texts,
    )
    secret = running.endpoints.secret_key.get_secret_value()
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    served = add_applications(
        {each.code: _opens(each, desk) for each in DASHBOARDS},
        app=app,
        title={each.code: each.title for each in DASHBOARDS},
        prefix=PREFIX,
        secret_key=relay_key(secret + "sessions").encode(),
        sign_sessions=True,
        check_unused_sessions_milliseconds=CHECKED_EVERY_MS,
        unused_session_lifetime_milliseconds=linger_ms,
        include_headers=["Accept-Language"],
        include_cookies=[],
    )
    rooms = tuple(served._applications.values())  # noqa: SLF001 - nothing public counts sessions

    def opened() -> list[Any]:
        return [session for room in rooms for session in room.sessions]

    async def ready() -> dict[str, int]:
        """The office asks before it shows a frame."""
        return {"sessions": len(opened())}

    app.add_api_route(f"{PREFIX}/ready", ready, methods=["GET"])
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=GZIP_LEVEL)
    bounded = Bounded(
        _with_static_below_prefix(app),
        codes=frozenset(each.code for each in DASHBOARDS),
        count=lambda: len(opened()),
        is_known=lambda token: (
            _session_of(token) in {one.id for each in rooms for one in each.sessions}
        ),
    )
    return Gate(bounded, running.authenticator, key=relay_key(secret))


def _session_of(token: str) -> str:
    """Bokeh checks the signature when it takes the token."""
    try:
        return str(get_session_id(token))
    except (ValueError, KeyError, TypeError):
        return ""


def _opens(dashboard: Dashboard, desk: Desk) -> Callable[[], Any]:
    return lambda: dashboard.page(desk).template()


def _with_static_below_prefix(app: App) -> App:
    """Bokeh names its files below the prefix and mounts them beside it."""
    below = f"{PREFIX}/static/"

    async def routed(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith(below):
            path = scope["path"].removeprefix(PREFIX)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await app(scope, receive, send)

    return routed


def _let_go_of_lost_sockets() -> None:
    """bokeh-fastapi leaves a session attached when its socket goes, and so keeps it for ever."""
    connect = WSHandler.ws_connect

    async def connect_and_let_go(handler: Any, websocket: Any) -> None:
        try:
            await connect(handler, websocket)
        finally:
            if handler.connection is not None:
                with contextlib.suppress(KeyError, ValueError):
                    handler.application.client_lost(handler.connection)

    WSHandler.ws_connect = connect_and_let_go
