"""Whether a site's gateway is there, as its retained state says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.modules.devices.models import EventKind, Gateway, GatewayState, SiteEvent, Watermark
from protocols.uplink import messages as wire

SILENT_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class GatewayNews:
    """What the live screen shows of a gateway."""

    state: GatewayState
    since: datetime | None
    backlog: int


async def record_birth(ctx: Ctx, *, site_id: UUID, birth: wire.Birth) -> GatewayNews | None:
    """Note a gateway's retained state or its will. None for a site without a gateway."""
    statement = select(Gateway).where(col(Gateway.org_id) == site_id).with_for_update()
    gateway = (await ctx.session.execute(statement)).scalar_one_or_none()
    if gateway is None:
        return None
    state = GatewayState.online if birth.online else GatewayState.offline
    _change(ctx, gateway, state)
    gateway.epoch, gateway.boot_id = birth.epoch, birth.boot_id
    gateway.config_hash = birth.config_hash[:64]
    gateway.agent_version = birth.agent_version[:40]
    if birth.online:
        gateway.seen_at = ctx.now
        gateway.backlog = waiting(birth, await _committed(ctx, site_id, birth.epoch))
    return GatewayNews(state=state, since=gateway.since, backlog=gateway.backlog)


async def mark_silent(ctx: Ctx) -> list[UUID]:
    """Gateways that count as online but have said nothing for minutes are offline: a broker that
    died took its wills with it. Answers their sites."""
    found = await ctx.session.execute(
        select(Gateway)
        .where(
            col(Gateway.state) == GatewayState.online,
            col(Gateway.seen_at) < ctx.now - SILENT_AFTER,
        )
        .with_for_update(skip_locked=True)
    )
    silent = list(found.scalars())
    for gateway in silent:
        _change(ctx, gateway, GatewayState.offline)
    return [gateway.org_id for gateway in silent]


def waiting(birth: wire.Birth, committed: Mapping[str, int]) -> int:
    """How many of the records that the gateway spoke of are not committed yet; `committed` is the
    last sequence number of each lane that is."""
    return sum(
        max(0, state.next_seq - 1 - max(state.acked_seq, committed.get(lane, 0)))
        for lane, state in birth.lanes.items()
    )


async def _committed(ctx: Ctx, site_id: UUID, epoch: UUID) -> dict[str, int]:
    found = await ctx.session.execute(
        select(col(Watermark.lane), col(Watermark.next_seq)).where(
            col(Watermark.org_id) == site_id, col(Watermark.epoch) == epoch
        )
    )
    return {row.lane: row.next_seq - 1 for row in found}


def _change(ctx: Ctx, gateway: Gateway, state: GatewayState) -> None:
    if gateway.state == state:
        return
    gateway.state, gateway.since = state, ctx.now
    kinds = {
        GatewayState.online: EventKind.gateway_online,
        GatewayState.offline: EventKind.gateway_offline,
    }
    ctx.session.add(
        SiteEvent(
            **ctx.stamp(gateway.org_id),
            at=ctx.now,
            kind=kinds[state],
            params={"gateway": gateway.code, "backlog": gateway.backlog},
        )
    )
