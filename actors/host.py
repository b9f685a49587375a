"""A host: thousands of sites on one event loop, one turn queue, one broker connection, one pool.

Plain asyncio; the shells in process_host.py and ray_actor.py give it a process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from psycopg import Error as DatabaseError
from sqlalchemy.exc import DBAPIError

from actors.commands import Commands
from actors.directory import Directory, UnknownSite
from actors.functions import Functions
from actors.groups import Groups, busy
from actors.intake import Intake
from actors.placement import Leases
from actors.site import Uplink
from actors.turns import Priority, Turn, TurnQueue
from cloud.kernel.clock import utc_now
from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.runtime import Runtime
from cloud.kernel.sites import Ask
from protocols.uplink import codec, topics
from protocols.uplink.messages import Lane, Nack

log = structlog.get_logger()

GROUP_TURNS_MAX = 64
GROUP_BYTES_MAX = 4 * 1024 * 1024
GROUPS_AT_ONCE = 2
COMMANDS_AT_ONCE = 4
INGEST_FOR_S = 20.0
IDLE_AFTER_S = 15 * 60.0
SWEEP_EVERY_S = 1.0
STOP_WITHIN_S = 5.0
PACE_BYTES_PER_S = 256 * 1024


class NotMine(Exception):
    """The site's shard is leased by another host."""


class Overloaded(Exception):
    """The queue is full, or the turn waited too long: nothing was done."""


@dataclass(frozen=True)
class _Asked:
    ask: Ask
    answer: asyncio.Future[tuple[dict[str, Any], Sequence[Any]]]


