"""The latest value of every point, and which have changed since they were last sent."""

from collections.abc import Iterator

from protocols.points import Block
from protocols.uplink.codec import READINGS_MAX
from protocols.uplink.messages import Live


class LiveBoard:
    """Holds one value a point, so it is bounded by the configuration."""

    def __init__(self) -> None:
        self._latest: dict[int, tuple[int, float, int]] = {}
        self._changed: set[int] = set()

    def note(self, block: Block) -> None:
        for point, time_us, value, quality in zip(
            block.points, block.times_us, block.values, block.qualities, strict=True
        ):
            before = self._latest.get(point)
            # NaN differs from itself: two bad readings are told apart by their quality only.
            if before is None or before[2] != quality or (value == value and before[1] != value):  # noqa: PLR0124
                self._changed.add(point)
            self._latest[point] = (time_us, value, quality)

    def changed_all(self) -> None:
        self._changed.update(self._latest)

    def take(self, at_us: int) -> Iterator[Live]:
        """What has changed, in messages of bounded size; from now on it is unchanged."""
        points = sorted(self._changed)
        self._changed.clear()
        for start in range(0, len(points), READINGS_MAX):
            block = Block()
            for point in points[start : start + READINGS_MAX]:
                block.append(point, *self._latest[point])
            yield Live(at_us, block.points, block.times_us, block.values, block.qualities)
