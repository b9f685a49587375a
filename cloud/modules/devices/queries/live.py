"""The live screen of one community: tiles with their latest values, trends, history, timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from math import isfinite
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, select, text
from sqlalchemy.orm import aliased
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import Statement
from cloud.modules.devices import rules
from cloud.modules.devices.models import (
    Device,
    DeviceKind,
    DeviceState,
    EventKind,
    Gateway,
    GatewayState,
    Point,
    PointLane,
    SiteEvent,
    Twin,
)
from cloud.modules.devices.queries.records import gateway_of_site
from cloud.modules.devices.schemas import (
    EventList,
    EventRead,
    Figures,
    GatewayOfLive,
    History,
    LiveRead,
    SiteOfLive,
    Tile,
    TileGroup,
    Tone,
)
from cloud.modules.organization import queries as organization
from cloud.modules.resources.models import Space

Say = Callable[[str], str]

TREND_STEP_S = 30
TREND_STEPS = 40
HISTORY_POINTS = 480
EVENTS_MAX = 50
TILES_MAX = 2_000

# One index probe for each (point, step): the last value in it.
_TRENDS = text("""
    SELECT wanted.point_no, (extract(epoch FROM last.measured_at) * 1000)::bigint AS ms, last.value
    FROM unnest(CAST(:points AS integer[])) AS wanted (point_no)
    CROSS JOIN generate_series(CAST(:first AS timestamptz), CAST(:last AS timestamptz),
      make_interval(secs => :step)) AS steps (start)
    CROSS JOIN LATERAL (
      SELECT measured_at, value FROM devices_telemetry t
      WHERE t.point_no = wanted.point_no AND t.measured_at >= steps.start
        AND t.measured_at < steps.start + make_interval(secs => :step)
      ORDER BY measured_at DESC LIMIT 1) AS last
    ORDER BY wanted.point_no, steps.start
""")


async def live(ctx: Ctx, *, site_id: UUID, say: Say) -> LiveRead:
    """Raises NotFound, ProjectNotYours, and PickAProject for a region or HQ."""
    site = await organization.get_site(ctx, site_id)
    gateway = await gateway_of_site(ctx, site_id)
    is_online = gateway is not None and gateway.state == GatewayState.online
    devices = await _devices(ctx, site_id)
    trends = await _trends(ctx, [rows[0]["point_no"] for rows in devices])
    tiles = [(_group_of(rows[0], say), _tile(ctx, rows, trends, is_online)) for rows in devices]
    shown = [tile for _, tile in tiles]
    return LiveRead(
        site=SiteOfLive(id=site.id, name=site.name),
        gateway=_gateway_of_live(gateway),
        kpi=Figures(
            online=sum(tile.state == "ok" for tile in shown),
            total=len(shown),
            stale=sum(tile.state == "stale" for tile in shown),
            delay_s=_delay(devices, ctx.now),
            backlog=gateway.backlog if gateway else 0,
        ),
        groups=_grouped(tiles),
    )


def _gateway_of_live(gateway: Gateway | None) -> GatewayOfLive:
    if gateway is None:
        return GatewayOfLive(state="never", since=None, backlog=0, code="")
    return GatewayOfLive(
        state=GatewayState(gateway.state).value,
        since=gateway.since,
        backlog=gateway.backlog,
        code=gateway.code,
    )


async def history(ctx: Ctx, *, point_no: int, hours: int) -> History:
    """At most 480 values, evenly spaced in time. Raises NotFound."""
    found = (
        await ctx.session.execute(
            select(col(Device.name), col(Point.label), col(Point.unit))
            .join(Device, col(Device.id) == col(Point.device_id))
            .where(col(Point.point_no) == point_no)
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    values = await _sampled(
        ctx, [point_no], step_s=max(5, hours * 3600 // HISTORY_POINTS), span=timedelta(hours=hours)
    )
    return History(
        points=values.get(point_no, []),
        unit=found.unit,
        name=f"{found.name} · {rules.point_label(ctx.say, found.label)}",
    )


async def events(ctx: Ctx, *, site_id: UUID, say: Say) -> EventList:
    """The newest lines of a community's timeline."""
    await organization.get_site(ctx, site_id)
    found = await ctx.session.execute(
        select(SiteEvent)
        .where(col(SiteEvent.org_id) == site_id)
        .order_by(col(SiteEvent.at).desc(), col(SiteEvent.id).desc())
        .limit(EVENTS_MAX)
    )
    return EventList(items=[_event(event, say) for event in found.scalars()])


async def _devices(ctx: Ctx, site_id: UUID) -> list[list[RowMapping]]:
    """Each device's points with their twins; the point that its tile shows comes first."""
    space = aliased(Space)
    statement: Statement = (
        select(
            col(Device.id).label("device_id"),
            col(Device.name).label("name"),
            col(Device.place).label("place"),
            col(Device.kind).label("kind"),
            col(Device.bus).label("bus"),
            col(space.kind).label("space_kind"),
            col(space.path).label("space_path"),
            col(Point.point_no).label("point_no"),
            col(Point.label).label("label"),
            col(Point.unit).label("unit"),
            col(Point.digits).label("digits"),
            col(Point.lane).label("lane"),
            col(Twin.value).label("value"),
            col(Twin.quality).label("quality"),
            col(Twin.measured_at).label("measured_at"),
            col(Twin.received_at).label("received_at"),
        )
        .select_from(Device)
        .join(Point, col(Point.device_id) == col(Device.id))
        .outerjoin(
            Twin,
            and_(col(Twin.org_id) == col(Point.org_id), col(Twin.point_no) == col(Point.point_no)),
        )
        .outerjoin(
            space,
            and_(col(space.org_id) == col(Device.org_id), col(space.id) == col(Device.space_id)),
        )
        .where(col(Device.org_id) == site_id, col(Device.state) == DeviceState.in_use)
        .order_by(
            col(Device.bus),
            col(Device.unit_id),
            col(Device.id),
            col(Point.lane) != PointLane.tele,
            col(Point.point_no),
        )
    )
    devices: dict[UUID, list[RowMapping]] = {}
    for row in (await ctx.session.execute(statement)).mappings():
        devices.setdefault(row["device_id"], []).append(row)
    return list(devices.values())[:TILES_MAX]


