"""What of a poll is kept, and in which lane. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from edge_agent.config import PointConfig
from edge_agent.deadband import differs
from protocols.points import Block, Lane, Quality


class Kept(NamedTuple):
    meter: Block
    tele: Block


@dataclass
class _Memory:
    """The interval in which a point was kept last, and as what."""

    point: PointConfig
    slot: int | None = None
    value: float | None = field(default=None)
    quality: int | None = None


class Keeper:
    """Sorts what a device's points read into lanes, at most once in each point's interval.

    Intervals are aligned to the wall clock, so that meters of a site are read together: with
    every_s = 900 on the quarter of the hour.
    """

    def __init__(self, points: Iterable[PointConfig]) -> None:
        self._memory = {point.point: _Memory(point) for point in points}

    def sort(self, block: Block) -> Kept:
        kept = Kept(Block(), Block())
        for row in zip(block.points, block.times_us, block.values, block.qualities, strict=True):
            memory = self._memory[row[0]]
            if memory.point.lane is Lane.METER:
                if self._bills(memory, *row[1:]):
                    kept.meter.append(*row)
            elif self._tells(memory, *row[1:]):
                kept.tele.append(*row)
        return kept

    def _bills(self, memory: _Memory, time_us: int, value: float, quality: int) -> bool:
        """A register that could not be read is tried at the next poll of the same interval."""
        del value
        slot = time_us // (memory.point.every_s * 1_000_000)
        if quality == Quality.BAD or slot == memory.slot:
            return False
        memory.slot = slot
        return True

    def _tells(self, memory: _Memory, time_us: int, value: float, quality: int) -> bool:
        """Losing and regaining a value is told at once, whatever the interval."""
        slot = time_us // (memory.point.every_s * 1_000_000)
        if quality == memory.quality:
            if quality == Quality.BAD or slot == memory.slot:
                return False
            if not differs(memory.value, value, memory.point.deadband):
                memory.slot = slot
                return False
        memory.slot, memory.quality = slot, quality
        memory.value = None if quality == Quality.BAD else value
        return True
