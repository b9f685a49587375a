"""Work on what strangers send, in a child process: it may abort or eat memory without harm.

The child is a plain script that sets its own limits, imports nothing of ours, inherits no
environment, reads a request from stdin and answers on stdout.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import structlog

log = structlog.get_logger()

ANSWER_BYTES_MAX = 128 * 1024 * 1024


class ChildFailed(Exception):
    """It ran too long, died, or said that it cannot."""


async def run_child(script: Path, *arguments: str, request: bytes, timeout_s: float) -> bytes:
    """Raises ChildFailed; the child is gone then."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(script),
        *arguments,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={"RAYON_NUM_THREADS": "1"},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout_s):
            answer, said = await child.communicate(request)
    except TimeoutError:
        log.warning("child.timeout", script=script.name, seconds=timeout_s)
        raise ChildFailed from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0 or not answer or len(answer) > ANSWER_BYTES_MAX:
        text = said.decode(errors="replace")[-2000:]
        log.warning("child.failed", script=script.name, code=child.returncode, error=text)
        raise ChildFailed
    return answer
