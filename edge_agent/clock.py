"""The gateway's clocks: wall time for stamps, monotonic time for waiting."""

import time

_PLAUSIBLE_FROM_US = 1_735_689_600_000_000
"""2025-01-01. A box without a battery-backed clock wakes up in 1970 or at its image's date."""


def now_us() -> int:
    return time.time_ns() // 1000


def monotonic() -> float:
    return time.monotonic()


def is_synced() -> bool:
    """False until the clock has been set since power-on, as far as a date can tell."""
    return now_us() >= _PLAUSIBLE_FROM_US
