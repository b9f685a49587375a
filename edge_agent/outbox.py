"""What the gateway has to tell, kept on disk until the platform says that it has it.

One thread does all writing. Results and billing registers are committed at once; telemetry is
gathered for up to 200 ms or 500 readings. What cannot be kept is counted and told by a Gap as
soon as there is room for one.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import UUID

from edge_agent import clock
from edge_agent.command_log import CommandLog, StoredOutcome
from edge_agent.store import LaneFull, Pending, Store, StoreLimitBytes
from edge_agent.store_files import condemn, free_bytes
from protocols.points import Block, Lane
from protocols.uplink.messages import CommandResult, Gap, LaneState

log = logging.getLogger("edge.outbox")

TELE_LINGER_S = 0.2
TELE_ROWS = 500
TELE_ROWS_MAX = 20_000
"""Readings that may wait for a slow disk; the oldest beyond are dropped and told."""
LOSS_EVERY_S = 1.0

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
P = ParamSpec("P")
R = TypeVar("R")


class StoreDamaged(Exception):
    """The disk gave back something else than was written; the next start begins a new store."""


@dataclass
class _Loss:
    count: int
    from_us: int
    to_us: int
    reason: str


class Outbox:
    def __init__(
        self,
        folder: Path,
        limits: StoreLimitBytes | None = None,
        *,
        on_commit: Callable[[Lane], None] | None = None,
    ) -> None:
        """Raises Unusable when the folder cannot hold a store. `on_commit` is for the crash test:
        it is called between a commit and everything that follows from it."""
        self._folder = folder
        self._store = Store(folder, limits or StoreLimitBytes(), now_us=clock.now_us())
        self._commands = CommandLog(self._store)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")
        self._on_commit = on_commit
        self._tele = Block()
        self._tele_ready = asyncio.Event()
        self._losses: dict[Lane, _Loss] = {}
        self.changed = {lane: asyncio.Event() for lane in Lane}

    @property
    def epoch(self) -> UUID:
        return self._store.epoch

    async def run(self) -> None:
        """Commit gathered telemetry, and tell what was lost, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._gather())
            group.create_task(self._tell_losses())

    async def close(self) -> None:
        """Commit what was gathered, then let go of the store."""
        await self._commit_tele()
        await self._tell_losses_once()
        self._thread.shutdown(wait=True)
        self._store.close()

    async def keep(self, block: Block) -> bool:
        """Commit billing registers. False: the disk has no room, and the loss will be told."""
        return await self._append(Lane.METER, block)

    def gather(self, block: Block) -> None:
        """Take telemetry for the next group commit."""
        self._tele.extend(block)
        over = len(self._tele) - TELE_ROWS_MAX
        if over > 0:
            self._lose(Lane.TELE, self._tele.part(0, over), "the disk was too slow")
            self._tele = self._tele.part(over, len(self._tele))
        if len(block):
            self._tele_ready.set()

    async def pending(self, lane: Lane, from_seq: int, limit: int) -> list[Pending]:
        return await self._call(self._store.pending, lane, from_seq, limit)

    async def acknowledge(self, lane: Lane, upto_seq: int) -> None:
        """A full disk keeps what was acknowledged; the next acknowledgment covers it."""
        try:
            await self._call(self._store.acknowledge, lane, upto_seq)
        except sqlite3.Error as error:
            self._say("acknowledge", error)
        except ValueError as error:
            condemn(self._folder, str(error))
            raise StoreDamaged(
                f"the platform has {lane} up to {upto_seq} of this epoch: the store is an old copy"
            ) from error

    async def set_aside(self, lane: Lane, first_seq: int, reason: str) -> bool:
        call = partial(self._store.set_aside, lane, first_seq, reason, now_us=clock.now_us())
        return await self._tell(call)

    async def fill_hole(self, lane: Lane, expect: int) -> bool:
        return await self._tell(partial(self._store.fill_hole, lane, expect, now_us=clock.now_us()))

    async def outcome_of(self, command_id: UUID) -> StoredOutcome | None:
        return await self._call(self._commands.outcome_of, command_id)

    async def unconcluded(self) -> list[UUID]:
        return await self._call(self._commands.unconcluded)

    async def accept(self, command_id: UUID) -> None:
        """Raises LaneFull or sqlite3.Error: then the command must not be carried out."""
        await self._call(partial(self._commands.accept, command_id, now_us=clock.now_us()))

    async def conclude(self, result: CommandResult) -> None:
        """Raises LaneFull or sqlite3.Error when the outcome could not be kept."""
        await self._call(self._commands.conclude, result)
        self._committed(Lane.EVENT)

    async def repeat(self, result: CommandResult) -> None:
        """Tell an outcome that was told before."""
        await self._call(self._store.record, [result])
        self._committed(Lane.EVENT)

    async def states(self) -> dict[Lane, LaneState]:
        return await self._call(self._store.states)

    def disk_free(self) -> int:
        return free_bytes(self._folder)

    async def _gather(self) -> None:
        while True:
            await self._tele_ready.wait()
            if len(self._tele) < TELE_ROWS:
                await asyncio.sleep(TELE_LINGER_S)
            await self._commit_tele()

    async def _commit_tele(self) -> None:
        block, self._tele = self._tele, Block()
        self._tele_ready.clear()
        if len(block):
            await self._append(Lane.TELE, block)

    async def _append(self, lane: Lane, block: Block) -> bool:
        if not len(block):
            return True
        try:
            await self._call(self._store.append, lane, block)
        except LaneFull as full:
            self._lose(lane, block, full.reason)
            return False
        except sqlite3.Error as error:
            self._say("append", error)
            self._lose(lane, block, "the disk refused")
            return False
        self._committed(lane)
        return True

    async def _tell(self, call: Callable[[], bool]) -> bool:
        """A write of lane event that is tried again when the platform asks again."""
        try:
            told = await self._call(call)
        except (LaneFull, sqlite3.Error) as error:
            self._say("gap", error)
            return False
        self._committed(Lane.EVENT)
        return told

    async def _tell_losses(self) -> None:
        while True:
            await asyncio.sleep(LOSS_EVERY_S)
            await self._tell_losses_once()

    async def _tell_losses_once(self) -> None:
        losses, self._losses = self._losses, {}
        if not losses:
            return
        gaps = [
            Gap(lane, None, None, None, loss.from_us, loss.to_us, loss.count, loss.reason)
            for lane, loss in losses.items()
        ]
        try:
            await self._call(self._store.record, gaps)
        except (LaneFull, sqlite3.Error) as error:
            self._say("gap", error)
            for lane, loss in losses.items():
                self._merge(lane, loss)
        else:
            self._committed(Lane.EVENT)

    def _lose(self, lane: Lane, block: Block, reason: str) -> None:
        self._merge(lane, _Loss(len(block), min(block.times_us), max(block.times_us), reason))

    def _merge(self, lane: Lane, loss: _Loss) -> None:
        known = self._losses.setdefault(lane, loss)
        if known is loss:
            log.warning("lost lane=%s count=%d reason=%s", lane, loss.count, loss.reason)
            return
        known.count += loss.count
        known.from_us = min(known.from_us, loss.from_us)
        known.to_us = max(known.to_us, loss.to_us)

    def _committed(self, lane: Lane) -> None:
        if self._on_commit is not None:
            self._on_commit(lane)
        for changed in (lane, Lane.EVENT):
            self.changed[changed].set()

    def _say(self, doing: str, error: Exception) -> None:
        log.warning("store failed doing=%s error=%s", doing, error)

    async def _call(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, partial(call, *args, **kwargs))
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                condemn(self._folder, str(error))
                raise StoreDamaged(f"{self._folder}: {error}") from error
            raise


def limits_from(megabytes: Sequence[tuple[Lane, int]]) -> StoreLimitBytes:
    return StoreLimitBytes(lanes={lane: mb * 1024 * 1024 for lane, mb in megabytes})