class Host:
    """Runs sites while `run` runs. `before_ack` is called between COMMIT and acknowledgment."""

    def __init__(
        self,
        runtime: Runtime,
        functions: Functions,
        leases: Leases,
        *,
        before_ack: Callable[[], None] = lambda: None,
    ) -> None:
        self._functions = functions
        self._leases = leases
        self._queue = TurnQueue()
        self._directory = Directory(runtime.sessions)
        self._intake = Intake(runtime.endpoints.mqtt, leases.host.name, self._receive)
        self._commands = Commands(self._intake)
        self._groups = Groups(
            runtime,
            leases=leases,
            directory=self._directory,
            intake=self._intake,
            commands=self._commands,
            before_ack=before_ack,
        )
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._groups_running = 0
        self._commands_running = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        leases.on_change = self._leases_changed

    async def run(self) -> None:
        """Until cancelled; then what runs may finish, and nothing new is taken."""
        self._loop = asyncio.get_running_loop()
        self._intake.want(self._leases.held)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._intake.run())
            group.create_task(self._sweep())
            try:
                await self._dispatch()
            finally:
                if self._running:
                    await asyncio.wait(self._running, timeout=STOP_WITHIN_S)

    async def ask(self, ask: Ask) -> dict[str, Any]:
        """A function as a turn of its site. Raises AppError, NotMine, Overloaded, LeaseLost.

        A device command that it issued is sent once the turn is committed and waited for outside
        of any transaction, while the site takes other turns.
        """
        answer, issued = await self._turn(ask)
        for command in issued:
            answer = await self._commands.carry_out(
                command, read=self._read_command, give_up=self._give_up
            )
        return answer

    def health(self) -> dict[str, Any]:
        return {
            "shards": len(self._leases.held),
            "sites": len(self._directory),
            "waiting": len(self._queue),
            "bytes": self._queue.bytes,
            "listening": self._intake.is_listening,
            "batches": self._groups.batches,
            "rows": self._groups.rows,
        }

    async def _turn(self, ask: Ask) -> tuple[dict[str, Any], Sequence[Any]]:
        loop = asyncio.get_running_loop()
        asked = _Asked(ask, loop.create_future())
        turn = Turn(
            site_id=ask.site_id,
            shard=topics.shard_of(ask.site_id),
            priority=Priority.command,
            work=asked,
            deadline=loop.time() + ask.timeout_s,
        )
        if turn.shard not in self._leases.held:
            raise NotMine
        if not self._queue.offer(turn):
            raise Overloaded
        self._wake.set()
        return await asked.answer

    def _receive(self, address: topics.Address, payload: bytes) -> None:
        """A message from the broker: refused at once, shown, or queued as a turn."""
        if address.shard not in self._leases.held:
            return
        try:
            if address.leaf == "live":
                self._receive_live(address.site, payload)
            elif address.leaf == "state":
                self._offer(address, codec.decode_birth(payload), len(payload))
            elif address.leaf.startswith("up/"):
                lane = Lane(address.leaf.removeprefix("up/"))
                self._receive_batch(address, lane, payload)
        except codec.WireError as error:
            log.warning("host.undecodable", site=str(address.site), error=str(error))

    def _receive_live(self, site_id: UUID, payload: bytes) -> None:
        site = self._directory.find(site_id)
        if site is not None:
            news = site.show(codec.decode_live(payload), at=utc_now())
            self._spawn(self._groups.publish(site_id, news))

    def _receive_batch(self, address: topics.Address, lane: Lane, payload: bytes) -> None:
        try:
            message = codec.decode_batch(lane, payload)
        except codec.WireError as error:
            log.warning("host.batch.undecodable", site=str(address.site), error=str(error))
            envelope = codec.peek(payload)
            if envelope is not None:
                nack = Nack(envelope.epoch, lane, "undecodable", expect=envelope.first_seq)
                self._spawn(self._groups.reply(address.site, nack))
            return
        if not self._offer(address, message, len(payload)):
            self._spawn(self._groups.reply(address.site, busy(message.epoch, lane)))

    def _offer(self, address: topics.Address, message: Uplink, size: int) -> bool:
        turn = Turn(
            site_id=address.site,
            shard=address.shard,
            priority=Priority.ingest,
            work=message,
            deadline=asyncio.get_running_loop().time() + INGEST_FOR_S,
            size=size,
        )
        self._wake.set()
        return self._queue.offer(turn)

    async def _dispatch(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._commands_running < COMMANDS_AT_ONCE:
                turn = self._queue.take_command()
                if turn is None:
                    break
                self._commands_running += 1
                self._spawn(self._run_command(turn))
            while self._groups_running < GROUPS_AT_ONCE:
                turns = self._queue.take_group(turns_max=GROUP_TURNS_MAX, bytes_max=GROUP_BYTES_MAX)
                if not turns:
                    break
                self._groups_running += 1
                self._spawn(self._run_group(turns))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run_command(self, turn: Turn) -> None:
        asked: _Asked = turn.work
        try:
            site = await self._directory.activate(turn.site_id, at=self._now())
            answered = await self._functions.call(
                asked.ask, ancestors=site.ancestors, fence=self._fence(turn.shard)
            )
            if not asked.answer.done():
                asked.answer.set_result(answered)
        except UnknownSite:
            _fail(turn, NotFound())
        except Exception as error:  # noqa: BLE001 - the turn's boundary: whoever asked is told
            _fail(turn, error)
        finally:
            self._commands_running -= 1
            self._queue.done([turn])
            self._wake.set()

    async def _run_group(self, turns: Sequence[Turn]) -> None:
        try:
            await self._groups.run(turns, pace=self._pace())
        finally:
            self._groups_running -= 1
            self._queue.done(turns)
            self._wake.set()

    def _fence(self, shard: int) -> Callable[[Ctx], Coroutine[Any, Any, None]]:
        async def confirm(ctx: Ctx) -> None:
            await self._leases.confirm(ctx, [shard])

        return confirm

    async def _read_command(self, site_id: UUID, command_id: UUID) -> dict[str, Any]:
        site = await self._directory.activate(site_id, at=self._now())
        return await self._functions.command_answer(site.principal, command_id)

    async def _give_up(self, site_id: UUID, command_id: UUID) -> dict[str, Any]:
        site = await self._directory.activate(site_id, at=self._now())
        fence = self._fence(topics.shard_of(site_id))
        return await self._functions.give_up(site.principal, command_id, fence=fence)

    def _pace(self) -> int | None:
        """Past half of what may be in flight, outboxes are asked to send slower."""
        return PACE_BYTES_PER_S if self._queue.bytes * 2 > self._queue.ingest_bytes_max else None

    def _leases_changed(self, gained: frozenset[int], lost: frozenset[int]) -> None:
        """Told by the leases, from whatever thread they are tended in."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._moved, gained, lost)

    def _moved(self, gained: frozenset[int], lost: frozenset[int]) -> None:
        self._intake.want(self._leases.held)
        if lost:
            for turn in self._queue.remove(lambda turn: turn.shard in lost):
                _fail(turn, NotMine())
            self._directory.forget_shards(lost)
        log.info("host.shards", held=len(self._leases.held), gained=len(gained), lost=len(lost))

    async def _sweep(self) -> None:
        """Drop turns that waited too long, and sites that nobody used for a while."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            for turn in self._queue.expired(self._now()):
                _fail(turn, Overloaded())
                if turn.priority is Priority.ingest:
                    await self._groups.refuse(turn, after_s=1)
            self._directory.forget_unused(
                since=self._now() - IDLE_AFTER_S, is_busy=self._queue.is_busy
            )

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _fail(turn: Turn, error: Exception) -> None:
    if isinstance(turn.work, _Asked) and not turn.work.answer.done():
        turn.work.answer.set_exception(error)


async def tend_leases(leases: Leases, *, every_s: float) -> None:
    """Until cancelled. When the database stays away for a lease's time, nothing is owned."""
    loop = asyncio.get_running_loop()
    good_at = loop.time()
    while True:
        try:
            async with asyncio.timeout(leases.lease_s / 2):
                await leases.tend()
            good_at = loop.time()
        except (DatabaseError, DBAPIError, OSError, TimeoutError) as error:
            log.warning("host.leases.not_renewed", error=str(error)[:200])
            await leases.close()
            if loop.time() - good_at > leases.lease_s:
                leases.drop_all()
        await asyncio.sleep(every_s)


__all__ = ["Host", "NotMine", "Overloaded", "tend_leases"]
