"""Child processes that cannot outlive us: own session, parent-death signal, bounded stop."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cloud.embedded.accounts import Account

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Command:
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to ours."""
    directory: Path | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    parent_death_signal: signal.Signals = signal.SIGKILL


def spawn(command: Command, output: int) -> subprocess.Popen[bytes]:
    """Call from a thread that lives as long as the child may: Linux sends the parent-death signal
    when the *thread* that forked ends."""
    return subprocess.Popen(
        command.argv,
        env={**os.environ, **command.environment},
        cwd=command.directory,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        umask=0o077,
        # Two system calls and no lock: safe after a fork from a process with threads.
        preexec_fn=_die_with_parent(command.parent_death_signal),  # noqa: PLW1509
        user=command.account.uid if command.account else None,
        group=command.account.gid if command.account else None,
        extra_groups=[] if command.account else None,
    )


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def arm() -> None:
        # Runs after the change of user, which would clear the parent-death signal. A shell that
        # starts us in the background leaves SIGINT ignored, and Postgres needs it to stop.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arm


def run_briefly(
    command: Command, *, timeout_s: float, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command.argv,
        env={**os.environ, **command.environment},
        cwd=command.directory,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=timeout_s,
        start_new_session=True,
        preexec_fn=_die_with_parent(signal.SIGKILL),
        user=command.account.uid if command.account else None,
        group=command.account.gid if command.account else None,
        extra_groups=[] if command.account else None,
    )


def stop(child: subprocess.Popen[bytes], number: signal.Signals, *, timeout_s: float) -> int:
    """Asks with `number`, then kills whatever is left of the child's session."""
    if child.poll() is None:
        child.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout_s)
    end_session(child)
    return child.wait(5)


def end_session(child: subprocess.Popen[bytes]) -> None:
    """Kills the child and all that it has started and not put into a session of its own."""
    if child.poll() is None:
        child.kill()
    end(find_by_session(child.pid))


def end(pids: list[int]) -> None:
    """Kills them, and reaps those that have become our children (see adopt_orphans)."""
    send(pids, signal.SIGKILL)
    wait_gone(pids, timeout_s=2)
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def adopt_orphans() -> None:
    """Descendants whose parent dies become our children instead of being lost to init."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


async def exited(child: subprocess.Popen[bytes]) -> int:
    """Waits without polling."""
    if child.poll() is None:
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        descriptor = os.pidfd_open(child.pid)
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
    return child.wait()


def die_with_parent(number: signal.Signals) -> None:
    """For ourselves, not for a child."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def is_alive(pid: int) -> bool:
    """A zombie counts as dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return fields[0] not in "ZX"


def all_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def find_by_directory(directory: Path, program: str) -> list[int]:
    """Living processes called `program` whose current directory is `directory`."""
    found = []
    for pid in all_pids():
        with contextlib.suppress(OSError):
            here = Path(f"/proc/{pid}/cwd").readlink()
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            if name == program and here == directory and is_alive(pid):
                found.append(pid)
    return found


def find_by_argument(text: str) -> list[int]:
    """Living processes, not ourselves, with `text` in their command line."""
    wanted = text.encode()
    found = []
    for pid in all_pids():
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            if wanted in line and pid != os.getpid() and is_alive(pid):
                found.append(pid)
    return found


def send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_gone(pids: list[int], *, timeout_s: float) -> list[int]:
    """Those that are still alive at the end."""
    deadline = time.monotonic() + timeout_s
    left = [pid for pid in pids if is_alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [pid for pid in left if is_alive(pid)]
    return left


def find_by_session(leader: int) -> list[int]:
    """Living members, not ourselves, of the session that `leader` began, dead or alive itself."""
    found = []
    for pid in all_pids():
        with contextlib.suppress(OSError):
            if os.getsid(pid) == leader and pid != os.getpid() and is_alive(pid):
                found.append(pid)
    return found


def find_by_open_file(folder: Path) -> list[int]:
    """Living processes, not ourselves, that hold a file below `folder` open."""
    prefix = f"{folder}/"
    found = []
    for pid in all_pids():
        with contextlib.suppress(OSError):
            opened = (str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir())
            if pid != os.getpid() and any(name.startswith(prefix) for name in opened):
                found.append(pid)
    return found
