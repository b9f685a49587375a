"""How a host is asked, whatever it runs in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from cloud.kernel.sites import Ask


class NotReached(Exception):
    """The question did not leave: asking again is safe."""


class Line(ABC):
    """The way to hosts of one kind."""

    @abstractmethod
    async def ask(self, where: str, ask: Ask) -> dict[str, Any]:
        """As actors/door.py answers. Raises NotReached when the question did not leave, and
        SiteUnavailable when it left and nobody knows what became of it."""
