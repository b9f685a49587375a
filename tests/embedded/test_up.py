"""`wuye up` as a person meets it: refusals that say what to do, and an end without orphans."""

import asyncio
import json
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cloud.embedded import processes
from cloud.embedded.ports import free_port, is_taken
from cloud.embedded.postgres import PostgresCluster
from tests.kit.broker import private_broker

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass
class Started:
    child: "subprocess.Popen[bytes]"
    out: Path

    def ended(self) -> tuple[int, str]:
        """Exit code and all that was said."""
        return self.child.wait(30), self.out.read_text()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - another process is asked
            await asyncio.sleep(0.05)


class Up:
    """`wuye up` on a directory of its own, without demo; Ray is said to be elsewhere."""

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(Path.home()),
            "WUYE_DATA_DIR": str(data_dir),
            "WUYE_HTTP_PORT": str(self.port),
            "WUYE_DEMO": "0",
            "WUYE_RAY_ADDRESS": f"127.0.0.1:{free_port()}",
        }

    def start(self, *, interpreter: tuple[str, ...] = (sys.executable, "-m")) -> Started:
        out = self.data_dir.with_name(f"out-{time.monotonic_ns()}")
        with out.open("w") as stream:
            child = subprocess.Popen(
                [*interpreter, "cloud.cli", "up"],
                cwd=CHECKOUT,
                env=self.environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        return Started(child, out)

    def cli(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cloud.cli", *arguments],
            cwd=CHECKOUT,
            env=self.environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )

    def processes(self) -> list[int]:
        """All that the platform has started, by the log files they write."""
        by_log = processes.find_by_open_file(self.data_dir / "logs")
        return sorted({*by_log, *processes.find_by_argument(str(self.data_dir))})


@pytest.fixture
def up(place: Path) -> Up:
    return Up(place / "data")


@pytest.fixture
async def running(up: Up) -> AsyncIterator[Started]:
    started = up.start()
    await until(lambda: is_taken("127.0.0.1", up.port) or started.child.poll() is not None)
    assert started.child.poll() is None, started.ended()
    yield started
    started.child.kill()
    started.child.wait()


class TestUp:
    def test_serves_and_stops_on_ctrl_c_leaving_nothing(self, up: Up, running: Started) -> None:
        code, said = Up(up.data_dir).start().ended()
        status = json.loads(up.cli("status", "--json").stdout)
        secret_modes = {
            stat.S_IMODE((up.data_dir / name).stat().st_mode)
            for name in ("runtime.json", "secrets.json", "status.json", "logs/web.log")
        }
        members = up.processes()
        began = time.monotonic()
        running.child.send_signal(signal.SIGINT)
        running.child.wait(30)
        took_s = time.monotonic() - began

        assert code == 2
        assert f"already running on {up.data_dir} (process {running.child.pid})" in said
        assert "make down" in said
        assert status["pid"] == running.child.pid
        assert status["parts"]["postgres"]["status"] == "ready"
        assert secret_modes == {0o600}
        assert took_s < 8
        assert running.out.read_text().endswith("stopped\n")
        assert len(members) > 3
        assert processes.wait_gone(members, timeout_s=1) == []

    async def test_leaves_no_orphan_when_it_is_killed_and_starts_again(
        self, up: Up, running: Started
    ) -> None:
        members = [pid for pid in up.processes() if pid != running.child.pid]
        running.child.kill()
        running.child.wait()

        assert len(members) > 3
        assert processes.wait_gone(members, timeout_s=8) == []
        assert up.cli("status").returncode == 3

        again = up.start()
        await until(lambda: is_taken("127.0.0.1", up.port))
        stopped = up.cli("down")

        assert stopped.stdout == f"stopped process {again.child.pid}\n"
        assert again.ended()[0] == 0


class TestByUrl:
    async def test_the_database_and_the_broker_are_those_of_the_environment(
        self, up: Up, place: Path
    ) -> None:
        cluster = PostgresCluster(place / "elsewhere", durable=False)
        cluster.prepare()
        cluster.start()
        with private_broker() as broker:
            up.environment["WUYE_DATABASE_URL"] = cluster.owner_url
            up.environment["WUYE_MQTT_URL"] = (
                f"mqtt://platform:{broker.platform_password}@127.0.0.1:{broker.port_platform}"
            )
            started = up.start()
            await until(lambda: is_taken("127.0.0.1", up.port) or started.child.poll() is not None)
            status = json.loads(up.cli("status", "--json").stdout)
            runtime = json.loads((up.data_dir / "runtime.json").read_text())
            up.cli("down")
        cluster.stop()

        assert started.ended()[0] == 0
        assert sorted(status["parts"]) == ["dashboards", "host", "migrate", "web", "worker"]
        assert runtime["database"]["owner_url"] == cluster.owner_url
        assert runtime["mqtt"]["port_gateways"] == broker.port_platform
        assert not (up.data_dir / "postgres").exists()

    def test_a_broker_without_a_user_is_refused(self, up: Up) -> None:
        up.environment["WUYE_MQTT_URL"] = "mqtt://127.0.0.1:1883"

        code, said = up.start().ended()

        assert code == 2
        assert "mqtt://user:password@host:port" in said


class TestARefusedStart:
    def test_names_a_taken_port_and_the_way_out(self, up: Up) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", up.port))
            taken.listen()

            _, said = up.start().ended()

        assert f"port {up.port} of 127.0.0.1 is taken" in said
        assert "WUYE_HTTP_PORT" in said

    def test_names_a_full_disk(self, place: Path) -> None:
        small = place / "small"
        small.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small],
            capture_output=True,
            check=False,
        )
        if mounted.returncode != 0:
            pytest.skip("needs root, to mount a small disk")
        try:
            code, said = Up(small / "data").start().ended()
        finally:
            subprocess.run(["umount", small], check=True)

        assert code == 2
        assert "is full: 8 MB are free" in said

    def test_names_a_data_directory_that_cannot_be_written(self, place: Path) -> None:
        (place / "data").write_text("")

        _, said = Up(place / "data").start().ended()

        assert "cannot be written: File exists" in said
        assert "WUYE_DATA_DIR" in said

    def test_names_a_setting_that_makes_no_sense(self, up: Up) -> None:
        up.environment["WUYE_HTTP_PORT"] = "http"

        refused = up.cli("up")

        assert refused.returncode == 2
        assert refused.stderr.startswith("wuye: WUYE_HTTP_PORT: Input should be a valid integer")

    def test_says_what_a_command_needs_that_runs_on_nothing(self, up: Up) -> None:
        refused = up.cli("db", "upgrade")

        assert refused.returncode == 2
        assert "start the platform with `make up` first" in refused.stderr

    def test_says_that_nothing_runs(self, up: Up) -> None:
        assert up.cli("down").stdout == f"nothing runs on {up.data_dir}\n"
        assert up.cli("sim", "silence", "LT/B1").returncode == 2


async def test_a_start_by_a_script_listens_to_ctrl_c_all_the_same(up: Up) -> None:
    """A shell starts a background job with SIGINT ignored."""
    deaf = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
        "os.execv(sys.executable, [sys.executable, '-m', *sys.argv[1:]])"
    )
    started = up.start(interpreter=(sys.executable, "-c", deaf))
    await until((up.data_dir / "status.json").exists)

    started.child.send_signal(signal.SIGINT)

    assert started.child.wait(10) == 0
