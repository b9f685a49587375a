"""Who the servers run as: an unprivileged account for root, the caller for everybody else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from cloud.embedded.accounts import SYSTEM_HOME, Account, is_reachable, service_account
from cloud.embedded.postgres import PostgresCluster, cluster_home
from tests.kit.broker import private_broker

pytestmark = pytest.mark.processes

CHECKOUT = Path(__file__).resolve().parents[2]
# What somebody without any privilege runs: a cluster and a broker of their own.
SERVE = """
import sys
from pathlib import Path
import psycopg
from cloud.embedded.broker import Broker
from cloud.embedded.postgres import PostgresCluster
place = Path(sys.argv[1])
cluster = PostgresCluster(place / "postgres", durable=False)
cluster.prepare()
cluster.start()
broker = Broker(place / "broker", tools=Path(sys.argv[2]))
broker.prepare()
broker.write_users({})
broker.start()
with psycopg.connect(cluster.owner_url) as connection:
    row = connection.execute("SELECT current_database()").fetchone()
broker.stop()
cluster.stop()
print(row[0], (place / "postgres" / "data").stat().st_uid)
"""


@pytest.fixture
def account() -> Account:
    found = service_account()
    if found is None:
        pytest.skip("needs root, to become somebody else")
    return found


def interpreter(account: Account) -> tuple[str, dict[str, str]]:
    """A Python with our packages that the account can reach: root's own often lies in /root."""
    packages = [path for path in sys.path if path.endswith("site-packages")]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join([str(CHECKOUT), *packages])}
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            tried = subprocess.run(
                [python, "-c", "import psycopg"],
                user=account.uid,
                group=account.gid,
                env=environment,
                capture_output=True,
                check=False,
            )
        except OSError:
            continue
        if tried.returncode == 0:
            return python, environment
    pytest.skip("no Python that the unprivileged account can reach")


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def test_servers_of_root_run_without_privilege(account: Account, place: Path) -> None:
    cluster = PostgresCluster(place / "postgres", durable=False)
    cluster.prepare()
    cluster.start()
    postmaster = int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
    postgres_owner = owner_of(postmaster)
    cluster.stop()
    with private_broker() as broker:
        broker_owner = owner_of(broker.pid)

    assert account.uid != 0
    assert (postgres_owner, broker_owner) == (account.uid, account.uid)


def test_somebody_without_privilege_runs_them_too(account: Account, place: Path) -> None:
    python, environment = interpreter(account)
    own = place / "own"
    own.mkdir(mode=0o700)
    os.chown(own, account.uid, account.gid)

    ended = subprocess.run(
        [python, "-c", SERVE, str(own), str(CHECKOUT / ".tools")],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=90,
    )

    assert ended.stderr == ""
    assert ended.stdout == f"wuye {account.uid}\n"


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_closed_folder_sends_the_cluster_where_its_account_can_reach_it(
    account: Account, place: Path, umask: int
) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    found = os.umask(umask)
    home = cluster_home(closed, closed / "data")
    cluster = PostgresCluster(home, durable=False)
    try:
        cluster.prepare()
        cluster.start()
        with psycopg.connect(cluster.owner_url) as connection:
            row = connection.execute("SELECT current_user").fetchone()
    finally:
        os.umask(found)
        cluster.stop()
        shutil.rmtree(home.parent, ignore_errors=True)

    assert not is_reachable(closed / "data", account)
    assert SYSTEM_HOME in home.parents
    assert row == ("owner",)
