"""The way from a web process to the host that owns a site, found in the leases."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from sqlalchemy import text

from actors.line import Line, NotReached
from actors.ray_connection import prepare
from actors.wire import LINE_MAX, NotSigned, pack_ask, sign, unpack_refusal, verify
from cloud.kernel.db import Sessions
from cloud.kernel.settings import RayEndpoint
from cloud.kernel.sites import Ask, Sites, SiteUnavailable
from protocols.uplink.topics import shard_of

log = structlog.get_logger()

LOOK_AGAIN_S = 0.25
CONNECT_TIMEOUT_S = 2.0

_ADDRESS = text("""
    SELECT address FROM kernel_shard_lease
    WHERE shard = :shard AND expires_at > clock_timestamp()
""")


class SocketLine(Line):
    """Hosts that are plain processes: one connection a question."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def ask(self, where: str, ask: Ask) -> dict[str, Any]:
        host, _, port = where.rpartition(":")
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(host, int(port), limit=LINE_MAX)
        except (OSError, TimeoutError) as error:
            raise NotReached from error
        try:
            writer.write(sign(self._secret, pack_ask(ask)))
            await writer.drain()
            line = await reader.readline()
            return verify(self._secret, line)
        except (OSError, NotSigned, ValueError) as error:
            raise SiteUnavailable from error
        finally:
            writer.close()


class SitesClient(Sites):
    """Looks up the lease, asks, and looks again while there is no owner."""

    def __init__(self, sessions: Sessions, *, secret: str, ray: RayEndpoint | None) -> None:
        self._sessions = sessions
        self._lines: dict[str, Line] = {"tcp": SocketLine(secret)}
        self._ray = ray

    async def ask(self, ask: Ask) -> dict[str, Any]:
        try:
            async with asyncio.timeout(ask.timeout_s):
                return await self._ask(ask)
        except TimeoutError:
            raise SiteUnavailable from None

    async def _ask(self, ask: Ask) -> dict[str, Any]:
        while True:
            address = await self._address(shard_of(ask.site_id))
            if address is not None:
                kind, _, where = address.partition(":")
                try:
                    found = await self._line(kind).ask(where, ask)
                except NotReached:
                    found = {"elsewhere": True}
                if "answer" in found:
                    return dict(found["answer"])
                if "refused" in found:
                    raise unpack_refusal(found["refused"])
                if "busy" in found:
                    raise SiteUnavailable
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _address(self, shard: int) -> str | None:
        async with self._sessions() as session:
            found: str | None = (
                await session.execute(_ADDRESS, {"shard": shard})
            ).scalar_one_or_none()
        return found

    def _line(self, kind: str) -> Line:
        known = self._lines.get(kind)
        if known is not None:
            return known
        if kind != "ray" or self._ray is None:
            log.error("sites.address.unknown", kind=kind)
            raise SiteUnavailable
        # Ray takes 130 MB and seconds to load: only where hosts run in it.
        prepare(self._ray)
        from actors.ray_line import RayLine  # noqa: PLC0415

        self._lines[kind] = RayLine(self._ray)
        return self._lines[kind]
