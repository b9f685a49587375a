"""The unit of work: one transaction for a request, a message, a job step or a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kernel.clock import utc_now
from cloud.kernel.context import Ctx, Door, Principal
from cloud.kernel.db import Sessions, uuid7
from cloud.kernel.events import Bus
from cloud.kernel.i18n import Texts

_CHECK_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")

# Finds out who acts in the transaction's first statement, and binds it to their scope.
Entrance = Callable[[AsyncSession], Awaitable[Principal]]


@asynccontextmanager
async def unit_of_work(
    sessions: Sessions,
    who: Principal | Entrance,
    *,
    bus: Bus,
    now: datetime | None = None,
    request_id: str | None = None,
    door: Door | None = None,
    texts: Texts | None = None,
) -> AsyncIterator[Ctx]:
    """Commits when the block ends and rolls back when it raises. Nothing else commits."""
    scope = who.scope if isinstance(who, Principal) else None
    async with sessions(info={"scope": scope}) as session, session.begin():
        principal = who if isinstance(who, Principal) else await who(session)
        yield Ctx(
            session=session,
            principal=principal,
            now=now or utc_now(),
            request_id=request_id or str(uuid7()),
            bus=bus,
            door=door or Door(),
            texts=texts or Texts(),
        )
        if "is_joined" in session.info:
            # A savepoint asks no deferred constraint: COMMIT would.
            await session.flush()
            await session.execute(_CHECK_NOW)
