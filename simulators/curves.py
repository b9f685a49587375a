"""How much one room uses over time: measured hours of a real building, or weights of a day."""

import csv
import gzip
import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path

HOUR_S = 3600
_ORIGIN_S = 1_640_966_400
"""2022-01-01 00:00 in Shanghai: the archive's hours are local and of that year."""


class Curve:
    """Use per hour, repeated for ever. `used(t)` is the running sum, so it never falls."""

    def __init__(self, hours: Sequence[float], *, per_day: float) -> None:
        mean = math.fsum(hours) / len(hours)
        if not mean > 0:
            raise ValueError("a curve needs an hour with some use in it")
        self._hours = [hour / mean * per_day / 24 for hour in hours]
        self._sums = [0.0, *accumulate(self._hours)]

    def used(self, at_s: float) -> float:
        """Units used from the origin up to `at_s`, which must not lie before it."""
        position = (at_s - _ORIGIN_S) / HOUR_S
        whole = math.floor(position)
        cycles, hour = divmod(whole, len(self._hours))
        part = (position - whole) * self._hours[hour]
        return cycles * self._sums[-1] + self._sums[hour] + part

    def rate(self, at_s: float) -> float:
        """Units an hour at `at_s`."""
        return self._hours[math.floor((at_s - _ORIGIN_S) / HOUR_S) % len(self._hours)]


def measured_hours(path: Path) -> list[float]:
    """Hours of an archive file; gaps and negative values count as no use. OSError if unreadable."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows, None)
        return _without_spikes([_use(row) for row in rows])


def _use(row: Sequence[str]) -> float:
    try:
        value = float(row[1])
    except (IndexError, ValueError):
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0


def _without_spikes(hours: Iterable[float]) -> list[float]:
    """A counter that jumped is one absurd hour; the busiest ordinary hour stands in for it."""
    values = list(hours)
    ordered = sorted(value for value in values if value)
    if not ordered:
        return values
    ceiling = 3 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    busiest = ordered[bisect_right(ordered, ceiling) - 1]
    return [min(value, busiest) for value in values]
