"""The private cluster: durable, closed, and back after any kind of end."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cloud.embedded import processes
from cloud.embedded.postgres import PostgresCluster

pytestmark = pytest.mark.processes


@pytest.fixture
def cluster(place: Path) -> Iterator[PostgresCluster]:
    made = PostgresCluster(place / "postgres")
    made.prepare()
    made.start()
    yield made
    made.stop()


def ask(url: str, statement: str) -> str:
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return str(row[0])


def postmaster(cluster: PostgresCluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().splitlines()[0])


class TestANewCluster:
    @pytest.mark.parametrize("setting", ["fsync", "synchronous_commit", "data_checksums"])
    def test_keeps_what_it_has_committed(self, cluster: PostgresCluster, setting: str) -> None:
        assert ask(cluster.owner_url, f"SHOW {setting}") == "on"

    def test_sorts_by_the_builtin_locale(self, cluster: PostgresCluster) -> None:
        query = (
            "SELECT datlocprovider::text || datlocale FROM pg_database "
            "WHERE datname = current_database()"
        )

        assert ask(cluster.owner_url, query) == "bC.UTF-8"

    def test_has_an_owner_that_row_security_holds(self, cluster: PostgresCluster) -> None:
        query = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"

        assert ask(cluster.owner_url, query) == "False"

    def test_refuses_a_wrong_password(self, cluster: PostgresCluster) -> None:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(cluster.url("owner", "wrong"))

    def test_listens_on_no_network_address(self, cluster: PostgresCluster) -> None:
        assert ask(cluster.owner_url, "SHOW listen_addresses") == ""

    def test_is_closed_to_other_accounts(self, cluster: PostgresCluster) -> None:
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in (cluster.data, cluster.socket, cluster.home / "passwords.json")
        }

        assert modes == {"data": 0o700, "socket": 0o700, "passwords.json": 0o600}


class TestTheNextStart:
    def test_keeps_the_data(self, cluster: PostgresCluster) -> None:
        with psycopg.connect(cluster.owner_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 41 + 1 AS answer")

        cluster.stop()
        cluster.prepare()
        cluster.start()

        assert ask(cluster.owner_url, "SELECT answer FROM kept") == "42"

    def test_recovers_from_a_killed_server(self, cluster: PostgresCluster) -> None:
        with psycopg.connect(cluster.owner_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 41 + 1 AS answer")
        os.kill(postmaster(cluster), signal.SIGKILL)

        cluster.prepare()
        cluster.start()

        assert ask(cluster.owner_url, "SELECT answer FROM kept") == "42"

    def test_recovers_from_a_killed_server_that_nobody_has_waited_for(
        self, cluster: PostgresCluster
    ) -> None:
        # While it is referred to, Python does not wait for it by the way.
        child = vars(cluster)["_child"]
        pids = processes.find_by_directory(cluster.data, "postgres")
        processes.send(pids, signal.SIGKILL)
        assert not processes.wait_gone(pids, timeout_s=5)

        cluster.prepare()
        cluster.start()

        assert ask(cluster.owner_url, "SELECT 42") == "42"
        assert child.returncode == -signal.SIGKILL

    def test_ends_a_server_that_was_left_running(self, cluster: PostgresCluster) -> None:
        left = postmaster(cluster)
        again = PostgresCluster(cluster.home)

        again.prepare()

        assert not processes.is_alive(left)

    def test_is_not_misled_by_the_process_id_of_somebody_else(
        self, cluster: PostgresCluster
    ) -> None:
        cluster.stop()
        (cluster.data / "postmaster.pid").write_text(f"{os.getppid()}\n{cluster.data}\n")

        cluster.prepare()
        cluster.start()

        assert ask(cluster.owner_url, "SELECT 42") == "42"

    def test_makes_a_cluster_whole_whose_making_was_cut_off(self, place: Path) -> None:
        cut_off = place / "postgres" / "data.new"
        cut_off.mkdir(parents=True)
        (cut_off / "PG_VERSION").write_text("18")
        cluster = PostgresCluster(place / "postgres", durable=False)

        cluster.prepare()
        cluster.start()

        try:
            assert ask(cluster.owner_url, "SELECT 42") == "42"
        finally:
            cluster.stop()

    def test_serves_127_0_0_1_where_the_path_is_too_long_for_a_socket(self, place: Path) -> None:
        cluster = PostgresCluster(place / ("d" * 90) / "postgres", durable=False)
        (place / ("d" * 90)).mkdir(mode=0o711)

        cluster.prepare()
        cluster.start()

        try:
            assert ask(cluster.owner_url, "SELECT host(inet_server_addr())") == "127.0.0.1"
        finally:
            cluster.stop()
