"""Where a person belongs and works."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Place:
    """Where a person belongs, and which roles they hold in which units: each role in each unit."""

    org_id: UUID
    department_id: UUID | None
    role_ids: frozenset[UUID]
    unit_ids: frozenset[UUID]
