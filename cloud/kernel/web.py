"""The web application: routers, refusals, security headers, and the built office."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.kernel.db import uuid7
from cloud.kernel.errors import AppError
from cloud.kernel.headers import harden
from cloud.kernel.http import CurrentPrincipal
from cloud.kernel.openapi import document
from cloud.kernel.problems import NoSuchAddress, Problem, install_problem_handlers, problem
from cloud.kernel.runtime import Runtime

BODY_BYTES_MAX = 4 * 1024 * 1024
# Workbooks that are imported are larger than any JSON.
FILE_BYTES_MAX = 20 * 1024 * 1024
_FILES = re.compile(r"/api/v1/ui/pages/[^/]+/import(/report)?")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class BodyTooLarge(AppError):
    status = 413
    message = "The request is larger than {megabytes} MB. Send less at once."


class LengthRequired(AppError):
    status = 411
    message = "Say with Content-Length how large the request is."


def make_app(
    runtime: Runtime, routers: Sequence[APIRouter], *, lifespan: Lifespan | None
) -> FastAPI:
    """The application of one process. `/openapi.json` is for people who are logged in."""
    app = FastAPI(
        title="wuye",
        version=runtime.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses={422: {"model": Problem}},
        generate_unique_id_function=_operation_id,
    )
    app.state.runtime = runtime
    for router in routers:
        app.include_router(router)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(principal: CurrentPrincipal) -> JSONResponse:
        del principal
        return JSONResponse(document(app))

    install_problem_handlers(app)
    app.add_middleware(Frame)
    return app


def api_routes(routers: Sequence[APIRouter]) -> list[APIRoute]:
    """Their routers carry whole paths, so a router's own routes are the application's."""
    return [route for router in routers for route in router.routes if isinstance(route, APIRoute)]


def _operation_id(route: APIRoute) -> str:
    return f"{'_'.join(map(str, route.tags))}.{route.name}"


class Frame:
    """Numbers the request, refuses a body that is too large, and adds the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                harden(headers, path=scope["path"], request_id=request_id)
            await send(message)

        request = Request(scope)
        refusal = _refusal_of_body(request)
        answer = self._app if refusal is None else problem(request, refusal)
        await answer(scope, receive, hardened)


def _refusal_of_body(request: Request) -> AppError | None:
    """A body is read whole, so its length must be known before the first byte is taken."""
    if "transfer-encoding" in request.headers:
        return LengthRequired()
    length = request.headers.get("content-length", "0")
    most = FILE_BYTES_MAX if _FILES.fullmatch(request.url.path) else BODY_BYTES_MAX
    if not length.isdecimal() or int(length) > most:
        return BodyTooLarge(megabytes=most // 1024 // 1024)
    return None


class Office:
    """The built single-page office: hashed assets for ever, the page itself never cached."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def mount(self, app: FastAPI) -> None:
        app.add_api_route(
            "/assets/{path:path}", self.asset, methods=["GET"], include_in_schema=False
        )
        app.add_api_route("/{path:path}", self.page, methods=["GET"], include_in_schema=False)

    async def asset(self, request: Request, path: str) -> Response:
        """A file of the build, precompressed where the browser takes it. Raises NoSuchAddress."""
        if "\0" in path:
            raise NoSuchAddress
        found = (self._root / path).resolve()
        if not found.is_relative_to(self._root) or not found.is_file():
            raise NoSuchAddress
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Vary": "Accept-Encoding",
        }
        if not _is_hashed(path):
            headers["Cache-Control"] = "no-cache"
        accepted = request.headers.get("accept-encoding", "")
        for coding, suffix in (("br", ".br"), ("gzip", ".gz")):
            packed = found.with_name(found.name + suffix)
            if coding in accepted and packed.is_file():
                headers["Content-Encoding"] = coding
                return FileResponse(packed, media_type=_media_type(found), headers=headers)
        return FileResponse(found, media_type=_media_type(found), headers=headers)

    async def page(self, path: str) -> Response:
        """Every address of the office is the same page; unknown API addresses are refused."""
        if path.startswith(("api/", "assets/")):
            raise NoSuchAddress
        index = self._root / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, status_code=503)
        return FileResponse(index, media_type="text/html", headers={"Cache-Control": "no-cache"})


_NOT_BUILT = (
    "<!doctype html><title>wuye</title><p>The office is not built yet: run <code>make web</code>."
)

_MEDIA = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".ico": "image/x-icon",
}


def _media_type(path: Path) -> str:
    return _MEDIA.get(path.suffix, "application/octet-stream")


def _is_hashed(path: str) -> bool:
    stem = Path(path).name.split(".")[0]
    return "-" in stem and len(stem.rsplit("-", 1)[1]) >= 8


__all__ = ["Office", "api_routes", "make_app"]
