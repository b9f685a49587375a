"""Typst in a child process: data goes in as JSON, a document comes out."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any, Literal

import structlog

from cloud.kernel.errors import Unavailable

log = structlog.get_logger()

AT_ONCE = 2
WAITING_MAX = 40
TIMEOUT_S = 20.0
DOCUMENT_BYTES_MAX = 32 * 1024 * 1024
SHEET = Path(__file__).with_name("sheet.typ")

_CHILD = Path(__file__).with_name("child.py")
_FACES = Path(__file__).parents[2] / "web" / "node_modules" / "@expo-google-fonts" / "noto-sans-sc"
_slots = asyncio.Semaphore(AT_ONCE)
_waiting: set[asyncio.Task[Any] | None] = set()


class PrintingBusy(Unavailable):
    message = "Many documents are being printed. Try again in a moment."


class PrintingFailed(Unavailable):
    message = "The document could not be made. Nothing was counted as printed; try again."


async def compile_document(
    template: Path,
    data: dict[str, Any],
    *,
    format: Literal["pdf", "png"] = "pdf",  # noqa: A002 - typst's own word
    timeout_s: float = TIMEOUT_S,
) -> bytes:
    """The finished file. Raises PrintingBusy, and PrintingFailed when the child gave up."""
    request = {
        "template": str(template),
        "data": json.dumps(data, ensure_ascii=False),
        "fonts": font_folders(),
        "format": format,
        "ppi": 110,
    }
    waiter = asyncio.current_task()
    if len(_waiting) >= WAITING_MAX:
        raise PrintingBusy
    _waiting.add(waiter)
    try:
        async with _slots:
            return await _run(json.dumps(request).encode(), timeout_s)
    finally:
        _waiting.discard(waiter)


def font_folders() -> list[str]:
    """Noto Sans SC as `make up` installs it; empty means the fonts of the machine."""
    folders = [_FACES / face for face in ("400Regular", "700Bold")]
    return [str(folder) for folder in folders if folder.is_dir()]


async def _run(request: bytes, timeout_s: float) -> bytes:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(_CHILD),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={"RAYON_NUM_THREADS": "1"},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout_s):
            document, said = await child.communicate(request)
    except TimeoutError:
        log.warning("printing.timeout", seconds=timeout_s)
        raise PrintingFailed from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0 or not document or len(document) > DOCUMENT_BYTES_MAX:
        log.warning(
            "printing.failed", code=child.returncode, error=said.decode(errors="replace")[:2000]
        )
        raise PrintingFailed
    return document
