"""Readings as columns: what of a batch is new, kept, newest, and its bytes for COPY BINARY.

And the kinds of devices whose registers are known: a device is made from one of these templates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import numpy as np
import numpy.typing as npt

from cloud.kernel.periods import add_months
from cloud.modules.devices.models import DeviceKind, PointLane
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


@dataclass(frozen=True)
class Credentials:
    """What a gateway enters the broker with."""

    host: str
    port: int
    user: str
    password: str

    def text(self, site_id: UUID) -> str:
        """As the agent's configuration wants them."""
        return (
            f"site: {site_id}\nbroker:\n  host: {self.host}\n  port: {self.port}\n"
            f"  user: {self.user}\n  password: {self.password}"
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


METER_EVERY_S = 60
TELE_EVERY_S = 30


class DeviceTemplate(StrEnum):
    electricity = "electricity"
    water = "water"
    gas = "gas"
    heat = "heat"


@dataclass(frozen=True)
class PointSpec:
    """Where a value's registers are. value = register × scale."""

    code: str
    label: str
    unit: str
    digits: int
    lane: PointLane
    register_table: str
    address: int
    register_type: str
    scale: Decimal
    word_order: str = "big"
    every_s: int = 60


def _register(code: str, label: str, unit: str, address: int, scale: str) -> PointSpec:
    """A total that bills are made of: two registers, the high word first."""
    return _point(PointLane.meter, METER_EVERY_S, (code, label, unit), address, "uint32", scale)


def _measured(
    code: str, label: str, unit: str, address: int, scale: str, kind: str = "uint32"
) -> PointSpec:
    return _point(PointLane.tele, TELE_EVERY_S, (code, label, unit), address, kind, scale)


def _point(
    lane: PointLane,
    every_s: int,
    named: tuple[str, str, str],
    address: int,
    register_type: str,
    scale: str,
) -> PointSpec:
    code, label, unit = named
    places = -int(Decimal(scale).normalize().as_tuple().exponent)
    return PointSpec(
        code=code,
        label=label,
        unit=unit,
        digits=max(0, places),
        lane=lane,
        register_table="holding",
        address=address,
        register_type=register_type,
        scale=Decimal(scale),
        every_s=every_s,
    )


# The registers of the collectors that the demo communities have; labels are data, as typed on site.
# Those of the templates are said in the reader's language.
POINT_LABELS = {
    "正向有功总": "Active energy",
    "有功功率": "Active power",
    "电压": "Voltage",
    "累计用水": "Water used",
    "累计用气": "Gas used",
    "瞬时流量": "Flow rate",
    "累计热量": "Heat used",
    "热功率": "Heat output",
    "供水温度": "Supply temperature",
    "回水温度": "Return temperature",
}
POINTS: dict[DeviceTemplate, tuple[PointSpec, ...]] = {
    DeviceTemplate.electricity: (
        _register("energy", "正向有功总", "kWh", 0, "0.01"),
        _measured("power", "有功功率", "kW", 2, "0.001"),
        _measured("voltage", "电压", "V", 4, "0.1", "uint16"),
    ),
    DeviceTemplate.water: (
        _register("volume", "累计用水", "m³", 0, "0.001"),
        _measured("flow", "瞬时流量", "m³/h", 2, "0.001"),
    ),
    DeviceTemplate.gas: (
        _register("volume", "累计用气", "m³", 0, "0.001"),
        _measured("flow", "瞬时流量", "m³/h", 2, "0.001"),
    ),
    DeviceTemplate.heat: (
        _register("energy", "累计热量", "kWh", 0, "0.01"),
        _measured("power", "热功率", "kW", 2, "0.001"),
        _measured("supply", "供水温度", "℃", 4, "0.1", "uint16"),
        _measured("return", "回水温度", "℃", 5, "0.1", "uint16"),
    ),
}
KIND = {
    DeviceTemplate.electricity: DeviceKind.electricity,
    DeviceTemplate.water: DeviceKind.water,
    DeviceTemplate.gas: DeviceKind.gas,
    DeviceTemplate.heat: DeviceKind.heat,
}


def point_label(say: Callable[[str], str], label: str) -> str:
    known = POINT_LABELS.get(label)
    return say(known) if known else label
