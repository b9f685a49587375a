"""The embedded MQTT broker: mosquitto with one user and one topic pattern per gateway.

The configuration, the ACL and the password file lie in the broker's home, readable by its account
only. The ACL never changes: a gateway's user name is its topic prefix, `{shard}/{site}`.
"""

import base64
import contextlib
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from cloud.embedded import processes
from cloud.embedded.accounts import (
    SYSTEM_HOME,
    Account,
    is_reachable,
    make_enterable,
    own,
    service_account,
)
from cloud.embedded.debian import unpack_package
from cloud.embedded.errors import SetupError
from cloud.embedded.files import write_private
from cloud.embedded.ports import free_port, is_answering
from cloud.embedded.processes import Command

PLATFORM_USER = "platform"
_HASH_ROUNDS = 101
_READY_TIMEOUT_S = 15.0
_STOP_TIMEOUT_S = 3.0

_CONFIGURATION = """\
# Written at each start by cloud/embedded/broker.py; changes here are lost.
per_listener_settings false
allow_anonymous false
password_file {passwords}
acl_file {acl}
persistence false
set_tcp_nodelay true
max_inflight_messages 500
max_queued_messages 100000
max_queued_bytes 67108864
max_packet_size 1048576
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages false

# Gateways. The client id is the user name, or one gateway could evict another by its id.
listener {port_gateways} 127.0.0.1
use_username_as_clientid true

# Site hosts and web processes.
listener {port_platform} 127.0.0.1
"""
_RIGHTS = f"""\
user {PLATFORM_USER}
topic readwrite v1/#
topic readwrite ui/#

pattern write v1/%u/up/#
pattern write v1/%u/state
pattern write v1/%u/live
pattern read v1/%u/ack
pattern read v1/%u/dn/#
"""


class Broker:
    """prepare() and write_users(), then start()/stop() here or command() under the supervisor."""

    def __init__(self, home: Path, *, tools: Path) -> None:
        """`tools` is where mosquitto is unpacked to when the machine has none."""
        self.home = home
        self.platform_password = secrets.token_urlsafe(24)
        self.port_gateways = free_port()
        self.port_platform = free_port()
        self.log = home / "mosquitto.log"
        self._tools = tools
        self._account = service_account()
        self._program = Path()
        self._libraries = ""
        self._child: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        self._program, self._libraries = installed_broker(self._tools, self._account)
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700 if self._account is None else 0o711)
        self._write("acl", _RIGHTS)
        self._write(
            "mosquitto.conf",
            _CONFIGURATION.format(
                passwords=self.home / "passwords",
                acl=self.home / "acl",
                port_gateways=self.port_gateways,
                port_platform=self.port_platform,
            ),
        )
        self.heal()

    def heal(self) -> None:
        """Ends a broker that an earlier start has left."""
        processes.end(processes.find_by_argument(str(self.home / "mosquitto.conf")))

    def write_users(self, passwords_by_user: Mapping[str, str]) -> None:
        """Replaces the gateways' users ("{shard}/{site}"); reload() makes it hold."""
        users = {PLATFORM_USER: self.platform_password, **passwords_by_user}
        for user in users:
            if any(mark in user for mark in ":+#\n"):
                raise ValueError(f"a broker user name may not hold ':', '+' or '#': {user!r}")
        lines = [f"{user}:{_password_hash(password)}\n" for user, password in users.items()]
        self._write("passwords", "".join(lines))

    def command(self) -> Command:
        return Command(
            argv=(str(self._program), "-c", str(self.home / "mosquitto.conf")),
            environment={"LD_LIBRARY_PATH": self._libraries} if self._libraries else {},
            directory=Path("/"),
            account=self._account,
        )

    def start(self) -> None:
        self.log.touch(mode=0o600)
        with self.log.open("ab") as output:
            self._child = processes.spawn(self.command(), output.fileno())
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not self.is_ready():
            if self._child.poll() is not None or time.monotonic() > deadline:
                raise SetupError(f"mosquitto did not start; its log says:\n{self.log.read_text()}")
            time.sleep(0.02)

    def reload(self, pid: int | None = None) -> None:
        """Makes the running broker (`pid`, or the one that start() began) read its users again."""
        if pid is None and self._child is not None:
            pid = self._child.pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGHUP)

    @property
    def pid(self) -> int:
        """Of the broker that start() began."""
        assert self._child is not None
        return self._child.pid

    def stop(self) -> None:
        if self._child is not None:
            processes.stop(self._child, signal.SIGTERM, timeout_s=_STOP_TIMEOUT_S)
            self._child = None

    def is_ready(self) -> bool:
        ports = (self.port_gateways, self.port_platform)
        return all(is_answering("127.0.0.1", port) for port in ports)

    def _write(self, name: str, text: str) -> None:
        path = self.home / name
        write_private(path, text)
        own(path, self._account)


def installed_broker(tools: Path, account: Account | None) -> tuple[Path, str]:
    """(program, LD_LIBRARY_PATH or ""): the machine's mosquitto, else ours, unpacked at need."""
    for place in (os.environ.get("PATH", ""), "/usr/sbin:/usr/local/sbin"):
        found = shutil.which("mosquitto", path=place)
        if found is not None and is_reachable(Path(found), account):
            return Path(found), ""
    folder = tools / "mosquitto"
    if not is_reachable(folder / "usr", account):
        folder = SYSTEM_HOME / "mosquitto"
        make_enterable(SYSTEM_HOME)
    program = folder / "usr/sbin/mosquitto"
    if not program.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            unpack_package("mosquitto", folder)
        except SetupError as error:
            raise SetupError(
                "there is no MQTT broker: install it with `apt-get install mosquitto` as root, or "
                f"name one in WUYE_MQTT_URL. Fetching it failed: {error}"
            ) from error
    libraries = [str(path) for path in sorted((folder / "usr/lib").glob("*-linux-gnu*"))]
    return program, ":".join(libraries)


def broker_home(postgres_home: Path) -> Path:
    """Beside the cluster: where the unprivileged account can reach it."""
    return postgres_home.with_name(postgres_home.name.replace("postgres", "broker"))


def _password_hash(password: str) -> str:
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _HASH_ROUNDS, 64)
    encoded = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${_HASH_ROUNDS}$" + "$".join(encoded)
