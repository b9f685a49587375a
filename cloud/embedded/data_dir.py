"""The data directory: created private, checked for space, and held by one `wuye up` at a time."""

import contextlib
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from cloud.embedded.accounts import Account, is_reachable
from cloud.embedded.errors import SetupError

_FREE_BYTES_MIN = 400 * 1024 * 1024
_DOWN_TIMEOUT_S = 10.0


def prepare(path: Path, account: Account | None) -> None:
    """The account that runs Postgres may walk through it, and read nothing in it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o711 if account is not None and is_reachable(path, account) else 0o700)
        for name in ("logs", "run"):
            (path / name).mkdir(exist_ok=True, mode=0o700)
        free = shutil.disk_usage(path).free
    except OSError as error:
        raise SetupError(
            f"the data directory {path} cannot be written: {error.strerror}. "
            "Make it yours, or name another in WUYE_DATA_DIR"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise SetupError(
            f"the data directory {path} is not writable: make it yours, "
            "or name another in WUYE_DATA_DIR"
        )
    if free < _FREE_BYTES_MIN:
        raise SetupError(
            f"the disk of {path} is full: {free // 2**20} MB are free, "
            f"{_FREE_BYTES_MIN // 2**20} MB are needed. Free some space, "
            "or name a data directory on another disk in WUYE_DATA_DIR"
        )


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[None]:
    """The kernel drops the lock with its holder, however that ends."""
    with (path / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = _read_holder(path)
            raise SetupError(
                f"the platform is already running on {path} (process {holder}). "
                "Stop it with `make down`, or start another with its own WUYE_DATA_DIR "
                "and WUYE_HTTP_PORT"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
        lock.truncate(0)


def find_holder(path: Path) -> int | None:
    """The process that runs the platform on this directory."""
    try:
        with (path / "up.lock").open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read_holder(path)
    except FileNotFoundError:
        pass
    return None


def end_holder(path: Path) -> int | None:
    """Asks the running platform to stop and waits for it; kills it when it does not.

    Answers its process id, None when nothing runs."""
    holder = find_holder(path)
    if holder is None:
        return None
    os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_TIMEOUT_S
    while find_holder(path) is not None:
        if time.monotonic() > deadline:
            os.kill(holder, signal.SIGKILL)
            break
        time.sleep(0.05)
    return holder


def _read_holder(path: Path) -> int | None:
    text = (path / "up.lock").read_text().strip()
    return int(text) if text.isdigit() else None
