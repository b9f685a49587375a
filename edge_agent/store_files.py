"""The outbox's file: opened, checked, and set aside when it is damaged."""

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from edge_agent import clock

FILE = "outbox.db"
CONDEMNED = "condemned"
VERSION = 1
_FREE_MIN_BYTES = 8 * 1024 * 1024
_SET_ASIDE_MAX = 3
_PAGE_BYTES = 4096
_OVERHEAD_PAGES = 4096

SCHEMA = """
CREATE TABLE identity (id INTEGER PRIMARY KEY CHECK (id = 1), epoch BLOB NOT NULL);
CREATE TABLE lane (
    lane TEXT PRIMARY KEY, next_seq INTEGER NOT NULL, acked_seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE batch (
    lane TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    from_us INTEGER NOT NULL, to_us INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE UNIQUE INDEX batch_seq ON batch (lane, first_seq);
CREATE INDEX batch_last ON batch (lane, last_seq);
CREATE TABLE dead (
    id INTEGER PRIMARY KEY, lane TEXT NOT NULL, first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL, at_us INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE command (
    id BLOB PRIMARY KEY, at_us INTEGER NOT NULL, outcome TEXT NOT NULL, value REAL,
    quality INTEGER NOT NULL, detail TEXT NOT NULL
) WITHOUT ROWID;
"""


class Unusable(Exception):
    """The store cannot be used here; the text says what to do."""


class Opened(NamedTuple):
    """`set_aside` is the name that a damaged store was given, if there was one."""

    db: sqlite3.Connection
    set_aside: str | None


def open_database(folder: Path, *, limits_bytes: int) -> Opened:
    """Open or create. A damaged store never keeps the agent from starting."""
    path = folder / FILE
    free = free_bytes(folder)
    if free < _FREE_MIN_BYTES:
        raise disk_full(folder)
    name = None
    if (folder / CONDEMNED).exists():
        name = _set_aside(folder)
        (folder / CONDEMNED).unlink()
    try:
        return Opened(_open(path, limits_bytes), name)
    except sqlite3.DatabaseError as error:
        if _is_full(error):
            raise disk_full(folder) from error
        if isinstance(error, sqlite3.OperationalError) and not path.exists():
            raise Unusable(f"{path} cannot be created: {error}") from error
    name = _set_aside(folder)
    return Opened(_open(path, limits_bytes), name)


def condemn(folder: Path, reason: str) -> None:
    """Have the store set aside at the next start."""
    (folder / CONDEMNED).write_text(reason, encoding="utf-8")


def free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _open(path: Path, limits_bytes: int) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
    try:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA max_page_count = {limits_bytes // _PAGE_BYTES * 2 + _OVERHEAD_PAGES}")
        db.execute("PRAGMA journal_size_limit = 8388608")
        _check_version(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise Unusable(
            f"{path} was written by a newer wuye-edge (store version {version}) — "
            "run that one until everything is delivered, or give this one its own store"
        )
    if version == 0:
        db.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
    elif db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("the file is damaged")


def _set_aside(folder: Path) -> str:
    """Rename, so that somebody can look at it; keep the latest few."""
    stamp = datetime.fromtimestamp(clock.now_us() / 1e6, UTC).strftime("%Y%m%dT%H%M%S%f")
    for suffix in ("", "-wal", "-shm"):
        found = folder / f"{FILE}{suffix}"
        if found.exists():
            found.rename(folder / f"damaged-{stamp}.db{suffix}")
    kept = sorted(folder.glob("damaged-*.db"))
    for old in kept[:-_SET_ASIDE_MAX]:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{old}{suffix}").unlink(missing_ok=True)
    return f"damaged-{stamp}.db"


def _is_full(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", None) in (
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
    )


def disk_full(folder: Path) -> Unusable:
    free = free_bytes(folder)
    return Unusable(
        f"disk full: {free // 1024} KiB are free below {folder}, "
        f"{_FREE_MIN_BYTES // 1024 // 1024} MiB are needed to keep readings — "
        "free some space, or move `store` in the config to another disk"
    )
