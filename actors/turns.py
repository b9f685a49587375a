"""The turn queue of a host: what waits for which site, in which order, and for how long.

One queue for all sites instead of a task for each. A site takes one turn at a time. Commands go
before what gateways send; within each kind, first come, first served. No clock: callers give times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any
from uuid import UUID


class Priority(IntEnum):
    command = 0
    ingest = 1


@dataclass(frozen=True, eq=False)
class Turn:
    """Something that a site is to do before `deadline` (seconds of the host's clock).

    `size` is how many bytes of the host's memory it holds while it waits.
    """

    site_id: UUID
    shard: int
    priority: Priority
    work: Any
    deadline: float
    size: int = 0


@dataclass
class TurnQueue:
    """Bounded: `offer` refuses what does not fit."""

    commands_max: int = 1_000
    ingest_bytes_max: int = 32 * 1024 * 1024
    _waiting: tuple[deque[Turn], deque[Turn]] = field(default_factory=lambda: (deque(), deque()))
    _busy: set[UUID] = field(default_factory=set)
    _bytes: int = 0

    @property
    def bytes(self) -> int:
        """Held by what waits and by what runs."""
        return self._bytes

    def __len__(self) -> int:
        return sum(map(len, self._waiting))

    def offer(self, turn: Turn) -> bool:
        """False when the queue is full."""
        if turn.priority is Priority.command:
            if len(self._waiting[Priority.command]) >= self.commands_max:
                return False
        elif self._bytes + turn.size > self.ingest_bytes_max:
            return False
        self._bytes += turn.size
        self._waiting[turn.priority].append(turn)
        return True

    def take_command(self) -> Turn | None:
        """The first command whose site is free; its site is busy until `done`."""
        waiting = self._waiting[Priority.command]
        for turn in waiting:
            if turn.site_id not in self._busy:
                waiting.remove(turn)
                self._busy.add(turn.site_id)
                return turn
        return None

    def take_group(self, *, turns_max: int, bytes_max: int) -> list[Turn]:
        """The next ingest turns of free sites, in order, for one transaction; their sites are busy
        until `done`. A site that has a command waiting is left to the command."""
        commanded = {turn.site_id for turn in self._waiting[Priority.command]}
        closed = self._busy | commanded
        taken, left, size = list[Turn](), deque[Turn](), 0
        waiting = self._waiting[Priority.ingest]
        while waiting:
            turn = waiting.popleft()
            is_full = len(taken) >= turns_max or (taken and size + turn.size > bytes_max)
            if turn.site_id in closed or is_full:
                closed.add(turn.site_id)
                left.append(turn)
                if is_full and len(taken) >= turns_max:
                    break
                continue
            taken.append(turn)
            size += turn.size
        waiting.extendleft(reversed(left))
        self._busy.update(turn.site_id for turn in taken)
        return taken

    def done(self, turns: Iterable[Turn]) -> None:
        for turn in turns:
            self._busy.discard(turn.site_id)
            self._bytes -= turn.size

    def expired(self, now: float) -> list[Turn]:
        """Take out what waited too long."""
        return self.remove(lambda turn: turn.deadline <= now)

    def remove(self, is_unwanted: Callable[[Turn], bool]) -> list[Turn]:
        """Take out turns that wait; what runs goes on."""
        removed = []
        for waiting in self._waiting:
            unwanted = [turn for turn in waiting if is_unwanted(turn)]
            if unwanted:
                kept = [turn for turn in waiting if not is_unwanted(turn)]
                waiting.clear()
                waiting.extend(kept)
                removed.extend(unwanted)
        self._bytes -= sum(turn.size for turn in removed)
        return removed

    def is_busy(self, site_id: UUID) -> bool:
        return site_id in self._busy

    def __iter__(self) -> Iterator[Turn]:
        for waiting in self._waiting:
            yield from waiting
