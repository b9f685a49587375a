"""The embedded Ray: closed to strangers, and healed as a whole when one of its processes dies."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cloud.embedded import processes
from cloud.embedded.part import Part, PartStatus
from cloud.embedded.processes import Command
from cloud.embedded.ray import RayHead, driver_environment
from tests.embedded.test_supervisor import Watched, running

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

# Makes a detached actor, calls it, and says so in a file; then stays.
DRIVER = """
import pathlib, sys, time, ray
ray.init(address=sys.argv[1], namespace="wuye", log_to_driver=False, logging_level="ERROR")

@ray.remote(num_cpus=0)
class Echo:
    def say(self, word):
        return word

echo = Echo.options(name="echo", lifetime="detached", get_if_exists=True).remote()
pathlib.Path(sys.argv[2]).write_text(ray.get(echo.say.remote("here"), timeout=30))
time.sleep(600)
"""


def parts(head: RayHead, answer: Path) -> list[Part]:
    driver = Part(
        name="host",
        prepare=lambda: answer.unlink(missing_ok=True),
        command=lambda: Command(
            argv=(sys.executable, "-c", DRIVER, head.address, str(answer)),
            environment=driver_environment(head.token_path),
        ),
        is_ready=answer.exists,
        needs=frozenset({"ray"}),
        falls_with=frozenset({"ray"}),
        stop_stage=1,
    )
    ray = Part(name="ray", prepare=head.prepare, command=head.command, is_ready=head.is_ready)
    return [ray, driver]


def greet(head: RayHead, token: Path) -> str:
    """What a client with that token gets to hear; a driver asks the same first."""
    code = "import sys; from ray._raylet import GcsClient; GcsClient(sys.argv[1]); print('welcome')"
    ended = subprocess.run(
        [sys.executable, "-c", code, head.address],
        env=dict(driver_environment(token)),
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    return ended.stdout + ended.stderr


def pid_named(head: RayHead, program: str) -> int:
    found = [
        pid
        for pid in processes.find_by_open_file(head.temp_dir)
        if Path(f"/proc/{pid}/comm").read_text().strip() == program
    ]
    assert len(found) == 1
    return found[0]


async def kill_and_heal(watched: Watched, head: RayHead, program: str, *, restarts: int) -> float:
    before = processes.find_by_open_file(head.temp_dir)
    began = time.monotonic()
    os.kill(pid_named(head, program), signal.SIGKILL)
    await watched.until("host", PartStatus.READY, restarts=restarts)
    took_s = time.monotonic() - began
    assert processes.wait_gone(before, timeout_s=2) == []
    return took_s


async def test_heals_as_one_group_and_refuses_strangers(place: Path) -> None:
    head = RayHead(place)
    wrong = place / "wrong.token"
    wrong.write_text("0" * 64)
    async with running(place, *parts(head, place / "answer")) as watched:
        await watched.until("host", PartStatus.READY)
        heard = await asyncio.to_thread(greet, head, head.token_path)
        refused = await asyncio.to_thread(greet, head, wrong)

        after_gcs_s = await kill_and_heal(watched, head, "gcs_server", restarts=1)
        after_raylet_s = await kill_and_heal(watched, head, "raylet", restarts=2)

        at_the_end = processes.find_by_open_file(head.temp_dir)

    assert heard.strip() == "welcome"
    assert "InvalidAuthToken" in refused
    assert max(after_gcs_s, after_raylet_s) < 20
    assert len(at_the_end) > 3
    assert processes.wait_gone(at_the_end, timeout_s=2) == []


def test_lets_nobody_else_near_its_token_and_its_sockets(place: Path) -> None:
    head = RayHead(place)

    head.prepare()

    modes = [stat.S_IMODE(path.stat().st_mode) for path in (head.token_path, place / "ray")]
    assert modes == [0o600, 0o700]


def test_leaves_nothing_outside_a_data_directory_whose_path_is_too_long(place: Path) -> None:
    data_dir = place / ("d" * 40)
    data_dir.mkdir()
    head = RayHead(data_dir)
    head.prepare()
    outside = head.temp_dir.parent
    made = outside.is_dir()

    head.discard()

    assert data_dir not in outside.parents
    assert made
    assert not outside.exists()
