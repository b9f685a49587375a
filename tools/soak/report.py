"""What a soak found, and what of it is a failure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class How(StrEnum):
    """What was done to a process: SIGKILL, or SIGSTOP for longer than a lease and then SIGCONT."""

    killed = "killed"
    paused = "paused"


@dataclass(frozen=True)
class Fault:
    """A process that was hurt; `healed_s` is None when the platform did not become ready."""

    at: str
    what: str
    how: How
    healed_s: float | None


@dataclass(frozen=True)
class Report:
    """`produced` is what outboxes numbered; `waiting` is what they still hold and would send."""

    seed: int
    minutes: float
    produced: int
    waiting: int
    stored: int
    gaps: int
    duplicates: int
    acked_unstored: int
    receipts_taken: int
    receipts_stored: int
    books_balanced: bool
    orphans: int
    faults: tuple[Fault, ...]
    trouble: str = ""

    @property
    def lost(self) -> int:
        """Readings that no gap accounts for; below zero when there are too many."""
        return self.produced - self.waiting - self.gaps - self.stored

    @property
    def failures(self) -> list[str]:
        unhealed = [fault.what for fault in self.faults if fault.healed_s is None]
        taken, stored = self.receipts_taken, self.receipts_stored
        checks = (
            (self.lost != 0, f"{self.lost} readings lost"),
            (self.acked_unstored > 0, f"{self.acked_unstored} acknowledged and not stored"),
            (self.duplicates > 0, f"{self.duplicates} readings doubled"),
            (taken != stored, f"{taken} receipts answered, {stored} stored"),
            (not self.books_balanced, "the books do not balance"),
            (self.orphans > 0, f"{self.orphans} processes left behind"),
            (bool(unhealed), f"not healed: {', '.join(unhealed)}"),
            (self.produced == 0, "no reading was produced"),
            (bool(self.trouble), self.trouble),
        )
        return [text for is_wrong, text in checks if is_wrong]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "lost": self.lost, "failures": self.failures}
