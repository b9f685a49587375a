"""How many pages may be open at once, each with its session's memory, and for how long."""

from __future__ import annotations

from collections.abc import Callable

from cloud.kernel.relay import PREFIX, plain_page
from dashboards.gate import App, Receive, Scope, Send, refuse

SESSIONS_MAX = 60  # about 5 MB each
TRY_AGAIN_LATER = 1013

_FULL = plain_page(
    "同时打开的看板太多。请关掉不用的看板页，空出后这里会自动显示。",
    "Too many dashboards are open. Close those that nobody needs; this one opens by itself.",
    again_s=20,
)


class Bounded:
    """Refuses a page more than there is room for. What is open already goes on.

    `count` answers how many sessions there are, `is_known` whether a socket's token names one.
    """

    def __init__(
        self,
        app: App,
        *,
        codes: frozenset[str],
        count: Callable[[], int],
        is_known: Callable[[str], bool],
        most: int = SESSIONS_MAX,
    ) -> None:
        self._app = app
        self._pages = frozenset(f"{PREFIX}/{code}" for code in codes)
        self._sockets = frozenset(f"{page}/ws" for page in self._pages)
        self._count = count
        self._is_known = is_known
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._opens_one(scope) and self._count() >= self._most:
            await refuse(scope, send, 503, _FULL, code=TRY_AGAIN_LATER)
            return
        await self._app(scope, receive, send)

    def _opens_one(self, scope: Scope) -> bool:
        if scope["type"] == "http":
            return scope["path"] in self._pages
        if scope["type"] == "websocket" and scope["path"] in self._sockets:
            return not self._is_known(scope["subprotocols"][-1] if scope["subprotocols"] else "")
        return False
