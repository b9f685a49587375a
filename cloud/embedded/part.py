"""A part of the running platform: how it is started, known to be ready, and stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from cloud.embedded.errors import SetupError
from cloud.embedded.processes import Command


class PartStatus(StrEnum):
    STARTING = "starting"
    READY = "ready"
    DOWN = "down"
    RESTARTING = "restarting"


def _nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Part:
    name: str
    command: Callable[[], Command]
    prepare: Callable[[], None] = _nothing
    """Blocking, in a thread, before each start."""
    is_ready: Callable[[], bool] | None = None
    """Blocking, in a thread. Without it a part is ready when it has lived for `settle_s`."""
    settle_s: float = 1.0
    needs: frozenset[str] = frozenset()
    """Ready before each start of this part."""
    yields_to: frozenset[str] = frozenset()
    """Ready before the first start of this part."""
    falls_with: frozenset[str] = frozenset()
    """Parts whose death ends this one too: they are restarted as one group."""
    is_step: bool = False
    """Runs to its end once; the start fails when it fails."""
    after: Callable[[], None] = _nothing
    """For a step: blocking, in a thread, when it has succeeded."""
    stop_stage: int = 0
    """Higher stages are stopped first."""
    stop_timeout_s: float = 2.0
    detail: str = ""


@dataclass
class PartState:
    status: PartStatus
    detail: str
    pid: int | None
    restarts: int
    since: str


class StepFailed(SetupError):
    """A step of the start ended with an error; its log says why."""

    def __init__(self, name: str, tail: str) -> None:
        super().__init__(f"'{name}' failed:\n{tail}")
        self.name = name