async def _trends(ctx: Ctx, points: Sequence[int]) -> dict[int, list[tuple[int, float]]]:
    return await _sampled(
        ctx, points, step_s=TREND_STEP_S, span=timedelta(seconds=TREND_STEP_S * TREND_STEPS)
    )


async def _sampled(
    ctx: Ctx, points: Sequence[int], *, step_s: int, span: timedelta
) -> dict[int, list[tuple[int, float]]]:
    found = await ctx.session.execute(
        _TRENDS,
        {
            "points": list(points),
            "first": ctx.now - span,
            "last": ctx.now - timedelta(seconds=step_s),
            "step": step_s,
        },
    )
    sampled: dict[int, list[tuple[int, float]]] = {}
    for row in found:
        if isfinite(row.value):
            sampled.setdefault(row.point_no, []).append((row.ms, row.value))
    return sampled


def _tile(
    ctx: Ctx,
    rows: Sequence[RowMapping],
    trends: dict[int, list[tuple[int, float]]],
    is_online: bool,
) -> Tile:
    main = rows[0]
    state = rules.tile_state(measured_at=main["measured_at"], is_online=is_online, now=ctx.now)
    return Tile(
        device_id=main["device_id"],
        name=main["name"],
        place=main["place"],
        point=main["point_no"],
        value=main["value"],
        unit=main["unit"],
        digits=main["digits"],
        measured_at=main["measured_at"],
        quality=main["quality"] if main["quality"] is not None else 2,
        state=state,
        second=_second(rows[1:], ctx.say),
        trend=trends.get(main["point_no"], []),
    )


def _second(rows: Sequence[RowMapping], say: Say) -> str | None:
    for row in rows:
        if row["value"] is not None:
            label = rules.point_label(say, row["label"])
            return f"{label} {row['value']:,.{row['digits']}f} {row['unit']}"
    return None


def _group_of(row: RowMapping, say: Say) -> tuple[str, str, str]:
    """(code, label, icon): what is shared by kind, the rooms' meters by bus."""
    if row["space_kind"] == "room":
        building = str(row["space_path"]).split("-")[0]
        label = say("Room meters of building {building}").format(building=building)
        return f"meters_{building}", label, "gauge"
    if row["kind"] == DeviceKind.electricity:
        return "power", say("Power supply"), "zap"
    if row["kind"] == DeviceKind.water:
        return "water", say("Water supply"), "droplets"
    return "other", say("Other devices"), "cpu"


def _grouped(tiles: Iterable[tuple[tuple[str, str, str], Tile]]) -> list[TileGroup]:
    groups: dict[str, TileGroup] = {}
    for (code, label, icon), tile in tiles:
        group = groups.setdefault(
            code, TileGroup(code=code, label=label, icon=icon, count=0, tiles=[])
        )
        group.tiles.append(tile)
        group.count += 1
    order = {"power": 0, "water": 1}
    return sorted(groups.values(), key=lambda group: (order.get(group.code, 2), group.code))


def _delay(devices: Iterable[Sequence[RowMapping]], now: datetime) -> float | None:
    """Seconds from measuring to storing, the median of what came in the last minutes."""
    delays = [
        max(0.0, (row["received_at"] - row["measured_at"]).total_seconds())
        for rows in devices
        for row in rows[:1]
        if row["received_at"] is not None and now - row["received_at"] < timedelta(minutes=10)
    ]
    return round(median(delays), 1) if delays else None


_TITLES: dict[EventKind, tuple[str, Tone]] = {
    EventKind.gateway_online: ("Gateway {gateway} is online", "ok"),
    EventKind.gateway_offline: ("Gateway {gateway} is offline", "bad"),
    EventKind.gap: ("Readings are missing", "warn"),
    EventKind.command_done: ("{device} was read", "info"),
    EventKind.command_failed: ("{device} could not be read", "warn"),
}


def _event(event: SiteEvent, say: Say) -> EventRead:
    kind = EventKind(event.kind)
    title, tone = _TITLES[kind]
    return EventRead(
        at=event.at,
        title=say(title).format_map(event.params),
        text=_event_text(kind, event.params, say),
        tone=tone,
    )


def _event_text(kind: EventKind, params: dict[str, Any], say: Say) -> str:
    match kind:
        case EventKind.gateway_online:
            return say("{backlog} readings are waiting").format_map(params)
        case EventKind.gateway_offline:
            return say("It keeps its readings and sends them later")
        case EventKind.gap:
            count = params["count"]
            many = "" if count is None else say("{count} readings · ").format(count=count)
            return f"{many}{params['reason']}"
        case EventKind.command_done:
            value = params["value"]
            shown = "—" if value is None else f"{value:.{params['digits']}f} {params['unit']}"
            return f"{rules.point_label(say, params['label'])} {shown}"
    return say(f"Outcome: {params['outcome']}")
