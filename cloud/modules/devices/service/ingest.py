"""Taking what gateways send: strictly in order, exactly once, nothing dropped without a gap.

Locks: the watermark of a lane first, then twins by number, then the gateway. A transaction may take
batches of many sites, each under its own scope; their telemetry is written at once at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text

from cloud.kernel.context import Ctx
from cloud.modules.devices import rules
from cloud.modules.devices.models import EventKind, Gap, SiteEvent
from cloud.modules.devices.rules import Readings, instant
from cloud.modules.devices.service.commands import finish_command
from protocols.uplink import messages as wire

_COLUMNS = "point_no, measured_at, received_at, value, quality"

# Plain text: these run for every batch, and composing them anew took longer than running them.
_LOCK = text("""
    SELECT next_seq FROM devices_watermark
    WHERE org_id = :site_id AND lane = :lane AND epoch = :epoch FOR UPDATE
""")
_BEGIN = text("""
    INSERT INTO devices_watermark (org_id, lane, epoch, company_id, next_seq, updated_at)
    VALUES (:site_id, :lane, :epoch, :company_id, 1, :now) ON CONFLICT DO NOTHING
""")
_ADVANCE = text("""
    UPDATE devices_watermark SET next_seq = :next_seq, updated_at = :now
    WHERE org_id = :site_id AND lane = :lane AND epoch = :epoch AND next_seq < :next_seq
""")
_HEARD = text("""
    UPDATE devices_gateway SET seen_at = :now, backlog = coalesce(:backlog, backlog)
    WHERE org_id = :site_id
""")
_TWINS = text("""
    INSERT INTO devices_twin
      (point_no, company_id, org_id, value, quality, measured_at, received_at)
    SELECT point_no, :company_id, :org_id, nullif(value, 'NaN'), quality,
      to_timestamp(measured_us / 1e6), :now
    FROM unnest(CAST(:points AS integer[]), CAST(:values AS double precision[]),
      CAST(:qualities AS smallint[]), CAST(:times AS bigint[]))
      AS fresh (point_no, value, quality, measured_us)
    ORDER BY point_no
    ON CONFLICT (point_no) DO UPDATE SET value = excluded.value, quality = excluded.quality,
      measured_at = excluded.measured_at, received_at = excluded.received_at
    WHERE devices_twin.measured_at < excluded.measured_at
""")


@dataclass(frozen=True)
class Hole:
    """The batch does not follow on what is stored. Nothing of it was."""

    expect: int


@dataclass(frozen=True)
class Taken:
    """Everything up to `upto_seq` is stored once the transaction is. `readings` are the new ones,
    still to be handed to `write_telemetry`."""

    upto_seq: int
    readings: Readings | None = None
    results: tuple[wire.CommandResult, ...] = ()
    gaps: tuple[wire.Gap, ...] = field(default=())


async def take_batch(
    ctx: Ctx, *, site_id: UUID, batch: wire.Batch, own: rules.Numbers
) -> Taken | Hole:
    """Take the part of a batch that is new. `own` are the site's point numbers, sorted: readings
    of other points, and of months that are not kept, are dropped and recorded as a gap."""
    next_seq = await _lock_watermark(ctx, site_id, batch.lane, batch.epoch)
    if batch.first_seq > next_seq:
        return Hole(expect=next_seq)
    if batch.last_seq < next_seq:
        return Taken(upto_seq=next_seq - 1)
    now_us = rules.micros(ctx.now)
    fresh = rules.readings_of(batch, skip=next_seq - batch.first_seq)
    kept = await _keep(ctx, site_id, batch, fresh, own)
    kept = rules.doubt_future(kept, now_us=now_us)
    await _refresh_twins(ctx, site_id, kept, now_us)
    await _advance(ctx, site_id, batch.lane, batch.epoch, batch.last_seq)
    return Taken(upto_seq=batch.last_seq, readings=kept)


async def take_events(ctx: Ctx, *, site_id: UUID, events: wire.Events) -> Taken | Hole:
    """Take the records of lane event that are new: results of commands, and gaps."""
    next_seq = await _lock_watermark(ctx, site_id, wire.Lane.EVENT, events.epoch)
    if events.first_seq > next_seq:
        return Hole(expect=next_seq)
    if events.last_seq < next_seq:
        return Taken(upto_seq=next_seq - 1)
    results, gaps = [], []
    for record in events.records[next_seq - events.first_seq :]:
        if isinstance(record, wire.Gap):
            await _record_gap(ctx, site_id, record)
            gaps.append(record)
        else:
            await finish_command(ctx, site_id=site_id, result=record)
            results.append(record)
    await _advance(ctx, site_id, wire.Lane.EVENT, events.epoch, events.last_seq)
    return Taken(upto_seq=events.last_seq, results=tuple(results), gaps=tuple(gaps))


async def write_telemetry(ctx: Ctx, blocks: Iterable[Readings]) -> int:
    """COPY readings into the partitions of their months; only a host's login may. Answers rows."""
    received_us = rules.micros(ctx.now)
    taken = [block for block in blocks if len(block)]
    connection = await ctx.session.connection()
    raw: Any = (await connection.get_raw_connection()).driver_connection
    for partition, body in rules.copy_bodies((block, received_us) for block in taken).items():
        statement = f"COPY {partition} ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
        async with raw.cursor() as cursor, cursor.copy(statement) as copy:
            await copy.write(body)
    return sum(map(len, taken))


