"""How a node of the tree is named and ordered, and what its values are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cloud.kernel.ui.language import Tone
from cloud.modules.resources.models import (
    PATH_SEPARATOR,
    RoomEventKind,
    RoomState,
    RoomUsage,
    SpaceKind,
)

_DIGITS = re.compile(r"\d+")
_FLOOR = re.compile(r"([1-9]\d{0,1})\d{2}")
_PLACE = re.compile(r"\{(floor|seq|unit)(?::0?([1-9]))?\}")
# What stands between the parts of an address, as it is said or typed.
_PARTS = re.compile(r"(?:\s*(?:[-－—–‐]|号楼|[幢栋座]|单元)\s*)+")
# Documents are numbered like 2611-000123: their year and month are longer than a building's number.
_PATH = re.compile(r"[A-Za-z]?\d{1,3}[A-Za-z]?(?:-\w{1,20}){1,2}")
_WIDTH = 6

ROOM_TYPES = "resources.room_types"

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
    RoomState.vacant: ("Vacant", Tone.mute),
    RoomState.decorating: ("Decorating", Tone.warn),
    RoomState.occupied: ("Moved in", Tone.ok),
    RoomState.closed: ("Disabled", Tone.mute),
}

# The owner has no keys yet: the developer answers for the room.
UNDELIVERED = frozenset({RoomState.unbuilt, RoomState.unsold, RoomState.sold})

EVENT_LABELS: dict[RoomEventKind, tuple[str, Tone]] = {
    **{RoomEventKind(state.value): shown for state, shown in STATE_LABELS.items()},
    RoomEventKind.area_changed: ("Area changed", Tone.info),
    RoomEventKind.transferred: ("Ownership transferred", Tone.info),
}


def path_below(parent_path: str | None, code: str) -> str:
    return code if parent_path is None else f"{parent_path}{PATH_SEPARATOR}{code}"


def path_of(text: str) -> str | None:
    """The beginning of a room's path as people type it: 8-1-101, 8－1－101, 8栋1单元101室.

    None for what is no path: a name, a single number, the number of a document.
    """
    written = _PARTS.sub(PATH_SEPARATOR, text.strip().rstrip("室号")).strip(PATH_SEPARATOR)
    return written if _PATH.fullmatch(written) else None


def sort_key(path: str) -> str:
    """`path` so that text order is the order people count in: 2 before 10, 101 before 1001."""
    return _DIGITS.sub(lambda found: found.group().zfill(_WIDTH), path)


def floor_of(code: str) -> int | None:
    """The floor that a room's code tells: 1202 stands on the 12th. None when it tells nothing."""
    found = _FLOOR.fullmatch(code)
    return int(found[1]) if found else None


@dataclass(frozen=True)
class RoomPlan:
    """One room that a rule yields. `unit` is the unit's code, None straight in the building."""

    unit: str | None
    floor: int
    code: str
    area: Decimal | None


@dataclass(frozen=True)
class NumberingRule:
    """How the rooms of a building are counted: in every unit, on every floor, so many.

    `pattern` holds {floor}, {seq} and {unit}, each with its digits when it is padded: {seq:02}.
    A skipped sequence is left out of the numbers, not out of the count: without 4, three rooms
    and a fourth are 1, 2, 3, 5. `areas` are by position on the floor, as flats are stacked.
    """

    units: tuple[str, ...]
    floors_from: int
    floors_to: int
    rooms_per_floor: int
    pattern: str
    skip_floors: frozenset[int] = frozenset()
    skip_sequences: frozenset[int] = frozenset()
    areas: tuple[Decimal | None, ...] = ()

    def most(self) -> int:
        """No more rooms than this: asked before any is counted out."""
        floors = self.floors_to - self.floors_from + 1
        return max(1, len(self.units)) * max(0, floors) * self.rooms_per_floor

    def rooms(self) -> Iterator[RoomPlan]:
        sequences = self._sequences()
        for unit in self.units or (None,):
            for floor in range(self.floors_from, self.floors_to + 1):
                if floor == 0 or floor in self.skip_floors:
                    continue
                for position, sequence in enumerate(sequences):
                    yield RoomPlan(
                        unit=unit,
                        floor=floor,
                        code=_numbered(self.pattern, floor=floor, seq=sequence, unit=unit or ""),
                        area=self.areas[position] if position < len(self.areas) else None,
                    )

    def _sequences(self) -> list[int]:
        found: list[int] = []
        sequence = 0
        while len(found) < self.rooms_per_floor:
            sequence += 1
            if sequence not in self.skip_sequences:
                found.append(sequence)
        return found


def is_pattern(pattern: str) -> bool:
    """Whether every brace belongs to a place that is known, and rooms of a floor differ by it."""
    rest = _PLACE.sub("", pattern)
    names = {found[1] for found in _PLACE.finditer(pattern)}
    return "seq" in names and "{" not in rest and "}" not in rest


def _numbered(pattern: str, *, floor: int, seq: int, unit: str) -> str:
    values = {"floor": str(abs(floor)), "seq": str(seq), "unit": unit}

    def fill(found: re.Match[str]) -> str:
        return values[found[1]].zfill(int(found[2] or 0))

    return _PLACE.sub(fill, pattern)


def twice(codes: Sequence[str]) -> list[str]:
    """Those that stand in the list more than once, in its order."""
    seen: set[str] = set()
    found: dict[str, None] = {}
    for code in codes:
        if code in seen:
            found[code] = None
        seen.add(code)
    return list(found)
