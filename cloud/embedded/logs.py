"""Log files of the parts, bounded: one current and one earlier file each."""

import contextlib
import os
import shutil
from pathlib import Path
from typing import BinaryIO

_BYTES_MAX = 16 * 1024 * 1024
_TAIL_BYTES = 8192


def open_log(path: Path) -> BinaryIO:
    """Appending, so that several writers and cut_log() do not overwrite one another."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "ab")


def cut_log(path: Path) -> None:
    """Keeps a copy of a file grown too long and empties it under its writers."""
    if path.exists() and path.stat().st_size > _BYTES_MAX:
        earlier = path.with_suffix(".log.1")
        # On a full disk there is no copy, and emptying the file is what helps.
        with contextlib.suppress(OSError):
            shutil.copyfile(path, earlier)
            earlier.chmod(0o600)
        os.truncate(path, 0)


def log_tail(path: Path, *, lines: int = 12) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = stream.read().decode(errors="replace")
    return "\n".join(text.strip().splitlines()[-lines:])
