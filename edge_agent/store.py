"""The outbox on disk: SQLite in WAL mode, synced at every commit, one blob for each batch.

A blob is the batch as it goes over the wire. Sequence numbers are given inside the commit and are
dense for each (epoch, lane). Everything here blocks; `Outbox` calls it from one thread.
"""

import contextlib
import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

from edge_agent.store_files import Unusable, disk_full, free_bytes, open_database
from protocols.points import Block, Lane
from protocols.uplink import codec
from protocols.uplink.messages import Batch, CommandResult, Events, Gap, LaneState

FREE_RESERVE_BYTES = 32 * 1024 * 1024
"""Telemetry stops here, so that results, billing registers and gaps still find room."""
_DROP_SHARE = 16
_FREE_PAGES_MAX = 1024
_PAGES_GIVEN_BACK = 1024
_DEAD_MAX = 50
_EVENT_RESERVE_BYTES = 256 * 1024


class LaneFull(Exception):
    """Nothing of what was offered was taken: the lane's share of the disk is used up."""

    def __init__(self, lane: Lane, reason: str) -> None:
        super().__init__(f"lane {lane}: {reason}")
        self.lane = lane
        self.reason = reason


class Lost(NamedTuple):
    """Numbers of a lane that the platform will never see; the times where they are known."""

    lane: Lane
    first_seq: int
    last_seq: int
    from_us: int | None = None
    to_us: int | None = None


class Pending(NamedTuple):
    first_seq: int
    last_seq: int
    body: bytes


@dataclass
class _LaneRow:
    next_seq: int
    acked_seq: int
    bytes: int


@dataclass(frozen=True)
class StoreLimitBytes:
    lanes: Mapping[Lane, int] = field(
        default_factory=lambda: {
            Lane.EVENT: 16 * 1024 * 1024,
            Lane.METER: 64 * 1024 * 1024,
            Lane.TELE: 256 * 1024 * 1024,
        }
    )
    free_reserve: int = FREE_RESERVE_BYTES


