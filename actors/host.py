"""A host: thousands of sites on one event loop, one turn queue, one broker connection, one pool.

Plain asyncio; the shells in process_host.py and ray_host.py give it a process. What gateways send
is committed in groups, many batches of many sites in one transaction; when that fails each is
tried alone, so that one bad gateway stalls nobody. Acknowledgments go out after COMMIT.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog
from psycopg import Error as DatabaseError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from actors.commands import Commands
from actors.functions import Functions
from actors.intake import Intake
from actors.placement import HostName, LeaseLost, Leases
from actors.site import News, Outcome, Site, Uplink
from actors.turns import Priority, Turn, TurnQueue
from cloud.kernel.clock import utc_now
from cloud.kernel.context import Ctx, system_principal
from cloud.kernel.db import SET_SCOPE, Scope
from cloud.kernel.runtime import Runtime
from cloud.kernel.sites import Ask
from cloud.kernel.uow import unit_of_work
from cloud.modules.devices import service as devices
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
PACE_BYTES_PER_S = 256 * 1024

_PLACE = text("SELECT company, above FROM devices_place_of(:site_id)")


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
        self._runtime = runtime
        self._functions = functions
        self._leases = leases
        self._before_ack = before_ack
        self._queue = TurnQueue()
        self._sites: dict[UUID, Site] = {}
        self._used_at: dict[UUID, float] = {}
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._groups = 0
        self._commands_running = 0
        self._intake = Intake(runtime.endpoints.mqtt, leases.host.name, self._receive)
        self._commands = Commands(self._intake)
        self._loop: asyncio.AbstractEventLoop | None = None
        leases.on_change = self.leases_changed
        self.batches = 0
        self.rows = 0

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
                    await asyncio.wait(self._running, timeout=5)

    def leases_changed(self, gained: frozenset[int], lost: frozenset[int]) -> None:
        """Told by the leases, from whatever thread they are tended in."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._moved, gained, lost)

    async def ask(self, ask: Ask) -> dict[str, Any]:
        """A function as a turn of its site. Raises AppError, NotMine, Overloaded, TimeoutError.

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
            "sites": len(self._sites),
            "waiting": len(self._queue),
            "bytes": self._queue.bytes,
            "listening": self._intake.is_listening,
            "batches": self.batches,
            "rows": self.rows,
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
        site = self._sites.get(site_id)
        if site is not None:
            self._spawn(
                self._publish_news(site, site.show(codec.decode_live(payload), at=utc_now()))
            )

    def _receive_batch(self, address: topics.Address, lane: Lane, payload: bytes) -> None:
        envelope = codec.peek(payload)
        try:
            message = codec.decode_batch(lane, payload)
        except codec.WireError as error:
            log.warning("host.batch.undecodable", site=str(address.site), error=str(error))
            if envelope is not None:
                nack = Nack(envelope.epoch, lane, "undecodable", expect=envelope.first_seq)
                self._spawn(self._reply(address.site, nack))
            return
        if not self._offer(address, message, len(payload)):
            self._spawn(self._reply(address.site, _busy(message.epoch, lane)))

    def _offer(self, address: topics.Address, message: Uplink, size: int) -> bool:
        loop = asyncio.get_running_loop()
        turn = Turn(
            site_id=address.site,
            shard=address.shard,
            priority=Priority.ingest,
            work=message,
            deadline=loop.time() + INGEST_FOR_S,
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
            while self._groups < GROUPS_AT_ONCE:
                group = self._queue.take_group(turns_max=GROUP_TURNS_MAX, bytes_max=GROUP_BYTES_MAX)
                if not group:
                    break
                self._groups += 1
                self._spawn(self._run_group(group))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run_command(self, turn: Turn) -> None:
        asked: _Asked = turn.work
        try:
            site = await self._activate(turn.site_id)
            answered = await self._functions.call(
                asked.ask, ancestors=site.ancestors, fence=self._fence(turn.shard)
            )
            _resolve(asked.answer, answered)
        except Exception as error:  # noqa: BLE001 - the turn's boundary: whoever asked is told
            _fail(asked.answer, error)
        finally:
            self._commands_running -= 1
            self._queue.done([turn])
            self._wake.set()

    async def _run_group(self, turns: Sequence[Turn]) -> None:
        try:
            await self._commit_or_split(turns)
        finally:
            self._groups -= 1
            self._queue.done(turns)
            self._wake.set()

    async def _commit_or_split(self, turns: Sequence[Turn]) -> None:
        try:
            outcomes = await self._commit(turns)
        except LeaseLost:
            log.warning("host.lease.lost", turns=len(turns))
            return
        except UnknownSite as error:
            if len(turns) == 1:
                log.warning("host.site.unknown", site=str(error))
                return
            await self._split(turns)
            return
        except Exception as error:  # the host's boundary: one bad batch stalls nobody
            if len(turns) == 1:
                log.exception("host.ingest.failed", site=str(turns[0].site_id), exc_info=error)
                await self._refuse(turns[0])
                return
            log.warning("host.group.failed", turns=len(turns), error=repr(error)[:300])
            await self._split(turns)
            return
        self._before_ack()
        await self._after_commit(turns, outcomes)

    async def _split(self, turns: Sequence[Turn]) -> None:
        for turn in turns:
            await self._commit_or_split([turn])

    async def _commit(self, turns: Sequence[Turn]) -> list[Outcome]:
        """All turns in one transaction, each under its own site's scope; the fence comes last."""
        sites = [await self._activate(turn.site_id) for turn in turns]
        outcomes = []
        pace = self._pace()
        async with unit_of_work(
            self._runtime.sessions, sites[0].principal, bus=self._runtime.bus
        ) as ctx:
            for site, turn in zip(sites, turns, strict=True):
                scoped = await _enter(ctx, site)
                outcomes.append(await site.take(scoped, turn.work, max_bytes_per_s=pace))
                await ctx.session.flush()  # while the scope is still the site's
            blocks = [outcome.telemetry for outcome in outcomes if outcome.telemetry is not None]
            self.rows += await devices.write_telemetry(ctx, blocks)
            await self._leases.confirm(ctx, (turn.shard for turn in turns))
        self.batches += len(turns)
        return outcomes

    async def _after_commit(self, turns: Sequence[Turn], outcomes: Sequence[Outcome]) -> None:
        at = utc_now()
        replies: dict[tuple[UUID, Lane], Any] = {}
        for turn, outcome in zip(turns, outcomes, strict=True):
            site = self._sites.get(turn.site_id)
            if site is None:
                continue
            for result in outcome.results:
                self._commands.arrived(result)
            news = site.committed(outcome, at=at)
            if news:
                self._spawn(self._publish_news(site, news))
            if outcome.reply is not None:
                replies[turn.site_id, outcome.reply.lane] = outcome.reply
        await asyncio.gather(
            *(self._reply(site_id, reply) for (site_id, _), reply in replies.items())
        )

    async def _refuse(self, turn: Turn) -> None:
        message: Uplink = turn.work
        lane = getattr(message, "lane", Lane.EVENT)
        if hasattr(message, "first_seq"):
            await self._reply(turn.site_id, _busy(message.epoch, lane, after_s=10))

    async def _reply(self, site_id: UUID, message: Any) -> None:
        await self._intake.publish(topics.ack(site_id), codec.encode(message), qos=1)

    async def _publish_news(self, site: Site, news: Sequence[News]) -> None:
        for each in news:
            await self._intake.publish(f"ui/{site.id}/{each.leaf}", each.data, qos=0)

    async def _activate(self, site_id: UUID) -> Site:
        """The site in memory; the database says whose it is. Raises UnknownSite."""
        self._used_at[site_id] = asyncio.get_running_loop().time()
        known = self._sites.get(site_id)
        if known is not None:
            return known
        async with self._runtime.sessions() as session:
            place = (await session.execute(_PLACE, {"site_id": site_id})).one()
        if place.company is None:
            raise UnknownSite(site_id)
        ancestors = tuple(place.above)
        scope = Scope(
            company_id=place.company, read_orgs=(*ancestors, site_id), write_orgs=(site_id,)
        )
        principal = system_principal(place.company, org_id=site_id, scope=scope)
        return self._sites.setdefault(site_id, Site(site_id, principal, ancestors))

    def _fence(self, shard: int) -> Callable[[Ctx], Coroutine[Any, Any, None]]:
        async def confirm(ctx: Ctx) -> None:
            await self._leases.confirm(ctx, [shard])

        return confirm

    async def _read_command(self, site_id: UUID, command_id: UUID) -> dict[str, Any]:
        site = await self._activate(site_id)
        return await self._functions.command_answer(site.principal, command_id)

    async def _give_up(self, site_id: UUID, command_id: UUID) -> dict[str, Any]:
        site = await self._activate(site_id)
        fence = self._fence(topics.shard_of(site_id))
        return await self._functions.give_up(site.principal, command_id, fence=fence)

    def _pace(self) -> int | None:
        """Past half of what may be in flight, outboxes are asked to send slower."""
        return PACE_BYTES_PER_S if self._queue.bytes * 2 > self._queue.ingest_bytes_max else None

    def _moved(self, gained: frozenset[int], lost: frozenset[int]) -> None:
        self._intake.want(self._leases.held)
        if lost:
            for turn in self._queue.remove(lambda turn: turn.shard in lost):
                if isinstance(turn.work, _Asked):
                    _fail(turn.work.answer, NotMine())
            for site_id in [id_ for id_ in self._sites if topics.shard_of(id_) in lost]:
                self._sites.pop(site_id, None)
        log.info("host.shards", held=len(self._leases.held), gained=len(gained), lost=len(lost))

    async def _sweep(self) -> None:
        """Drop turns that waited too long, and sites that nobody used for a while."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            for turn in self._queue.expired(loop.time()):
                if isinstance(turn.work, _Asked):
                    _fail(turn.work.answer, Overloaded())
                else:
                    await self._refuse(turn)
            idle = loop.time() - IDLE_AFTER_S
            for site_id in [id_ for id_, at in self._used_at.items() if at < idle]:
                if not self._queue.is_busy(site_id):
                    del self._used_at[site_id]
                    self._sites.pop(site_id, None)


class UnknownSite(Exception):
    """No gateway was ever added for it."""

    def __init__(self, site_id: UUID) -> None:
        super().__init__(str(site_id))


async def _enter(ctx: Ctx, site: Site) -> Ctx:
    """The same transaction, from here on under the site's scope."""
    await ctx.session.execute(SET_SCOPE, site.principal.scope.settings())
    return replace(ctx, principal=site.principal)


def _busy(epoch: UUID, lane: Lane, *, after_s: float = 1.0) -> Nack:
    retry_after_s = after_s * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
    return Nack(epoch, lane, "busy", retry_after_s=retry_after_s)


def _resolve(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


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


__all__ = ["Host", "HostName", "NotMine", "Overloaded", "UnknownSite", "tend_leases"]
