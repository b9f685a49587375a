"""What charging announces."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class BillsPublished:
    """One event a run, not one a bill: handlers are set-based over the run's bills."""

    run_id: UUID
    site_id: UUID
