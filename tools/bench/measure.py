"""What a measure answers: rows a second of ours and of the bare way, and their ratio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

GOAL = 0.3
ROUNDS = 3


@dataclass(frozen=True)
class Measure:
    """`value` and `baseline` are medians, in `unit`; `detail` says what was compared, and `why`
    what the rest of the time is for, where the ratio is below its goal."""

    name: str
    value: float
    unit: str
    baseline: float
    detail: str
    goal: float = GOAL
    why: str = ""

    @property
    def ratio(self) -> float:
        return self.value / self.baseline

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": round(self.value, 1),
            "unit": self.unit,
            "baseline": round(self.baseline, 1),
            "ratio": round(self.ratio, 3),
            "goal": self.goal,
        }


@dataclass
class Rates:
    """Both ways of doing the same, measured in turns."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def measure(self, name: str, unit: str, detail: str, why: str = "") -> Measure:
        return Measure(name, median(self.ours), unit, median(self.bare), detail, why=why)


@contextmanager
def rate(into: list[float], count: int) -> Iterator[None]:
    """Adds how many of `count` were done a second. Nothing is added when the block raises."""
    began = perf_counter()
    yield
    into.append(count / (perf_counter() - began))


def shown(value: float) -> str:
    """A number for people: whole from ten on, below that to one decimal."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def table(measures: Sequence[Measure]) -> str:
    """A table for people: one line a measure, aligned."""
    rows = [("name", "ours", "bare", "unit", "ratio", "goal")]
    rows += [
        (
            each.name,
            shown(each.value),
            shown(each.baseline),
            each.unit,
            f"{each.ratio:.2f}",
            f"{each.goal:.2f}",
        )
        for each in measures
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
