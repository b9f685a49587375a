"""A short folder that the servers' unprivileged account can reach."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """Not pytest's own: that one is closed to others, and too long for Ray's sockets."""
    folder = Path(tempfile.gettempdir()) / f"wuye-{secrets.token_hex(5)}"
    folder.mkdir(mode=0o711)
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
