"""Lets the gateways of `gateways.json` into the broker, and those that are enrolled later."""

from collections.abc import Callable, Mapping
from pathlib import Path

from cloud.embedded.broker import Broker
from cloud.embedded.files import read_json


class GatewayUsers:
    def __init__(self, broker: Broker, file: Path, *, user_of: Callable[[str], str]) -> None:
        """`file` holds {"<site uuid>": "password"}; `user_of` answers a site's user name."""
        self._broker = broker
        self._file = file
        self._user_of = user_of
        self._seen: tuple[int, int] | None = None

    def write(self) -> None:
        stamp = self._stamp()
        passwords: Mapping[str, str] = {} if stamp is None else read_json(self._file)
        self._broker.write_users(
            {self._user_of(site): password for site, password in passwords.items()}
        )
        self._seen = stamp

    def refresh(self, pid: int) -> None:
        """Tells the running broker when the file has changed."""
        if self._stamp() != self._seen:
            self.write()
            self._broker.reload(pid)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_size
