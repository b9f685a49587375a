"""What metering announces."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class ReadingsTaken:
    """Readings of a site arrived; `in_review` of them wait for a person."""

    site_id: UUID
    count: int
    in_review: int
