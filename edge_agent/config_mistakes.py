"""What is wrong with a configuration, in words that say what to do."""

import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]


class Mistake(NamedTuple):
    line: int
    text: str


_RANGES = {
    "unit_id": ("0…247", "use the address set on the meter"),
    "address": ("0…65535", "registers count from 0; a manual's 40001 is holding register 0"),
    "port": ("1…65535", "use the TCP port of the collector or broker"),
    "point": ("1…4294967295", "use the point's number on the platform"),
    "every_s": ("1…86400", "give seconds between two kept values"),
    "poll_every_s": ("0.1…3600", "give seconds between two polls"),
    "timeout_s": ("0…30", "give seconds to wait for an answer"),
    "deadband": ("0…", "0 keeps every value"),
    "registers_per_read": ("1…125", "use the limit in the device's manual"),
    "gap_max": ("0…125", "0 never reads unused registers along"),
}
_RANGE_ERRORS = frozenset(
    {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"}
)


_ENUM_MEMBER = re.compile(r"<\w+\.\w+: ('[^']*')>")


def explain(error: ErrorDetails, lines: Mapping[Path, int]) -> Mistake:
    path = tuple(part for part in error["loc"] if not str(part).startswith("function-"))
    return Mistake(_line(path, lines), f"{spell(path)}: {_say(error, path)}")


def duplicates(tree: Any, lines: Mapping[Path, int]) -> Iterator[Mistake]:
    """Names that must be given once: points on the site, buses, addresses on a bus."""
    yield from _repeated("point", "give each point its own number", _fields(tree, "point"), lines)
    yield from _repeated("bus", "give each bus its own code", _fields(tree, "code", 2), lines)
    for index, _ in enumerate(_list(tree, "buses")):
        units = [found for found in _fields(tree, "unit_id") if found[0][1] == index]
        yield from _repeated("device", "two meters on a bus never share an address", units, lines)


def spell(path: Path) -> str:
    """buses[0].devices[3].unit_id"""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the file"


def _say(error: ErrorDetails, path: Path) -> str:
    kind, field = error["type"], path[-1] if path else ""
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a key that the agent knows — check its spelling"
    shown = repr(error["input"]) if isinstance(error["input"], str) else str(error["input"])
    if kind in _RANGE_ERRORS and field in _RANGES:
        allowed, advice = _RANGES[field]
        return f"{shown} is not in {allowed} — {advice}"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    message = _ENUM_MEMBER.sub(r"\1", message).replace("an instance of Decimal", "a number")
    if kind == "value_error":
        return message
    if isinstance(error["input"], list | dict):
        return message
    return (
        f"{shown[:80]} is not {message}" if message != error["msg"] else f"{shown[:80]}: {message}"
    )


def _line(path: Path, lines: Mapping[Path, int]) -> int:
    """Of the value, or of what should contain it."""
    for length in range(len(path), -1, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def _repeated(
    what: str, advice: str, found: list[tuple[Path, Any]], lines: Mapping[Path, int]
) -> Iterator[Mistake]:
    first: dict[Hashable, Path] = {}
    for path, value in found:
        if not isinstance(value, Hashable):
            continue
        if value in first:
            yield Mistake(
                _line(path, lines),
                f"{spell(path)}: {what} {value} is already on line "
                f"{_line(first[value], lines)} — {advice}",
            )
        first.setdefault(value, path)


def _fields(tree: Any, field: str, depth: int = 6) -> list[tuple[Path, Any]]:
    """All values of `field` in buses, devices and points, down to `depth` steps from the root."""
    found: list[tuple[Path, Any]] = []

    def visit(node: Any, path: Path) -> None:
        if isinstance(node, dict) and field in node and len(path) <= depth:
            found.append(((*path, field), node[field]))
        for name in ("buses", "devices", "points"):
            for index, child in enumerate(_list(node, name)):
                visit(child, (*path, name, index))

    visit(tree, ())
    return found


def _list(node: Any, name: str) -> list[Any]:
    inner = node.get(name) if isinstance(node, dict) else None
    return inner if isinstance(inner, list) else []
