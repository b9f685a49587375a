"""A private Postgres for the tests, one for all workers of a run, gone when the last one ends."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psycopg

from cloud.embedded.postgres import OWNER, PostgresCluster

_LAST_WORKER_TIMEOUT_S = 900


@contextlib.contextmanager
def test_cluster() -> Iterator[str]:
    """The owner URL (database "wuye") of a running server; the owner may create databases and
    roles. WUYE_TEST_DATABASE_URL replaces it."""
    given = os.environ.get("WUYE_TEST_DATABASE_URL")
    if given:
        yield given
        return
    home = _run_folder()
    home.mkdir(mode=0o711, exist_ok=True)
    home.chmod(0o711)
    with (home / "start.lock").open("w") as starting, (home / "users.lock").open("w") as using:
        fcntl.flock(starting, fcntl.LOCK_EX)
        # Held by each worker; the kernel lets go of it for one that crashes.
        fcntl.flock(using, fcntl.LOCK_SH)
        cluster = PostgresCluster(home / "postgres", durable=False)
        url = home / "url"
        is_starter = not url.exists()
        if is_starter:
            cluster.prepare()
            cluster.start()
            _let_owner_end_sessions(cluster)
            url.write_text(cluster.owner_url)
        fcntl.flock(starting, fcntl.LOCK_UN)
        try:
            yield url.read_text()
        finally:
            if is_starter:
                _wait_for_the_others(using)
                cluster.stop()
                shutil.rmtree(home, ignore_errors=True)


def _let_owner_end_sessions(cluster: PostgresCluster) -> None:
    """A forced drop of a test's database ends sessions of every role, also of one that is just
    going and belongs to nobody any more: membership of the app's roles was not always enough."""
    with psycopg.connect(cluster.superuser_url, autocommit=True) as connection:
        connection.execute(f"GRANT pg_signal_backend TO {OWNER}")


test_cluster.__test__ = False  # type: ignore[attr-defined]


def worker_name() -> str:
    """Names what one worker has for itself, such as its database: gw0, gw1, … or main."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def _run_folder() -> Path:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}-{time.monotonic_ns()}")
    # Not below pytest's own temporary folder: that one is closed to the server's account.
    return Path(tempfile.gettempdir()) / f"wuye-test-{run[:24]}"


def _wait_for_the_others(using: IO[str]) -> None:
    deadline = time.monotonic() + _LAST_WORKER_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            fcntl.flock(using, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return
