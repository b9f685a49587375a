"""How a node of the tree is named and ordered, from its own code and its parent."""

from __future__ import annotations

import re

from cloud.modules.resources.models import PATH_SEPARATOR, SpaceKind

_DIGITS = re.compile(r"\d+")
_WIDTH = 6

PARENT_OF = {
    SpaceKind.building: frozenset[SpaceKind](),
    SpaceKind.unit: frozenset({SpaceKind.building}),
    # A villa or a shop stands in its building without a unit.
    SpaceKind.room: frozenset({SpaceKind.building, SpaceKind.unit}),
}


def path_below(parent_path: str | None, code: str) -> str:
    return code if parent_path is None else f"{parent_path}{PATH_SEPARATOR}{code}"


def sort_key(path: str) -> str:
    """`path` so that text order is the order people count in: 2 before 10, 101 before 1001."""
    return _DIGITS.sub(lambda found: found.group().zfill(_WIDTH), path)
