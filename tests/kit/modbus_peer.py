"""A Modbus device on libmodbus: compiled once, run for as long as a test needs it."""

import asyncio
import functools
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent / "peers" / "modbus_peer.c"


class PeerMissing(Exception):
    """What is to be installed before this peer can be built."""


@dataclass
class Peer:
    port: int
    process: asyncio.subprocess.Process

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def running_peer(*, port: int = 0) -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        _built(), str(port), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    peer = Peer(int(await asyncio.wait_for(process.stdout.readline(), 5)), process)
    try:
        yield peer
    finally:
        await peer.kill()


@functools.cache
def _built() -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise PeerMissing("a C compiler: apt-get install gcc libmodbus-dev")
    program = Path(tempfile.mkdtemp(prefix="wuye-peer-")) / "modbus_peer"
    built = subprocess.run(
        [compiler, "-O1", "-o", program, SOURCE, "-lmodbus"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if built.returncode:
        raise PeerMissing("libmodbus: apt-get install gcc libmodbus-dev")
    return program


def why_missing() -> str | None:
    """What to install, or None when the peer can be built."""
    try:
        _built()
    except PeerMissing as missing:
        return str(missing)
    return None
