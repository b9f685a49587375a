"""The simulators as a process, read by mbpoll and by hand."""

import asyncio
import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kit.simulators import (
    CHECKOUT,
    Simulators,
    command,
    free_port,
    running_simulators,
    small_community,
)

pytestmark = pytest.mark.processes
needs_mbpoll = pytest.mark.skipif(
    shutil.which("mbpoll") is None, reason="needs mbpoll: apt-get install mbpoll"
)


@pytest.fixture
async def simulators(tmp_path: Path) -> AsyncIterator[Simulators]:
    async with running_simulators(tmp_path, speed=1000) as running:
        yield running


async def mbpoll(port: int, unit_id: int, *options: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *("mbpoll", "-m", "tcp", "-a", str(unit_id), "-p", str(port), "-o", "3", "-1"),
        *(*options, "127.0.0.1"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 10)
    return output.decode()


async def ask(port: int, frame: str, *, within_s: float = 3) -> bytes:
    """Send one frame written in hex; b"" when nothing comes back in time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(bytes.fromhex(frame))
    try:
        return await asyncio.wait_for(reader.read(300), within_s)
    except TimeoutError:
        return b""
    finally:
        writer.transport.abort()


@needs_mbpoll
class TestReadByMbpoll:
    async def test_counters_and_measurements(self, simulators: Simulators) -> None:
        port = simulators.ports["LT/B1"]
        long = await mbpoll(port, 1, "-t", "4:int", "-B", "-r", "1", "-c", "2")
        short = await mbpoll(port, 1, "-t", "4", "-r", "5", "-c", "1")
        energy, power = (int(value) for value in re.findall(r"\]: \t(-?\d+)", long))
        (voltage,) = (int(value) for value in re.findall(r"\]: \t(-?\d+)", short))
        assert 200_00 <= energy < 9000_00 + 100_00
        assert power > 0
        assert 2250 <= voltage <= 2310

    async def test_a_register_that_is_not_there(self, simulators: Simulators) -> None:
        said = await mbpoll(simulators.ports["LT/B1"], 1, "-t", "4", "-r", "6", "-c", "1")
        assert "Illegal data address" in said

    async def test_a_meter_that_is_not_there(self, simulators: Simulators) -> None:
        said = await mbpoll(simulators.ports["LT/P"], 99, "-t", "4", "-r", "1", "-c", "1")
        assert "Target device failed to respond" in said


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ("0001 0000 0006 01 06 0000 0001", "0001 0000 0003 01 86 01"),
        ("0002 0000 0006 01 03 0000 0000", "0002 0000 0003 01 83 03"),
        ("0003 0000 0006 01 03 0000 007e", "0003 0000 0003 01 83 03"),
        ("0004 0000 0006 01 03 0004 0002", "0004 0000 0003 01 83 02"),
        ("0005 0000 0006 01 04 0000 0001", "0005 0000 0003 01 84 02"),
        ("0006 0001 0006 01 03 0000 0001", ""),
        ("0007 0000 00ff 01 03 0000 0001", ""),
    ],
)
async def test_wrong_requests_are_answered_by_the_book(
    simulators: Simulators, frame: str, answer: str
) -> None:
    """Frames by hand from the Modbus TCP guide V1.0b, 3.1.3, and the protocol V1.1b3, 7."""
    assert await ask(simulators.ports["LT/B1"], frame) == bytes.fromhex(answer)


async def test_a_silenced_meter_is_quiet_and_a_silenced_bus_is_gone(
    simulators: Simulators,
) -> None:
    read = "0001 0000 0006 {unit:02x} 03 0000 0001"
    simulators.silence("LT/B1/1", "LT/P")
    await asyncio.sleep(0.8)
    assert await ask(simulators.ports["LT/B1"], read.format(unit=1), within_s=0.5) == b""
    assert len(await ask(simulators.ports["LT/B1"], read.format(unit=2))) == 11
    try:
        answer = await ask(simulators.ports["LT/P"], read.format(unit=1), within_s=0.5)
    except ConnectionError:
        answer = b""
    assert answer == b""

    simulators.silence()
    await asyncio.sleep(0.8)
    assert len(await ask(simulators.ports["LT/B1"], read.format(unit=1))) == 11
    assert len(await ask(simulators.ports["LT/P"], read.format(unit=1))) == 11


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_restart_is_quick_and_goes_on_counting(tmp_path: Path, number: int) -> None:
    read = "0001 0000 0006 01 03 0000 0002"
    async with running_simulators(tmp_path, speed=1000) as first:
        before = await ask(first.ports["LT/B1"], read)
        started = time.monotonic()
        assert await first.stop(number) == 0
        assert time.monotonic() - started < 2
    async with running_simulators(tmp_path, speed=1, ports=first.ports) as second:
        after = await ask(second.ports["LT/B1"], read)
    energy = [int.from_bytes(answer[9:13], "big") for answer in (before, after)]
    assert energy[0] <= energy[1] < energy[0] + 10_000


def _run(state: Path, ports: object) -> subprocess.CompletedProcess[str]:
    listed = state / "ports.json"
    listed.write_text(json.dumps(ports))
    community = small_community(state / "community.yaml")
    return subprocess.run(
        command(community=community, ports=listed, state=state),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = _run(tmp_path, {"LT/B1": free_port(), "LT/P": port})
    assert ended.returncode == 2
    assert f"port {port} for LT/P" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("ports", "says"),
    [
        ({"LT/B1": 25_000}, "no port is given for LT/P"),
        ({"LT/B1": "x"}, "expected"),
        ([], "expected"),
    ],
)
def test_wrong_ports_are_explained(tmp_path: Path, ports: object, says: str) -> None:
    ended = _run(tmp_path, ports)
    assert ended.returncode == 2
    assert says in ended.stderr
