"""What the ledger announces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True)
class MonthClosing:
    """The books of a month are about to be closed.

    A module that still has work in it refuses by raising; one that earns by time posts what the
    month has earned, from the document `closing_id`.
    """

    site_id: UUID
    month: date
    closing_id: UUID
