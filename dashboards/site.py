"""The dashboards' process: which dashboards there are, and how Panel serves them behind the gate.

All that leans on Panel's and Bokeh's inner shape stands here: it changes with their next minor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import panel as pn
from bokeh_fastapi.handler import WSHandler
from fastapi import FastAPI, Response
from panel.io.fastapi import add_applications
from starlette.middleware.gzip import GZipMiddleware

from cloud.kernel.analytics import Analytics
from cloud.kernel.relay import PREFIX, relay_key
from cloud.kernel.runtime import Runtime
from dashboards.energy.page import EnergyPage
from dashboards.finance.page import FinancePage
from dashboards.gate import App, Gate
from dashboards.view import DashboardPage, Desk

GZIP_LEVEL = 5


@dataclass(frozen=True)
class Dashboard:
    code: str
    title: str
    page: type[DashboardPage]


DASHBOARDS = (
    Dashboard("finance", "Collection dashboard", FinancePage),
    Dashboard("energy", "Energy dashboard", EnergyPage),
)


def compose(running: Runtime) -> App:
    """The ASGI application of the role `dashboards`."""
    pn.extension("echarts")
    _let_go_of_lost_sockets()
    desk = Desk(
        analytics=Analytics(running.sessions, running.bus),
        texts=running.texts,
    )
    secret = running.endpoints.secret_key.get_secret_value()
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    add_applications(
        {each.code: _opens(each, desk) for each in DASHBOARDS},
        app=app,
        title={each.code: each.title for each in DASHBOARDS},
        prefix=PREFIX,
        secret_key=relay_key(secret + "sessions").encode(),
        sign_sessions=True,
        include_headers=["Accept-Language"],
        include_cookies=[],
    )
    app.add_api_route(f"{PREFIX}/ready", _ready, methods=["GET"])
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=GZIP_LEVEL)
    return Gate(_with_static_below_prefix(app), running.authenticator, key=relay_key(secret))


async def _ready() -> Response:
    """The office asks before it shows a frame."""
    return Response(status_code=204)


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
