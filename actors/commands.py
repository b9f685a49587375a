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
SEND_AGAIN_S = 0.25

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
            left = issued.expires_at - utc_now() + GRACE
            async with asyncio.timeout(max(0.0, left.total_seconds())):
                await self._send(issued)
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

    async def _send(self, issued: CommandIssued) -> None:
        """Again while the broker is away; the command itself says when it is too late."""
        command = Command(
            id=issued.command_id,
            op="write" if issued.op == "write" else "read_now",
            point=issued.point_no,
            value=issued.argument,
            issued_us=micros(issued.issued_at),
            expires_us=micros(issued.expires_at),
        )
        topic, payload = topics.command(issued.site_id), codec.encode(command)
        left = issued.expires_at - utc_now()
        expiry_s = max(1, int(left.total_seconds()))
        is_sent = False
        while not is_sent:
            is_sent = await self._intake.publish(topic, payload, qos=1, expiry_s=expiry_s)
            await asyncio.sleep(0 if is_sent else SEND_AGAIN_S)
