"""Batches that follow on each other become one: a backlog costs one lock, not one a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from actors.turns import Turn
from protocols.uplink.messages import Batch

READINGS_MAX = 20_000


def merged(turns: Sequence[Turn]) -> list[Turn]:
    """The same work in fewer turns, in the same order for each site.

    Only batches of the same site, lane and epoch without a hole between them are joined, and only
    when nothing else of the site comes between.
    """
    found: list[Turn] = []
    last: dict[object, int] = {}
    for turn in turns:
        place = last.get(turn.site_id)
        joined = _joined(found[place], turn) if place is not None else None
        if joined is not None and place is not None:
            found[place] = joined
        else:
            last[turn.site_id] = len(found)
            found.append(turn)
    return found


def _joined(before: Turn, after: Turn) -> Turn | None:
    first, second = before.work, after.work
    if not isinstance(first, Batch) or not isinstance(second, Batch):
        return None
    follows = (first.epoch, first.lane, first.last_seq + 1)
    if (second.epoch, second.lane, second.first_seq) != follows:
        return None
    if len(first) + len(second) > READINGS_MAX:
        return None
    batch = replace(
        first,
        points=first.points + second.points,
        times_us=first.times_us + second.times_us,
        values=first.values + second.values,
        qualities=first.qualities + second.qualities,
    )
    return replace(before, work=batch)
