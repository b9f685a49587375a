"""The way to the hosts that own sites: one question, one answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cloud.kernel.errors import Unavailable

ASK_TIMEOUT_S = 15.0


class SiteUnavailable(Unavailable):
    message = "The community's host is not answering. Nothing was changed; try again in a moment."


@dataclass(frozen=True)
class Ask:
    """One question to a site. `principal_id` is resolved anew where it arrives."""

    site_id: UUID
    function: str
    payload: dict[str, Any]
    principal_id: UUID
    request_id: str
    timeout_s: float = ASK_TIMEOUT_S


class Sites(ABC):
    """The way to the hosts."""

    @abstractmethod
    async def ask(self, ask: Ask) -> dict[str, Any]:
        """The function's answer. Raises RefusedElsewhere for its refusals, SiteUnavailable when
        no host owns the site or none answers in time: then the outcome is unknown, and the caller
        asks again, which entries must bear."""


class NoSites(Sites):
    """For processes that never ask."""

    async def ask(self, ask: Ask) -> dict[str, Any]:
        del ask
        raise SiteUnavailable
