"""Events between modules of one process: handlers run in manifest order, in the transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloud.kernel.context import Ctx

Handler = Callable[["Ctx", Any], Awaitable[None]]


class Bus:
    """Handlers by event type. A handler that raises fails the whole transaction."""

    def __init__(self, handlers: Iterable[tuple[type, Handler]] = ()) -> None:
        self._handlers: dict[type, list[Handler]] = {}
        for event_type, handler in handlers:
            self._handlers.setdefault(event_type, []).append(handler)

    async def publish(self, ctx: Ctx, event: object) -> None:
        for handler in self._handlers.get(type(event), ()):
            await handler(ctx, event)
