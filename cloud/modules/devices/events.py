"""What devices announce."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class CommandIssued:
    """An order is recorded. The site's host sends it once the transaction is committed."""

    site_id: UUID
    command_id: UUID
    op: str
    point_no: int
    argument: float | None
    issued_at: datetime
    expires_at: datetime
