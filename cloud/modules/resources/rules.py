"""How a node of the tree is named and ordered, and what its values are called."""

from __future__ import annotations

import re

from cloud.kernel.ui.language import Tone
from cloud.modules.resources.models import PATH_SEPARATOR, RoomState, RoomUsage, SpaceKind

_DIGITS = re.compile(r"\d+")
_WIDTH = 6

PARENT_OF = {
    SpaceKind.building: frozenset[SpaceKind](),
    SpaceKind.unit: frozenset({SpaceKind.building}),
    # A villa or a shop stands in its building without a unit.
    SpaceKind.room: frozenset({SpaceKind.building, SpaceKind.unit}),
}

USAGE_LABELS: dict[RoomUsage, tuple[str, Tone]] = {
    RoomUsage.residential: ("Residential", Tone.mute),
    RoomUsage.commercial: ("Shop", Tone.info),
    RoomUsage.office: ("Office", Tone.info),
    RoomUsage.parking: ("Parking", Tone.mute),
    RoomUsage.storage: ("Storage", Tone.mute),
}

STATE_LABELS: dict[RoomState, tuple[str, Tone]] = {
    RoomState.unbuilt: ("Unbuilt", Tone.mute),
    RoomState.unsold: ("Unsold", Tone.mute),
    RoomState.sold: ("Sold, not handed over", Tone.info),
    RoomState.delivered: ("Handed over", Tone.info),
    RoomState.decorating: ("Decorating", Tone.wait),
    RoomState.occupied: ("Moved in", Tone.ok),
}


def path_below(parent_path: str | None, code: str) -> str:
    return code if parent_path is None else f"{parent_path}{PATH_SEPARATOR}{code}"


def sort_key(path: str) -> str:
    """`path` so that text order is the order people count in: 2 before 10, 101 before 1001."""
    return _DIGITS.sub(lambda found: found.group().zfill(_WIDTH), path)
