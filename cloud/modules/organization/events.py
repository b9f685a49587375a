"""What the organization announces."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class UnitClosing:
    """A unit is about to be closed: a module that still has work in it refuses by raising."""

    unit_id: UUID
    name: str


@dataclass(frozen=True)
class DepartmentClosing:
    """A department is about to be closed."""

    department_id: UUID
    name: str
