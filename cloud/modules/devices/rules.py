"""Readings as columns: what of a batch is new, kept, newest, and its bytes for COPY BINARY."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from cloud.kernel.periods import add_months
from protocols.uplink.messages import Batch, Live, Quality

FUTURE_MAX = timedelta(minutes=5)
MONTHS_BACK = 14
MONTHS_AHEAD = 3
STALE_AFTER = timedelta(minutes=3)

_POSTGRES_EPOCH_US = 946_684_800_000_000
_COPY_HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_TAIL = b"\xff\xff"
_COPY_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("l1", ">i4"), ("point", ">i4"),
        ("l2", ">i4"), ("measured", ">i8"),
        ("l3", ">i4"), ("received", ">i8"),
        ("l4", ">i4"), ("value", ">f8"),
        ("l5", ">i4"), ("quality", ">i2"),
    ]
)  # fmt: skip

Numbers = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Readings:
    """Columns of equal length. Times are µs since 1970 in UTC."""

    points: Numbers
    times_us: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    qualities: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.points)

    def where(self, mask: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Readings:
        return Readings(
            self.points[mask], self.times_us[mask], self.values[mask], self.qualities[mask]
        )


def readings_of(message: Batch | Live, *, skip: int = 0) -> Readings:
    """The columns of a message without its first `skip` rows, not copied."""
    return Readings(
        np.frombuffer(message.points, dtype=np.uint32)[skip:],
        np.frombuffer(message.times_us, dtype=np.int64)[skip:],
        np.frombuffer(message.values, dtype=np.float64)[skip:],
        np.frombuffer(message.qualities, dtype=np.uint8)[skip:],
    )


def doubt_future(readings: Readings, *, now_us: int) -> Readings:
    """Values stamped later than five minutes from now are at best uncertain."""
    limit = now_us + FUTURE_MAX // timedelta(microseconds=1)
    late = readings.times_us > limit
    if not late.any():
        return readings
    doubted = np.maximum(readings.qualities, np.uint8(Quality.UNCERTAIN))
    qualities = np.where(late, doubted, readings.qualities)
    return Readings(readings.points, readings.times_us, readings.values, qualities)


def kept_range_us(now: datetime) -> tuple[int, int]:
    """The instants for which the database has partitions: [first, end)."""
    today = now.astimezone(UTC).date().replace(day=1)
    first, end = add_months(today, -MONTHS_BACK), add_months(today, MONTHS_AHEAD + 1)
    return _us(datetime(first.year, first.month, 1, tzinfo=UTC)), _us(
        datetime(end.year, end.month, 1, tzinfo=UTC)
    )


def newest(readings: Readings) -> npt.NDArray[np.intp]:
    """The index of the newest row of each point, by point number."""
    order = np.lexsort((readings.times_us, readings.points))
    points = readings.points[order]
    last = np.append(points[1:] != points[:-1], [True]) if len(points) else np.zeros(0, bool)
    found: npt.NDArray[np.intp] = order[last]
    return found


def copy_bodies(blocks: Iterable[tuple[Readings, int]]) -> dict[str, bytes]:
    """COPY BINARY bodies by partition, from readings and when each was received, in µs."""
    by_month: dict[str, list[bytes]] = {}
    for readings, received_us in blocks:
        months = readings.times_us.astype("datetime64[us]").astype("datetime64[M]")
        for month in np.unique(months):
            rows = _rows(readings.where(months == month), received_us)
            by_month.setdefault(partition_of(str(month)), []).append(rows)
    return {name: b"".join([_COPY_HEAD, *rows, _COPY_TAIL]) for name, rows in by_month.items()}


def partition_of(month: str) -> str:
    """`month` is like 2026-11."""
    return f"devices_telemetry_{month.replace('-', '_')}"


def _rows(readings: Readings, received_us: int) -> bytes:
    rows = np.empty(len(readings), dtype=_COPY_ROW)
    rows["fields"] = 5
    rows["l1"], rows["l2"], rows["l3"], rows["l4"], rows["l5"] = 4, 8, 8, 8, 2
    rows["point"] = readings.points
    rows["measured"] = readings.times_us - _POSTGRES_EPOCH_US
    rows["received"] = received_us - _POSTGRES_EPOCH_US
    rows["value"] = readings.values
    rows["quality"] = readings.qualities
    return rows.tobytes()


def micros(at: datetime) -> int:
    return _us(at)


def instant(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def _us(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def tile_state(*, measured_at: datetime | None, is_online: bool, now: datetime) -> str:
    """How a point stands on the live screen."""
    if measured_at is None:
        return "never"
    if not is_online:
        return "offline"
    return "stale" if now - measured_at > STALE_AFTER else "ok"
