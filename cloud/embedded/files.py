"""Files of the data directory: written whole, private, and never half-done."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def write_private(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Atomic and durable; the mode holds from the first byte on."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any, *, mode: int = 0o600) -> None:
    write_private(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n", mode=mode)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
