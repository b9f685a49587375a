"""What customers announces before it changes who owns a room: modules above may refuse."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class RoomTransferring:
    """The room gets other owners. Whoever knows its arrears refuses when they are to be settled
    first and are not."""

    room_id: UUID
    full_name: str
    assumes_arrears: bool
