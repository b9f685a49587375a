"""The embedded Ray: its token, its own short folder, and the environment its drivers need."""

import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cloud.embedded import processes
from cloud.embedded.errors import SetupError
from cloud.embedded.files import path_digest, write_private
from cloud.embedded.ports import free_port, is_answering
from cloud.embedded.processes import Command

# sockaddr_un holds 108 bytes, and Ray appends "/session_<44 characters>/sockets/plasma_store".
_FOLDER_MAX = 40
_OBJECT_STORE_BYTES = 100_000_000
_SESSIONS_KEPT = 3


class RayHead:
    """prepare(), then command() under the supervisor. The address stays over restarts."""

    def __init__(self, data_dir: Path) -> None:
        self.token_path = data_dir / "ray.token"
        # Ray opens its folder to everybody; ours around it stays closed.
        self._closed = _short_folder(data_dir / "ray")
        self.temp_dir = self._closed / "t"
        self.address = f"127.0.0.1:{free_port()}"
        self._address_file = data_dir / "ray.address"

    def prepare(self) -> None:
        self.heal()
        if not self.token_path.exists():
            write_private(self.token_path, secrets.token_hex(32))
        self._closed.mkdir(exist_ok=True, mode=0o700)
        if self._closed.stat().st_uid != os.geteuid():
            raise SetupError(f"{self._closed} belongs to somebody else: remove it")
        old = sorted(self.temp_dir.glob("session_2*"))[:-_SESSIONS_KEPT]
        for session in old:
            shutil.rmtree(session, ignore_errors=True)

    def heal(self) -> None:
        """Ends what an earlier head has left. Ray renames its processes, so that only the log
        files they hold open tell whose they are."""
        self._address_file.unlink(missing_ok=True)
        processes.end(processes.find_by_open_file(self.temp_dir))

    def discard(self) -> None:
        """After the end: leaves nothing of ours outside the data directory."""
        if self._closed.parent != self.token_path.parent:
            shutil.rmtree(self._closed, ignore_errors=True)

    def command(self) -> Command:
        return Command(
            argv=(
                *(sys.executable, "-m", "cloud.embedded.ray_head"),
                *("--temp-dir", str(self.temp_dir)),
                *("--address-file", str(self._address_file)),
                *("--port", self.address.rpartition(":")[2]),
                *("--cpus", str(os.cpu_count() or 1)),
                *("--object-store-bytes", str(_OBJECT_STORE_BYTES)),
            ),
            environment=driver_environment(self.token_path),
            # The head ends its own processes when we die.
            parent_death_signal=signal.SIGTERM,
        )

    def is_ready(self) -> bool:
        host, _, port = self.address.rpartition(":")
        return self._address_file.exists() and is_answering(host, int(port))


def driver_environment(token_path: Path) -> Mapping[str, str]:
    """What a process sets before it imports ray, to join this Ray and no other."""
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token_path),
        "RAY_USAGE_STATS_ENABLED": "0",
        # Despite its name: 127.0.0.1 stays itself and is not replaced by the machine's address.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }


def _short_folder(wanted: Path) -> Path:
    if len(str(wanted)) <= _FOLDER_MAX:
        return wanted
    return Path(tempfile.gettempdir()) / f"wuye-ray-{path_digest(wanted)}"
