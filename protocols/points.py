"""Lanes, the quality of a value, and blocks: columns of readings shared by all drivers.

A point is named by its number, which the platform gives and which is unique within a site.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Quality(IntEnum):
    """GOOD: measured now. UNCERTAIN: measured, but clock or range is in doubt. BAD: no value."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Lane(StrEnum):
    """EVENT: results, alarms and gaps. METER: billing registers. TELE: measurements."""

    EVENT = "event"
    METER = "meter"
    TELE = "tele"


@dataclass(slots=True)
class Block:
    """Readings as columns of equal length; times are µs since the epoch in UTC."""

    points: array[int] = field(default_factory=lambda: array("I"))
    times_us: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    qualities: array[int] = field(default_factory=lambda: array("B"))

    def __len__(self) -> int:
        return len(self.points)

    def append(self, point: int, time_us: int, value: float, quality: int) -> None:
        self.points.append(point)
        self.times_us.append(time_us)
        self.values.append(value)
        self.qualities.append(quality)

    def extend(self, other: Block) -> None:
        self.points.extend(other.points)
        self.times_us.extend(other.times_us)
        self.values.extend(other.values)
        self.qualities.extend(other.qualities)

    def part(self, start: int, stop: int) -> Block:
        return Block(
            self.points[start:stop],
            self.times_us[start:stop],
            self.values[start:stop],
            self.qualities[start:stop],
        )
