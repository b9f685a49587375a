"""Site hosts as processes of their own, and a private Ray for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloud.embedded.ray import RayHead
from cloud.kernel.settings import RayEndpoint

_ROLE = "from cloud.main import run; run('host')"
_SHORT = """
from pathlib import Path
from actors import process_host
from cloud.main import functions, host_runtime
process_host.serve(host_runtime(Path({data_dir!r})), functions(), name={name!r}, lease_s={lease_s})
"""
_RAY_TIMEOUT_S = 60.0


@contextmanager
def host_process(data_dir: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`wuye run host` on the endpoints of `data_dir`; ended when the block ends."""
    child = subprocess.Popen(
        [sys.executable, "-c", _ROLE],
        env={**os.environ, "WUYE_DATA_DIR": str(data_dir), **environment},
    )
    try:
        yield child
    finally:
        _end(child)


@contextmanager
def short_leased_host(
    data_dir: Path, *, name: str, lease_s: float
) -> Iterator[subprocess.Popen[bytes]]:
    """A host process whose leases run out sooner than in earnest."""
    code = _SHORT.format(data_dir=str(data_dir), name=name, lease_s=lease_s)
    child = subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ))
    try:
        yield child
    finally:
        child.send_signal(signal.SIGCONT)
        _end(child)


@contextmanager
def private_ray(data_dir: Path) -> Iterator[RayEndpoint]:
    """A Ray of the test's own."""
    head = RayHead(data_dir)
    head.prepare()
    command = head.command()
    child = subprocess.Popen(command.argv, env={**os.environ, **command.environment})
    try:
        deadline = time.monotonic() + _RAY_TIMEOUT_S
        while not head.is_ready():
            assert time.monotonic() < deadline, "Ray does not start"
            time.sleep(0.1)
        yield RayEndpoint(address=head.address, token_path=head.token_path, temp_dir=head.temp_dir)
    finally:
        _end(child)
        head.heal()


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
