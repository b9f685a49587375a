"""Files of the data directory: written whole, private, and never half-done."""

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_private(path: Path, text: str, *, mode: int = 0o600, durable: bool = True) -> None:
    """Atomic, and on the disk when it returns; the mode holds from the first byte on."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any, *, durable: bool = True) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1)
    write_private(path, text + "\n", durable=durable)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def path_digest(path: Path) -> str:
    """A short stable name for a path, for places that cannot hold the path itself."""
    return hashlib.blake2b(str(path.resolve()).encode(), digest_size=6).hexdigest()
