"""Device commands on their way: sent after COMMIT, waited for outside of any transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from actors.intake import Intake
from cloud.kernel.clock import utc_now
from cloud.modules.devices.events import CommandIssued
from cloud.modules.devices.rules import micros
from protocols.uplink import codec, topics
from protocols.uplink.messages import Command, CommandResult, Outcome

GRACE = timedelta(seconds=1)

Answer = Callable[[UUID, UUID], Awaitable[dict[str, Any]]]


class Commands:
    """Who waits for which command's result."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._waiting: dict[UUID, asyncio.Event] = {}

    async def carry_out(
        self, issued: CommandIssued, *, read: Answer, give_up: Answer
    ) -> dict[str, Any]:
        """Send a recorded command and answer what became of it, at the latest when it expired."""
        result = self._waiting.setdefault(issued.command_id, asyncio.Event())
        try:
            left = issued.expires_at - utc_now()
            await self._send(issued, left)
            async with asyncio.timeout(max(0.0, (left + GRACE).total_seconds())):
                await result.wait()
        except TimeoutError:
            return await give_up(issued.site_id, issued.command_id)
        finally:
            self._waiting.pop(issued.command_id, None)
        return await read(issued.site_id, issued.command_id)

    def arrived(self, result: CommandResult) -> None:
        """The result is committed. That a command was accepted is not the end of it."""
        waiting = self._waiting.get(result.command_id)
        if waiting is not None and result.outcome is not Outcome.ACCEPTED:
            waiting.set()

    async def _send(self, issued: CommandIssued, left: timedelta) -> None:
        command = Command(
            id=issued.command_id,
            op="write" if issued.op == "write" else "read_now",
            point=issued.point_no,
            value=issued.argument,
            issued_us=micros(issued.issued_at),
            expires_us=micros(issued.expires_at),
        )
        await self._intake.publish(
            topics.command(issued.site_id),
            codec.encode(command),
            qos=1,
            expiry_s=max(1, int(left.total_seconds())),
        )
