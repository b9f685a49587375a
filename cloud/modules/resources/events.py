"""What resources announces before it changes a room: modules above may refuse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True)
class RoomClosing:
    """The room goes out of use. Whoever still needs it raises a Conflict that says what to do."""

    room_id: UUID
    full_name: str


@dataclass(frozen=True)
class AreaChanging:
    """Other areas will hold from a day on."""

    room_id: UUID
    valid_from: date
