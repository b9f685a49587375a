"""A community's energy of today, from telemetry: use by hour, and what flows now.

Only meters without a meter above them count, so that a building's main meter and those of its rooms
are not added up. An hour's use is what the register moved in it; after a gap it stands in the hour
in which the meter was heard again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cloud.kernel.analytics import REAL, TEXT, WHOLE, Extract, Reading
from cloud.kernel.errors import NotFound

STALE_AFTER = timedelta(minutes=3)

SITES = Extract(
    "sites",
    "SELECT id::text, name, time_zone FROM organization_unit WHERE kind = 'project' ORDER BY code",
    {"id": TEXT, "name": TEXT, "time_zone": TEXT},
)
METERS = Extract(
    "meters",
    """
    SELECT p.point_no, m.kind, m.multiplier::double precision, p.device_id::text
    FROM metering_meter m
    JOIN devices_point p ON p.org_id = m.org_id AND p.point_no = m.point_no
    WHERE m.org_id = CAST(:site AS uuid) AND m.state = 'in_use' AND m.parent_id IS NULL
      AND m.kind IN ('electricity', 'water')""",
    {"point_no": WHOLE, "kind": TEXT, "multiplier": REAL, "device_id": TEXT},
)
# Two index probes for each (point, hour): its first and its last good value.
REGISTERS = Extract(
    "registers",
    """
    SELECT wanted.point_no,
      (extract(epoch FROM steps.start - CAST(:midnight AS timestamptz)) / 3600)::integer,
      first.value AS first, last.value AS last
    FROM unnest(CAST(:points AS integer[])) AS wanted (point_no)
    CROSS JOIN generate_series(CAST(:midnight AS timestamptz) - interval '1 hour',
      CAST(:now AS timestamptz), interval '1 hour') AS steps (start)
    CROSS JOIN LATERAL (
      SELECT value FROM devices_telemetry t
      WHERE t.point_no = wanted.point_no AND t.quality = 0
        AND t.measured_at >= steps.start AND t.measured_at < steps.start + interval '1 hour'
      ORDER BY measured_at LIMIT 1) AS first
    CROSS JOIN LATERAL (
      SELECT value FROM devices_telemetry t
      WHERE t.point_no = wanted.point_no AND t.quality = 0
        AND t.measured_at >= steps.start AND t.measured_at < steps.start + interval '1 hour'
      ORDER BY measured_at DESC LIMIT 1) AS last""",
    {"point_no": WHOLE, "hour": WHOLE, "first": REAL, "last": REAL},
)
NOW = Extract(
    "now",
    """
    SELECT p.unit, sum(t.value) FILTER (WHERE t.quality = 0 AND t.measured_at > :since),
      count(*), count(*) FILTER (WHERE t.quality = 0 AND t.measured_at > :since)
    FROM devices_point p
    LEFT JOIN devices_twin t ON t.org_id = p.org_id AND t.point_no = p.point_no
    WHERE p.org_id = CAST(:site AS uuid) AND p.device_id = ANY (CAST(:devices AS uuid[]))
      AND p.unit IN ('kW', 'm³/h')
    GROUP BY p.unit""",
    {"unit": TEXT, "value": REAL, "points": WHOLE, "fresh": WHOLE},
)
BY_HOUR = """
    SELECT kind, hour, sum((last - coalesce(before, first)) * multiplier) AS used
    FROM (
      SELECT m.kind, m.multiplier, r.hour, r.first, r.last,
        lag(r.last) OVER (PARTITION BY r.point_no ORDER BY r.hour) AS before
      FROM registers r JOIN meters m USING (point_no))
    WHERE hour >= 0 AND last >= coalesce(before, first)
    GROUP BY kind, hour ORDER BY kind, hour"""


@dataclass(frozen=True)
class Flow:
    """Now: the sum of the values that are fresh, and of how many points."""

    value: float | None
    points: int
    fresh: int


@dataclass(frozen=True)
class Energy:
    site_id: str
    site_name: str
    sites: tuple[tuple[str, str], ...]
    meters: int
    hours: int
    electricity: dict[int, float]
    water: dict[int, float]
    power: Flow
    flow: Flow
    heard: bool


async def energy(reading: Reading, site_id: str, mine: frozenset[str] | None) -> Energy | None:
    """Of the site, of the first in scope without one; None when no site is in scope.

    Raises NotFound for a site that is not the viewer's.
    """
    found = (await reading.load(SITES)).to_pylist()
    sites = [row for row in found if mine is None or row["id"] in mine]
    if site_id and site_id not in {row["id"] for row in sites}:
        raise NotFound
    if not sites:
        return None
    site = next((row for row in sites if row["id"] == site_id), sites[0])
    now = reading.ctx.now
    local = now.astimezone(ZoneInfo(site["time_zone"]))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    meters = (await reading.load(METERS, site=site["id"])).to_pylist()
    await reading.load(
        REGISTERS,
        points=[meter["point_no"] for meter in meters],
        midnight=midnight,
        now=now,
    )
    used: dict[str, dict[int, float]] = {"electricity": {}, "water": {}}
    for row in await reading.rows(BY_HOUR):
        used[row["kind"]][row["hour"]] = row["used"]
    flows = await _flows(reading, site["id"], meters, now)
    return Energy(
        site_id=site["id"],
        site_name=site["name"],
        sites=tuple((row["id"], row["name"]) for row in sites),
        meters=len(meters),
        hours=local.hour + 1,
        electricity=used["electricity"],
        water=used["water"],
        power=flows.get("kW", Flow(None, 0, 0)),
        flow=flows.get("m³/h", Flow(None, 0, 0)),
        heard=any(used.values()) or any(each.fresh for each in flows.values()),
    )


async def _flows(
    reading: Reading, site_id: str, meters: list[dict[str, Any]], now: datetime
) -> dict[str, Flow]:
    found = await reading.load(
        NOW,
        site=site_id,
        devices=[meter["device_id"] for meter in meters],
        since=now - STALE_AFTER,
    )
    return {
        row["unit"]: Flow(row["value"], row["points"], row["fresh"]) for row in found.to_pylist()
    }
