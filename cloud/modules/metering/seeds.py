"""The demo communities' meters, and readings that lead up to what their registers show at first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from cloud.kernel.periods import add_months
from cloud.kernel.seeding import Seeding
from cloud.modules.metering import service
from cloud.modules.metering.models import Meter, MeterKind, ReadingSource
from cloud.modules.metering.service import Arrived, MeterSpec

ZONE = ZoneInfo("Asia/Shanghai")
INSTALLED_ON = date(2023, 9, 28)
MONTHS = 3
DAYS = 5
POINT = {"electricity": "energy", "water": "volume"}
DIGITS = {"electricity": 6, "water": 5}
SHARED_DIGITS = 7


@dataclass(frozen=True)
class _Described:
    """A meter of the community file. `start` is what it shows at the demo's first start."""

    spec: MeterSpec
    rooms: int
    start: Decimal


async def seed(seeding: Seeding) -> None:
    for site in seeding.community["sites"]:
        site_id = seeding.ids[f"site:{site['code']}"]
        shared = list(_shared(seeding, site))
        async with seeding.unit() as ctx:
            meters = await service.add_meters(
                ctx, site_id=site_id, specs=[described.spec for described in shared]
            )
            seeding.ids.update({f"meter:{meter.no}": meter.id for meter in meters})
            rooms = list(_of_rooms(seeding, site))
            meters += await service.add_meters(
                ctx, site_id=site_id, specs=[described.spec for described in rooms]
            )
            arrived = [
                reading
                for meter, described in zip(meters, [*shared, *rooms], strict=True)
                for reading in _history(seeding, meter, described)
            ]
            await service.record_arrived(
                ctx, site_id=site_id, arrived=arrived, source=ReadingSource.iot
            )
        seeding.ids.update({f"meter:{meter.no}": meter.id for meter in meters})


def _shared(seeding: Seeding, site: dict[str, Any]) -> Iterator[_Described]:
    for meter in site["shared"]:
        # YAML 1.1, which the file is read as, takes the key `no` for false.
        no = meter["no"] if "no" in meter else meter[False]
        kind = meter["kind"]
        spec = MeterSpec(
            no=no,
            kind=MeterKind(kind),
            initial_value=Decimal(0),
            installed_on=INSTALLED_ON,
            space_id=seeding.ids.get(f"building:{site['code']}/{meter.get('building')}"),
            digits=SHARED_DIGITS,
            point_no=seeding.points[f"{no}/{POINT[kind]}"],
        )
        yield _Described(spec, rooms=meter["rooms"], start=Decimal(meter["start"]))


def _of_rooms(seeding: Seeding, site: dict[str, Any]) -> Iterator[_Described]:
    for room in site["rooms"]:
        building = room["at"].split("-")[0]
        for kind, start in zip(("electricity", "water"), room["start"], strict=True):
            no = room[kind][0]
            parent = f"meter:{'E' if kind == 'electricity' else 'W'}-{site['code']}-P{building}"
            spec = MeterSpec(
                no=no,
                kind=MeterKind(kind),
                initial_value=Decimal(0),
                installed_on=INSTALLED_ON,
                room_id=seeding.ids[f"room:{site['code']}/{room['at']}"],
                parent_id=seeding.ids.get(parent),
                digits=DIGITS[kind],
                point_no=seeding.points[f"{no}/{POINT[kind]}"],
            )
            yield _Described(spec, rooms=1, start=Decimal(start))


def _history(seeding: Seeding, meter: Meter, described: _Described) -> Iterator[Arrived]:
    """Backwards from the first start, so that what the simulators show continues it."""
    seed = seeding.community["seed"]
    per_day = Decimal(seeding.community["curves"][meter.kind]["per_day"])
    per_day *= _size(seed, meter.no, described.rooms)
    point = next(
        p for p in seeding.community["models"][meter.kind]["points"] if p["lane"] == "meter"
    )
    value, at = described.start, seeding.now
    for midnight in _midnights(seeding.now):
        days = Decimal(int((at - midnight).total_seconds())) / 86_400
        value = max(Decimal(0), value - per_day * days * _season(seed, meter.no, midnight))
        at = midnight
        yield Arrived(meter, midnight, value.quantize(Decimal(point["scale"]), rounding=ROUND_DOWN))


def _midnights(now: datetime) -> list[datetime]:
    """Local midnights of the last days and of the firsts of the last months, newest first."""
    today = now.astimezone(ZONE).date()
    days = {today - timedelta(days=back) for back in range(DAYS)}
    days |= {add_months(today.replace(day=1), -back) for back in range(MONTHS + 1)}
    return [datetime.combine(day, time.min, tzinfo=ZONE) for day in sorted(days, reverse=True)]


def _size(seed: int, no: str, rooms: int) -> Decimal:
    """How a household differs from the mean one; many rooms together are close to the mean."""
    return rooms * (1 + (_share(seed, no, "size") - Decimal("0.5")) / Decimal(rooms).sqrt())


def _season(seed: int, no: str, at: datetime) -> Decimal:
    return Decimal("0.85") + Decimal("0.3") * _share(seed, no, f"{at:%Y-%m}")


def _share(seed: int, no: str, what: str) -> Decimal:
    """A number in [0, 1) that only depends on its arguments."""
    digest = blake2b(f"{seed}:{no}:{what}".encode(), digest_size=8).digest()
    return Decimal(int.from_bytes(digest, "big")) / 2**64