async def _lock_watermark(ctx: Ctx, site_id: UUID, lane: str, epoch: UUID) -> int:
    wanted = {"site_id": site_id, "lane": str(lane), "epoch": epoch}
    found = (await ctx.session.execute(_LOCK, wanted)).scalar_one_or_none()
    if found is None:
        known = {**wanted, "company_id": ctx.principal.company_id, "now": ctx.now}
        await ctx.session.execute(_BEGIN, known)
        found = (await ctx.session.execute(_LOCK, wanted)).scalar_one()
    return int(found)


async def _advance(ctx: Ctx, site_id: UUID, lane: str, epoch: UUID, upto_seq: int) -> None:
    await ctx.session.execute(
        _ADVANCE,
        {
            "site_id": site_id,
            "lane": str(lane),
            "epoch": epoch,
            "next_seq": upto_seq + 1,
            "now": ctx.now,
        },
    )


async def _keep(
    ctx: Ctx, site_id: UUID, batch: wire.Batch, fresh: Readings, own: rules.Numbers
) -> Readings:
    first_us, end_us = rules.kept_range_us(ctx.now)
    is_own = np.isin(fresh.points, own)
    is_timely = (fresh.times_us >= first_us) & (fresh.times_us < end_us)
    for is_wrong, reason in (
        (~is_own, "points that are not of this site"),
        (is_own & ~is_timely, "times outside the months that are kept"),
    ):
        if is_wrong.any():
            await _note_dropped(ctx, site_id, batch, fresh.where(is_wrong), reason)
    kept = is_own & is_timely
    return fresh if kept.all() else fresh.where(kept)


async def _note_dropped(
    ctx: Ctx, site_id: UUID, batch: wire.Batch, dropped: Readings, reason: str
) -> None:
    gap = wire.Gap(
        lane=batch.lane,
        epoch=batch.epoch,
        seq_from=batch.first_seq,
        seq_to=batch.last_seq,
        from_us=None,
        to_us=None,
        count=len(dropped),
        reason=f"{reason}: {', '.join(map(str, np.unique(dropped.points)[:5]))}",
    )
    _add_gap(ctx, site_id, gap)


async def _record_gap(ctx: Ctx, site_id: UUID, gap: wire.Gap) -> None:
    """Readings before the gap's end are all committed, so the watermark may jump behind it."""
    _add_gap(ctx, site_id, gap)
    if gap.epoch is not None and gap.seq_to is not None and gap.lane is not wire.Lane.EVENT:
        await _lock_watermark(ctx, site_id, gap.lane, gap.epoch)
        await _advance(ctx, site_id, gap.lane, gap.epoch, gap.seq_to)


def _add_gap(ctx: Ctx, site_id: UUID, gap: wire.Gap) -> None:
    ctx.session.add(
        Gap(
            **ctx.stamp(site_id),
            lane=str(gap.lane),
            epoch=gap.epoch,
            seq_from=gap.seq_from,
            seq_to=gap.seq_to,
            from_at=instant(gap.from_us) if gap.from_us is not None else None,
            to_at=instant(gap.to_us) if gap.to_us is not None else None,
            count=gap.count,
            reason=gap.reason,
        )
    )
    ctx.session.add(
        SiteEvent(
            **ctx.stamp(site_id),
            at=ctx.now,
            kind=EventKind.gap,
            params={"lane": str(gap.lane), "count": gap.count, "reason": gap.reason},
        )
    )


async def _refresh_twins(ctx: Ctx, site_id: UUID, kept: Readings, now_us: int) -> None:
    if not len(kept):
        return
    # A clock that runs ahead must not pin the twin to a value of next year.
    present = kept.where(kept.times_us <= now_us + rules.FUTURE_MAX // timedelta(microseconds=1))
    last = present.where(rules.newest(present))
    values = np.where(np.isfinite(last.values), last.values, np.nan)
    await ctx.session.execute(
        _TWINS,
        {
            "company_id": ctx.principal.company_id,
            "org_id": site_id,
            "now": ctx.now,
            "points": last.points.tolist(),
            "values": values.tolist(),
            "qualities": last.qualities.tolist(),
            "times": last.times_us.tolist(),
        },
    )


async def note_heard(ctx: Ctx, *, site_id: UUID, backlog: int | None) -> None:
    """The gateway was heard; `backlog` is None when nobody knows it."""
    await ctx.session.execute(_HEARD, {"site_id": site_id, "now": ctx.now, "backlog": backlog})
