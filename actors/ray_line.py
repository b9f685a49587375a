"""Asking hosts that are Ray actors, as a driver of their cluster."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayActorError, RayError

from actors.line import Line, NotReached
from actors.ray_connection import NAMESPACE, connect
from actors.wire import pack_ask
from cloud.kernel.settings import RayEndpoint
from cloud.kernel.sites import Ask, SiteUnavailable


class RayLine(Line):
    def __init__(self, endpoint: RayEndpoint) -> None:
        self._endpoint = endpoint
        self._joining = asyncio.Lock()
        self._actors: dict[str, Any] = {}

    async def ask(self, where: str, ask: Ask) -> dict[str, Any]:
        actor = await self._actor(where)
        try:
            found: dict[str, Any] = await actor.ask.remote(pack_ask(ask))
        except ActorUnavailableError as error:
            raise SiteUnavailable from error
        except RayActorError as error:
            self._actors.pop(where, None)
            raise SiteUnavailable from error
        return found

    async def _actor(self, name: str) -> Any:
        """Raises NotReached when Ray is away or knows no such actor."""
        async with self._joining:
            if name not in self._actors:
                try:
                    await asyncio.to_thread(connect, self._endpoint)
                    _take_signals_back()
                    self._actors[name] = await asyncio.to_thread(
                        ray.get_actor, name, namespace=NAMESPACE
                    )
                except (ValueError, RayError, ConnectionError, RuntimeError) as error:
                    raise NotReached from error
        return self._actors[name]


def _take_signals_back() -> None:
    """Ray's core installs its own handler for SIGTERM, which ends the process on the spot."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.getsignal(number))
