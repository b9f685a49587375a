"""Orders from the platform: each carried out at most once, and each answered.

A command is remembered before its device is touched, so that a second copy of it, or a restart in
between, never has a second effect. What became of it is kept for a week and is told again,
unchanged, to whoever sends the command again.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from uuid import UUID

from edge_agent import clock
from edge_agent.outbox import Outbox
from edge_agent.store import LaneFull
from edge_agent.supervisor import BusBusy, BusSupervisor, Order, OrderExpired
from protocols.errors import DriverError, FrameError, LinkLost, ReadTimeout
from protocols.points import Quality
from protocols.uplink.messages import Command, CommandResult, Outcome

log = logging.getLogger("edge.commands")

RUNNING_MAX = 64
_LEFT = (ReadTimeout, LinkLost, FrameError)
"""After these the request may have reached the device."""


class CommandDesk:
    def __init__(self, buses: Sequence[BusSupervisor], outbox: Outbox) -> None:
        self._buses = buses
        self._outbox = outbox
        self._running: set[UUID] = set()
        self._incoming: asyncio.Queue[Command] = asyncio.Queue(maxsize=RUNNING_MAX)

    def take(self, command: Command) -> None:
        """Never waits. What there is no room for is dropped; it expires on the platform."""
        try:
            self._incoming.put_nowait(command)
        except asyncio.QueueFull:
            log.warning("dropped command=%s reason=too many", command.id)

    async def run(self) -> None:
        await self._conclude_interrupted()
        async with asyncio.TaskGroup() as group:
            while True:
                command = await self._incoming.get()
                try:
                    order = await self._admit(command)
                except (LaneFull, sqlite3.Error) as error:
                    # Not remembered, so not touched: the platform's copy may come again.
                    log.warning("not accepted command=%s error=%s", command.id, error)
                    continue
                if order is not None:
                    self._running.add(command.id)
                    group.create_task(self._carry_out(command, order))

    async def _conclude_interrupted(self) -> None:
        for command_id in await self._outbox.unconcluded():
            await self._conclude(
                _result(command_id, Outcome.UNKNOWN, "the gateway restarted before the answer")
            )

    async def _admit(self, command: Command) -> Order | None:
        """An order that is remembered and waits for its bus, or None when it is answered."""
        if command.id in self._running:
            return None
        stored = await self._outbox.outcome_of(command.id)
        if stored is not None:
            if stored.result is not None:
                await self._outbox.repeat(stored.result)
            return None
        bus = next((bus for bus in self._buses if bus.has(command.point)), None)
        if clock.now_us() > command.expires_us:
            refusal = _result(command.id, Outcome.EXPIRED, "it came too late")
        elif bus is None:
            refusal = _result(
                command.id, Outcome.REJECTED, f"point {command.point} is not one of this gateway"
            )
        elif command.op == "write" and command.value is None:
            refusal = _result(command.id, Outcome.REJECTED, "there is no value to write")
        else:
            value = command.value if command.op == "write" else None
            order = Order(command.point, value, command.expires_us)
            await self._outbox.accept(command.id)
            try:
                bus.order(order)
            except BusBusy as busy:
                refusal = _result(command.id, Outcome.REJECTED, str(busy))
            else:
                return order
        await self._conclude(refusal)
        return None

    async def _carry_out(self, command: Command, order: Order) -> None:
        try:
            block = await order.answer
        except OrderExpired:
            result = _result(command.id, Outcome.EXPIRED, "its turn came too late")
        except DriverError as error:
            unsure = command.op == "write" and isinstance(error, _LEFT)
            outcome = Outcome.UNKNOWN if unsure else Outcome.FAILED
            result = _result(command.id, outcome, f"{type(error).__name__}: {error}")
        else:
            result = _done(command, block.values[0], block.qualities[0], block.times_us[0])
        await self._conclude(result)
        self._running.discard(command.id)

    async def _conclude(self, result: CommandResult) -> None:
        """An outcome that cannot be kept stays open; the next start concludes it as unknown."""
        try:
            await self._outbox.conclude(result)
        except (LaneFull, sqlite3.Error) as error:
            log.warning("not kept command=%s error=%s", result.command_id, error)
        else:
            log.info("command=%s outcome=%s", result.command_id, result.outcome)


def _result(command_id: UUID, outcome: Outcome, detail: str) -> CommandResult:
    return CommandResult(command_id, outcome, None, Quality.BAD, clock.now_us(), detail[:500])


def _done(command: Command, value: float, quality: int, at_us: int) -> CommandResult:
    if quality != Quality.BAD:
        return CommandResult(command.id, Outcome.DONE, value, Quality(quality), at_us, "")
    if command.op == "write":
        return CommandResult(
            command.id, Outcome.DONE, None, Quality.BAD, at_us, "confirmed, but not read back"
        )
    return CommandResult(
        command.id, Outcome.FAILED, None, Quality.BAD, at_us, "the device has no such register"
    )
