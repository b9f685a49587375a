"""How a device or a bus fares, and how long it is left alone after failing. Pure."""

from enum import Enum, StrEnum
from typing import NamedTuple

BACKOFF_FIRST_S = 5.0
BACKOFF_MAX_S = 120.0


class DeviceState(StrEnum):
    """DEGRADED: it missed once and is asked again at the next poll."""

    CONNECTING = "connecting"
    ONLINE = "online"
    DEGRADED = "degraded"
    BACKOFF = "backoff"
    STOPPED = "stopped"


class Outcome(Enum):
    ANSWERED = 1
    FAILED = 2
    STOP = 3


class Next(NamedTuple):
    state: DeviceState
    delay_s: float


def next_state(state: DeviceState, outcome: Outcome, attempts: int) -> Next:
    """`attempts` is how many probes have failed since it was left alone first."""
    if outcome is Outcome.STOP or state is DeviceState.STOPPED:
        return Next(DeviceState.STOPPED, 0)
    if outcome is Outcome.ANSWERED:
        return Next(DeviceState.ONLINE, 0)
    if state is DeviceState.ONLINE:
        return Next(DeviceState.DEGRADED, 0)
    return Next(DeviceState.BACKOFF, backoff_s(attempts))


def backoff_s(attempts: int) -> float:
    return float(min(BACKOFF_FIRST_S * 2 ** min(attempts, 10), BACKOFF_MAX_S))
