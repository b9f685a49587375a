"""Group commit: what many gateways sent in one transaction, acknowledged after COMMIT.

When a group fails each turn is tried alone, so that one bad gateway stalls nobody.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTime

from actors.commands import Commands
from actors.directory import Directory, UnknownSite
from actors.intake import Intake
from actors.merging import merged
from actors.placement import LeaseLost, Leases
from actors.site import News, Outcome, Site, Uplink
from actors.turns import Turn
from cloud.kernel.clock import utc_now
from cloud.kernel.context import Ctx
from cloud.kernel.db import SET_SCOPE
from cloud.kernel.runtime import Runtime
from cloud.kernel.uow import unit_of_work
from cloud.modules.devices import service as devices
from protocols.uplink import codec, topics
from protocols.uplink.messages import Ack, Batch, Birth, Lane, Nack

log = structlog.get_logger()

FAILED_AGAIN_AFTER_S = 10.0
AWAY_AGAIN_AFTER_S = 3.0


class Groups:
    """`before_ack` is called between COMMIT and acknowledgment."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        leases: Leases,
        directory: Directory,
        intake: Intake,
        commands: Commands,
        before_ack: Callable[[], None],
    ) -> None:
        self._runtime = runtime
        self._leases = leases
        self._directory = directory
        self._intake = intake
        self._commands = commands
        self._before_ack = before_ack
        self.batches = 0
        self.rows = 0

    async def run(self, turns: Sequence[Turn], *, pace: int | None) -> None:
        """Never raises: a turn that cannot be committed is refused, and comes again."""
        joined = merged(turns)
        try:
            outcomes = await self._commit(joined, pace)
        except LeaseLost:
            log.warning("host.lease.lost", turns=len(turns))
            return
        except UnknownSite as error:
            if len(turns) > 1:
                await self._split(turns, pace)
            else:
                log.warning("host.site.unknown", site=str(error))
            return
        except Exception as error:  # noqa: BLE001 - the host's boundary: one bad batch stalls nobody
            await self._failed(turns, error, pace)
            return
        self.batches += len(turns)
        if any(isinstance(outcome.reply, Ack) for outcome in outcomes):
            self._before_ack()
        await self._after_commit(joined, outcomes)

    async def refuse(self, turn: Turn, *, after_s: float) -> None:
        """Ask for it again later. A birth needs no answer: the broker keeps it."""
        message: Uplink = turn.work
        if not isinstance(message, Birth):
            lane = getattr(message, "lane", Lane.EVENT)
            await self.reply(turn.site_id, busy(message.epoch, lane, after_s=after_s))

    async def reply(self, site_id: UUID, message: Ack | Nack) -> None:
        await self._intake.publish(topics.ack(site_id), codec.encode(message), qos=1)

    async def publish(self, site_id: UUID, news: Sequence[News]) -> None:
        for each in news:
            await self._intake.publish(f"ui/{site_id}/{each.leaf}", each.data, qos=0)

    async def _failed(self, turns: Sequence[Turn], error: Exception, pace: int | None) -> None:
        if _is_away(error):
            log.warning("host.database.away", turns=len(turns), error=repr(error)[:200])
            for turn in turns:
                await self.refuse(turn, after_s=AWAY_AGAIN_AFTER_S)
        elif len(turns) > 1:
            log.warning("host.group.failed", turns=len(turns), error=repr(error)[:300])
            await self._split(turns, pace)
        else:
            log.exception("host.ingest.failed", site=str(turns[0].site_id), exc_info=error)
            await self._refuse_failed(turns[0], error)

    async def _refuse_failed(self, turn: Turn, error: Exception) -> None:
        """What Postgres cannot hold will never be accepted; anything else may be our own fault."""
        message: Uplink = turn.work
        if isinstance(message, Birth) or not _is_of_the_data(error):
            await self.refuse(turn, after_s=FAILED_AGAIN_AFTER_S)
            return
        lane = message.lane if isinstance(message, Batch) else Lane.EVENT
        nack = Nack(message.epoch, lane, "undecodable", expect=message.first_seq)
        await self.reply(turn.site_id, nack)

    async def _split(self, turns: Sequence[Turn], pace: int | None) -> None:
        for turn in turns:
            await self.run([turn], pace=pace)

    async def _commit(self, turns: Sequence[Turn], pace: int | None) -> list[Outcome]:
        """All turns in one transaction, each under its own site's scope; the fence comes last."""
        at = asyncio.get_running_loop().time()
        sites = [await self._directory.activate(turn.site_id, at=at) for turn in turns]
        outcomes = []
        async with unit_of_work(
            self._runtime.sessions, sites[0].principal, bus=self._runtime.bus
        ) as ctx:
            for site, turn in zip(sites, turns, strict=True):
                scoped = await _enter(ctx, site)
                outcomes.append(await site.take(scoped, turn.work, max_bytes_per_s=pace))
                await ctx.session.flush()  # while the scope is still the site's
            blocks = [outcome.telemetry for outcome in outcomes if outcome.telemetry is not None]
            rows = await devices.write_telemetry(ctx, blocks)
            await self._leases.confirm(ctx, (turn.shard for turn in turns))
        self.rows += rows
        return outcomes

    async def _after_commit(self, turns: Sequence[Turn], outcomes: Sequence[Outcome]) -> None:
        at = utc_now()
        replies: dict[tuple[UUID, Lane], Ack | Nack] = {}
        news: list[tuple[UUID, list[News]]] = []
        for turn, outcome in zip(turns, outcomes, strict=True):
            for result in outcome.results:
                self._commands.arrived(result)
            if outcome.reply is not None:
                # Acks are cumulative: the last of a lane says it all.
                replies[turn.site_id, outcome.reply.lane] = outcome.reply
            site = self._directory.find(turn.site_id)
            if site is not None:
                news.append((turn.site_id, site.committed(outcome, at=at)))
        await asyncio.gather(
            *(self.reply(site_id, reply) for (site_id, _), reply in replies.items())
        )
        for site_id, fresh in news:
            await self.publish(site_id, fresh)


async def _enter(ctx: Ctx, site: Site) -> Ctx:
    """The same transaction, from here on under the site's scope."""
    await ctx.session.execute(SET_SCOPE, site.principal.scope.settings())
    return replace(ctx, principal=site.principal)


def _is_away(error: Exception) -> bool:
    """The database is not there: trying each turn alone would only take longer."""
    if isinstance(error, NoConnectionInTime | TimeoutError | OSError):
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", "") or ""
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_lost or state.startswith(("08", "57P"))


def _is_of_the_data(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.DataError)


def busy(epoch: UUID, lane: Lane, *, after_s: float = 1.0) -> Nack:
    """Nothing was stored; jitter keeps a thousand gateways from coming back at once."""
    retry_after_s = after_s * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
    return Nack(epoch, lane, "busy", retry_after_s=retry_after_s)
