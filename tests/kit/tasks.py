"""Ending what a test began."""

from __future__ import annotations

import asyncio
from typing import Any


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel until it is over: Python 3.11's wait_for swallows a cancellation that arrives together
    with its result, and what waits for the task would wait for ever (seen once in a full run)."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
