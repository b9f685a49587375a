"""Typst in a child process: data goes in as JSON, a document comes out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Literal

from cloud.kernel.children import ChildFailed, run_child
from cloud.kernel.errors import Unavailable

AT_ONCE = 2
WAITING_MAX = 40
TIMEOUT_S = 20.0
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
            return await run_child(
                _CHILD, request=json.dumps(request).encode(), timeout_s=timeout_s
            )
    except ChildFailed:
        raise PrintingFailed from None
    finally:
        _waiting.discard(waiter)


def font_folders() -> list[str]:
    """Noto Sans SC as `make up` installs it; empty means the fonts of the machine."""
    folders = [_FACES / face for face in ("400Regular", "700Bold")]
    return [str(folder) for folder in folders if folder.is_dir()]
