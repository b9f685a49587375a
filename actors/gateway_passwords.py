"""The passwords that gateways enter the broker with: `<data dir>/gateways.json`.

`{site id: password}`, readable by its owner only. The broker reads it too, and takes in what is
added or changed while it runs.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from cloud.kernel.settings import BrokerEndpoint
from cloud.modules.devices.rules import Credentials
from protocols.uplink import topics

FILE = "gateways.json"


class GatewayPasswords:
    """Passwords of a data directory. Two processes may change them at once."""

    def __init__(self, data_dir: Path, broker: BrokerEndpoint) -> None:
        self._path = data_dir / FILE
        self._broker = broker

    def issue(self, site_id: UUID) -> Credentials:
        """A fresh password for a site's gateway; the one before it is void."""
        with self._locked() as passwords:
            password = passwords[str(site_id)] = secrets.token_urlsafe(24)
        return Credentials(
            host=self._broker.host,
            port=self._broker.port_gateways,
            user=topics.user(site_id),
            password=password,
        )

    def of(self, site_id: UUID) -> str:
        """The password of a site's gateway; one that has none yet gets one."""
        with self._locked() as passwords:
            return passwords.setdefault(str(site_id), secrets.token_urlsafe(24))

    @contextmanager
    def _locked(self) -> Iterator[dict[str, str]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name(FILE + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            passwords = self._read()
            before = dict(passwords)
            yield passwords
            if passwords != before:
                write_private(self._path, json.dumps(passwords, indent=1))

    def _read(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._path.read_text())
        except FileNotFoundError:
            return {}
        return found


def write_private(path: Path, content: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    # The mode must hold from the first byte.
    descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    fresh.replace(path)
