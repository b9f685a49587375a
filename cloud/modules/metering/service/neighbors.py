"""What stands around a reading of a meter: the one before, the one after, and its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import text

from cloud.kernel.context import Ctx
from cloud.modules.metering.models import Meter
from cloud.modules.metering.rules import Shown

# `base` is at least a day older, so that a busy evening is measured against whole days; `origin`
# is the oldest of the hundred days before it. All of them since the last change of the apparatus.
_AROUND = text("""
    SELECT wanted.position,
      change.changed_at AS change_at, change.new_initial AS change_value,
      last.read_at AS last_at, last.value AS last_value,
      base.read_at AS base_at, base.value AS base_value,
      origin.read_at AS origin_at, origin.value AS origin_value,
      following.read_at AS following_at, following.value AS following_value
    FROM unnest(CAST(:meters AS uuid[]), CAST(:times AS timestamptz[])) WITH ORDINALITY
      AS wanted (meter_id, at, position)
    LEFT JOIN LATERAL (
      SELECT changed_at, new_initial FROM metering_change c
      WHERE c.meter_id = wanted.meter_id AND c.changed_at <= wanted.at
      ORDER BY c.changed_at DESC LIMIT 1) AS change ON true
    LEFT JOIN LATERAL (
      SELECT changed_at FROM metering_change c
      WHERE c.meter_id = wanted.meter_id AND c.changed_at > wanted.at
      ORDER BY c.changed_at LIMIT 1) AS later ON true
    LEFT JOIN LATERAL (
      SELECT read_at, value FROM metering_reading r
      WHERE r.meter_id = wanted.meter_id AND r.state = 'verified' AND r.read_at < wanted.at
        AND r.read_at >= coalesce(change.changed_at, '-infinity')
      ORDER BY r.read_at DESC LIMIT 1) AS last ON true
    LEFT JOIN LATERAL (
      SELECT read_at, value FROM metering_reading r
      WHERE r.meter_id = wanted.meter_id AND r.state = 'verified'
        AND r.read_at <= wanted.at - interval '1 day'
        AND r.read_at >= coalesce(change.changed_at, '-infinity')
      ORDER BY r.read_at DESC LIMIT 1) AS base ON true
    LEFT JOIN LATERAL (
      SELECT read_at, value FROM metering_reading r
      WHERE r.meter_id = wanted.meter_id AND r.state = 'verified'
        AND r.read_at < base.read_at AND r.read_at >= base.read_at - interval '100 days'
        AND r.read_at >= coalesce(change.changed_at, '-infinity')
      ORDER BY r.read_at LIMIT 1) AS origin ON true
    LEFT JOIN LATERAL (
      SELECT read_at, value FROM metering_reading r
      WHERE r.meter_id = wanted.meter_id AND r.state = 'verified' AND r.read_at > wanted.at
        AND r.read_at < coalesce(later.changed_at, 'infinity')
      ORDER BY r.read_at LIMIT 1) AS following ON true
    ORDER BY wanted.position
""")


@dataclass(frozen=True)
class Neighbors:
    """`last` falls back to what the register began with. `history` is oldest first."""

    last: Shown
    following: Shown | None
    history: tuple[Shown, ...]


async def neighbors_of(ctx: Ctx, wanted: Sequence[tuple[Meter, datetime]]) -> list[Neighbors]:
    """In the order asked, in one query."""
    found = await ctx.session.execute(
        _AROUND,
        {"meters": [meter.id for meter, _ in wanted], "times": [at for _, at in wanted]},
    )
    return [
        _neighbors(row, meter) for row, (meter, _) in zip(found.mappings(), wanted, strict=True)
    ]


def _neighbors(row: Any, meter: Meter) -> Neighbors:
    installed_at = datetime.combine(meter.installed_on, time.min, tzinfo=UTC)
    began = _shown(row, "change") or Shown(installed_at, meter.initial_value)
    history = (_shown(row, "origin"), _shown(row, "base"))
    return Neighbors(
        last=_shown(row, "last") or began,
        following=_shown(row, "following"),
        history=tuple(shown for shown in history if shown is not None),
    )


def _shown(row: Any, name: str) -> Shown | None:
    at, value = row[f"{name}_at"], row[f"{name}_value"]
    return None if at is None else Shown(at, value)