class Store:
    """Raises LaneFull, or sqlite3.Error when the disk fails; then nothing was written."""

    def __init__(self, folder: Path, limits: StoreLimitBytes, *, now_us: int) -> None:
        self._folder = folder
        self._limits = limits
        try:
            self._lock = _lock(folder)
        except OSError as error:
            raise _unusable(folder, error) from error
        try:
            opened = open_database(folder, limits_bytes=sum(limits.lanes.values()))
            self._db = opened.db
            self.epoch = _begin_epoch(self._db)
            self._lanes = {lane: _read_lane(self._db, lane) for lane in Lane}
            if opened.set_aside is not None:
                self._report_loss_of_old_store(opened.set_aside, now_us)
        except OSError as error:
            os.close(self._lock)
            raise _unusable(folder, error) from error
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def db(self) -> sqlite3.Connection:
        return self._db

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        os.close(self._lock)

    def append(self, lane: Lane, block: Block) -> int:
        """Number and keep readings of lane meter or tele; returns the last seq.

        A full lane tele makes room by dropping its oldest batches, with a Gap in the same commit;
        a full lane meter refuses.
        """
        with self.transaction():
            row = self._lanes[lane]
            if lane is Lane.TELE and free_bytes(self._folder) < self._limits.free_reserve:
                raise LaneFull(lane, "the disk is nearly full")
            for start in range(0, len(block), codec.READINGS_MAX):
                part = block.part(start, start + codec.READINGS_MAX)
                batch = Batch(
                    self.epoch,
                    lane,
                    row.next_seq,
                    part.points,
                    part.times_us,
                    part.values,
                    part.qualities,
                )
                body = codec.encode(batch)
                self._make_room(lane, len(body))
                self._insert(lane, len(part), min(part.times_us), max(part.times_us), body)
        return row.next_seq - 1

    def record(self, records: Sequence[CommandResult | Gap]) -> int:
        """Number and keep records of lane event; returns the last seq.

        Gaps may use a reserve beyond the lane's share: what was lost must be told.
        """
        with self.transaction():
            self.add_records(records)
        return self._lanes[Lane.EVENT].next_seq - 1

    def pending(self, lane: Lane, from_seq: int, limit: int) -> list[Pending]:
        """Batches, oldest first, that hold `from_seq` or later."""
        rows = self._db.execute(
            "SELECT first_seq, last_seq, body FROM batch"
            " WHERE lane = ? AND last_seq >= ? ORDER BY first_seq LIMIT ?",
            (lane, from_seq, limit),
        )
        return [Pending(*row) for row in rows]

    def acknowledge(self, lane: Lane, upto_seq: int) -> None:
        """Forget what the platform has committed. Raises ValueError for what was never sent."""
        row = self._lanes[lane]
        if upto_seq >= row.next_seq:
            raise ValueError(f"{upto_seq} of lane {lane} was never written here")
        if upto_seq <= row.acked_seq and not _holds_upto(self._db, lane, upto_seq):
            return
        with self.transaction():
            row.bytes -= self._delete(lane, upto_seq)
            row.acked_seq = max(row.acked_seq, upto_seq)
            self._save_lane(lane)
        _give_back(self._db)

    def set_aside(self, lane: Lane, first_seq: int, reason: str, *, now_us: int) -> bool:
        """Move a batch that the platform cannot read out of the way.

        Only the oldest one held: a Gap says that all before it is committed. False otherwise.
        """
        found = self._db.execute(
            "SELECT first_seq, last_seq, from_us, to_us, body FROM batch"
            " WHERE lane = ? ORDER BY first_seq LIMIT 1",
            (lane,),
        ).fetchone()
        if found is None or found[0] != first_seq:
            return False
        _, last_seq, from_us, to_us, body = found
        with self.transaction():
            self._db.execute(
                "INSERT INTO dead (lane, first_seq, last_seq, at_us, reason, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (lane, first_seq, last_seq, now_us, reason, body),
            )
            self._db.execute(
                "DELETE FROM dead WHERE id <= (SELECT max(id) FROM dead) - ?", (_DEAD_MAX,)
            )
            self._db.execute(
                "DELETE FROM batch WHERE lane = ? AND first_seq = ?", (lane, first_seq)
            )
            self._lanes[lane].bytes -= len(body)
            self._account_for(Lost(lane, first_seq, last_seq, from_us, to_us), reason)
        return True

    def fill_hole(self, lane: Lane, expect: int, *, now_us: int) -> bool:
        """Tell the platform that `expect` and on, up to what is held, will never come."""
        oldest = self._db.execute(
            "SELECT min(first_seq) FROM batch WHERE lane = ?", (lane,)
        ).fetchone()[0]
        last = (oldest or self._lanes[lane].next_seq) - 1
        if last < expect:
            return False
        with self.transaction():
            lost = Lost(lane, expect, last, None, now_us)
            self._account_for(lost, "no longer held by the gateway")
        return True

    def states(self) -> dict[Lane, LaneState]:
        oldest = dict(
            self._db.execute("SELECT lane, min(from_us) FROM batch GROUP BY lane").fetchall()
        )
        return {
            lane: LaneState(row.next_seq, row.acked_seq, max(0, row.bytes), oldest.get(lane))
            for lane, row in self._lanes.items()
        }

    def acked_seq(self, lane: Lane) -> int:
        return self._lanes[lane].acked_seq

    # Inside a transaction

    def _insert(self, lane: Lane, count: int, from_us: int, to_us: int, body: bytes) -> None:
        row = self._lanes[lane]
        last_seq = row.next_seq + count - 1
        self._db.execute(
            "INSERT INTO batch (lane, first_seq, last_seq, from_us, to_us, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (lane, row.next_seq, last_seq, from_us, to_us, body),
        )
        row.next_seq = last_seq + 1
        row.bytes += len(body)
        self._save_lane(lane)

    def add_records(self, records: Sequence[CommandResult | Gap]) -> None:
        events = Events(self.epoch, self._lanes[Lane.EVENT].next_seq, tuple(records))
        body = codec.encode(events)
        only_gaps = all(isinstance(record, Gap) for record in records)
        cap = self._limits.lanes[Lane.EVENT] + (_EVENT_RESERVE_BYTES if only_gaps else 0)
        if self._lanes[Lane.EVENT].bytes + len(body) > cap:
            raise LaneFull(Lane.EVENT, "its share of the disk is used up")
        times = [_time_of(record) for record in records]
        self._insert(Lane.EVENT, len(records), min(times), max(times), body)

    def _make_room(self, lane: Lane, needed: int) -> None:
        row, cap = self._lanes[lane], self._limits.lanes[lane]
        if row.bytes + needed <= cap:
            return
        if lane is not Lane.TELE or needed > cap:
            raise LaneFull(lane, "its share of the disk is used up")
        self._drop_oldest(lane, row.bytes + needed - cap + cap // _DROP_SHARE)

    def _drop_oldest(self, lane: Lane, to_free: int) -> None:
        freed, last, first, from_us, to_us = 0, 0, 0, None, 0
        for seq, last_seq, began, ended, size in self._db.execute(
            "SELECT first_seq, last_seq, from_us, to_us, length(body) FROM batch"
            " WHERE lane = ? ORDER BY first_seq",
            (lane,),
        ):
            first = first or max(seq, self._lanes[lane].acked_seq + 1)
            from_us = began if from_us is None else min(from_us, began)
            freed, last, to_us = freed + size, last_seq, max(to_us, ended)
            if freed >= to_free:
                break
        self._lanes[lane].bytes -= self._delete(lane, last)
        self.add_records([self._gap(Lost(lane, first, last, from_us, to_us), "outbox full")])

    def _account_for(self, lost: Lost, reason: str) -> None:
        """Make numbers known as lost; in lane event by Gaps that carry these very numbers."""
        if lost.lane is not Lane.EVENT:
            self.add_records([self._gap(lost, reason)])
            return
        for start in range(lost.first_seq, lost.last_seq + 1, codec.READINGS_MAX):
            stop = min(start + codec.READINGS_MAX - 1, lost.last_seq)
            gaps = tuple(
                self._gap(lost._replace(first_seq=seq, last_seq=seq), reason)
                for seq in range(start, stop + 1)
            )
            body = codec.encode(Events(self.epoch, start, gaps))
            self._db.execute(
                "INSERT INTO batch (lane, first_seq, last_seq, from_us, to_us, body)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (lost.lane, start, stop, lost.from_us or 0, lost.to_us or 0, body),
            )
            self._lanes[lost.lane].bytes += len(body)

    def _gap(self, lost: Lost, reason: str) -> Gap:
        count = lost.last_seq - lost.first_seq + 1
        return Gap(lost.lane, self.epoch, *lost[1:], count, reason)

    def _delete(self, lane: Lane, upto_seq: int) -> int:
        """Delete whole batches; returns their bytes."""
        freed = self._db.execute(
            "SELECT coalesce(sum(length(body)), 0) FROM batch WHERE lane = ? AND last_seq <= ?",
            (lane, upto_seq),
        ).fetchone()[0]
        self._db.execute("DELETE FROM batch WHERE lane = ? AND last_seq <= ?", (lane, upto_seq))
        return int(freed)

    def _save_lane(self, lane: Lane) -> None:
        row = self._lanes[lane]
        self._db.execute(
            "UPDATE lane SET next_seq = ?, acked_seq = ? WHERE lane = ?",
            (row.next_seq, row.acked_seq, lane),
        )

    def _report_loss_of_old_store(self, name: str, now_us: int) -> None:
        reason = f"the store was damaged and set aside as {name}"
        self.record([Gap(lane, None, None, None, None, now_us, None, reason) for lane in Lane])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One synced commit; on any error nothing of it holds, in memory neither."""
        before = {lane: _LaneRow(**vars(row)) for lane, row in self._lanes.items()}
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            for lane, row in before.items():
                vars(self._lanes[lane]).update(vars(row))
            raise


def _begin_epoch(db: sqlite3.Connection) -> UUID:
    found = db.execute("SELECT epoch FROM identity").fetchone()
    if found is not None:
        return UUID(bytes=found[0])
    epoch = uuid4()
    with db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO identity (id, epoch) VALUES (1, ?)", (epoch.bytes,))
        db.executemany(
            "INSERT INTO lane (lane, next_seq, acked_seq) VALUES (?, 1, 0)",
            [(lane,) for lane in Lane],
        )
    return epoch


def _read_lane(db: sqlite3.Connection, lane: Lane) -> _LaneRow:
    next_seq, acked_seq = db.execute(
        "SELECT next_seq, acked_seq FROM lane WHERE lane = ?", (lane,)
    ).fetchone()
    held = db.execute(
        "SELECT coalesce(sum(length(body)), 0) FROM batch WHERE lane = ?", (lane,)
    ).fetchone()[0]
    return _LaneRow(next_seq, acked_seq, held)


def _holds_upto(db: sqlite3.Connection, lane: Lane, seq: int) -> bool:
    found = db.execute("SELECT 1 FROM batch WHERE lane = ? AND last_seq <= ? LIMIT 1", (lane, seq))
    return found.fetchone() is not None


def _give_back(db: sqlite3.Connection) -> None:
    """Return pages to the disk after a backlog has drained; a few are kept for the next one."""
    free_pages = db.execute("PRAGMA freelist_count").fetchone()[0]
    if free_pages > _FREE_PAGES_MAX:
        # Each step frees one page, and execute() takes only one.
        db.executescript(f"PRAGMA incremental_vacuum({_PAGES_GIVEN_BACK})")


def _time_of(record: CommandResult | Gap) -> int:
    match record:
        case CommandResult():
            return record.at_us
        case Gap():
            return record.to_us or 0


def _lock(folder: Path) -> int:
    """Hold the folder for this process."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise Unusable(
            f"{folder} is in use by another wuye-edge — stop it, or give this one its own store"
        ) from None
    return handle


def _unusable(folder: Path, error: OSError) -> Unusable:
    if error.errno == errno.ENOSPC:
        return disk_full(folder)
    return Unusable(f"{folder} cannot be used: {error.strerror} — check `store` in the config")
