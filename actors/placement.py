"""Which host owns a shard of sites: leases in Postgres, taken by compare-and-set on their epoch.

The database's clock decides. A taken shard has a new epoch; `confirm` is the last statement before
the COMMIT of every durable write of a site, so a host that lost a shard without knowing (stopped,
partitioned, slow) cannot write there any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from sqlalchemy import text

from cloud.kernel.context import Ctx
from protocols.uplink.topics import SHARDS

LEASE_S = 15.0
LOCK_TIMEOUT_MS = 2_000

_ACQUIRE = """
WITH mine AS (
  SELECT count(*) AS held FROM kernel_shard_lease
  WHERE host = %(host)s AND shard = ANY (%(held)s)),
crowded AS (
  SELECT host FROM kernel_shard_lease
  WHERE host <> %(host)s AND expires_at > clock_timestamp()
  GROUP BY host HAVING count(*) > %(share)s),
free AS (
  SELECT shard FROM kernel_shard_lease
  WHERE (host IS NULL OR expires_at <= clock_timestamp()
         OR (host = %(host)s AND NOT shard = ANY (%(held)s))
         OR host IN (SELECT host FROM crowded))
    AND NOT (host IS NOT DISTINCT FROM %(host)s AND shard = ANY (%(held)s))
  ORDER BY host IN (SELECT host FROM crowded) AND expires_at > clock_timestamp(), shard
  LIMIT greatest(0, %(share)s - (SELECT held FROM mine))
  FOR UPDATE SKIP LOCKED),
orphaned AS (
  SELECT shard FROM kernel_shard_lease
  WHERE expires_at <= clock_timestamp() - make_interval(secs => %(orphan_s)s)
    AND shard NOT IN (SELECT shard FROM free)
  FOR UPDATE SKIP LOCKED)
UPDATE kernel_shard_lease AS lease
SET host = %(host)s, address = %(address)s, epoch = lease.epoch + 1,
    expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE shard IN (SELECT shard FROM free UNION ALL SELECT shard FROM orphaned)
RETURNING shard, epoch
"""
_RENEW = """
UPDATE kernel_shard_lease AS lease
SET expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
FROM unnest(%(shards)s::integer[], %(epochs)s::bigint[]) AS mine (shard, epoch)
WHERE lease.shard = mine.shard AND lease.epoch = mine.epoch AND lease.host = %(host)s
RETURNING lease.shard
"""
_RELEASE = """
UPDATE kernel_shard_lease AS lease SET host = NULL, address = NULL, expires_at = NULL
FROM unnest(%(shards)s::integer[], %(epochs)s::bigint[]) AS mine (shard, epoch)
WHERE lease.shard = mine.shard AND lease.epoch = mine.epoch AND lease.host = %(host)s
"""
_CONFIRM = text("""
    SELECT lease.shard FROM kernel_shard_lease AS lease
    JOIN unnest(CAST(:shards AS integer[]), CAST(:epochs AS bigint[])) AS mine (shard, epoch)
      ON lease.shard = mine.shard AND lease.epoch = mine.epoch
    WHERE lease.host = :host
    ORDER BY lease.shard
    FOR SHARE OF lease
""")


class LeaseLost(Exception):
    """Another host owns the shard now. What the transaction did must not be committed."""


@dataclass(frozen=True)
class HostName:
    """Who takes leases, and where it can be asked. `share` is how many shards are its part."""

    name: str
    address: str
    share: int = SHARDS


class Leases:
    """The leases of one host, over a connection of their own.

    `held` is replaced, never changed, so that another thread may read it at any time. `on_change`
    is told (gained, lost) after each change.
    """

    def __init__(
        self,
        url: str,
        host: HostName,
        *,
        lease_s: float = LEASE_S,
    ) -> None:
        self.host = host
        self.on_change: Callable[[frozenset[int], frozenset[int]], None] = lambda _gained, _lost: (
            None
        )
        self.held: Mapping[int, int] = {}
        self.lease_s = lease_s
        self._url = url
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def tend(self) -> None:
        """Renew what is held, take what is free or fair. Raises psycopg.Error."""
        connection = await self._open()
        lost = await self._renew(connection)
        gained = await self._acquire(connection)
        if gained or lost:
            kept = {shard: epoch for shard, epoch in self.held.items() if shard not in lost}
            self.held = {**kept, **gained}
            self.on_change(frozenset(gained), frozenset(lost - set(gained)))

    async def release(self) -> None:
        """Give everything back, so that others need not wait. Raises psycopg.Error."""
        held, self.held = self.held, {}
        if held:
            connection = await self._open()
            await connection.execute(_RELEASE, self._mine(held))
            self.on_change(frozenset(), frozenset(held))
        await self.close()

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    def drop_all(self) -> None:
        """Own nothing any more: the leases ran out while the database was away."""
        held, self.held = self.held, {}
        if held:
            self.on_change(frozenset(), frozenset(held))

    async def confirm(self, ctx: Ctx, shards: Iterable[int]) -> None:
        """The fence: the last statement before COMMIT. Locks the leases against take-over until
        then. Raises LeaseLost."""
        held = self.held
        wanted = sorted(set(shards))
        if not all(shard in held for shard in wanted):
            raise LeaseLost
        found = await ctx.session.execute(
            _CONFIRM,
            {
                "host": self.host.name,
                "shards": wanted,
                "epochs": [held[shard] for shard in wanted],
            },
        )
        if len(found.all()) != len(wanted):
            raise LeaseLost

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                row_factory=tuple_row,
                connect_timeout=5,
                options=f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout=5000",
            )
        return self._connection

    async def _renew(self, connection: psycopg.AsyncConnection[Any]) -> set[int]:
        if not self.held:
            return set()
        cursor = await connection.execute(_RENEW, self._mine(self.held))
        renewed = {row[0] for row in await cursor.fetchall()}
        return set(self.held) - renewed

    async def _acquire(self, connection: psycopg.AsyncConnection[Any]) -> dict[int, int]:
        cursor = await connection.execute(
            _ACQUIRE,
            {
                "host": self.host.name,
                "address": self.host.address,
                "share": self.host.share,
                "held": list(self.held),
                "lease_s": self.lease_s,
                "orphan_s": self.lease_s,
            },
        )
        return dict(await cursor.fetchall())

    def _mine(self, held: Mapping[int, int]) -> dict[str, Any]:
        return {
            "host": self.host.name,
            "shards": list(held),
            "epochs": list(held.values()),
            "lease_s": self.lease_s,
        }
