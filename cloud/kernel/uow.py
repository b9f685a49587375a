"""The unit of work: one transaction for a request, a message, a job step or a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import text

from cloud.kernel.clock import utc_now
from cloud.kernel.context import Ctx, Door, Principal
from cloud.kernel.db import Sessions, uuid7
from cloud.kernel.events import Bus
from cloud.kernel.i18n import Texts

_CHECK_NOW = text("SET CONSTRAINTS ALL IMMEDIATE")


@asynccontextmanager
async def unit_of_work(
    sessions: Sessions,
    principal: Principal,
    *,
    bus: Bus,
    now: datetime | None = None,
    request_id: str | None = None,
    door: Door | None = None,
    texts: Texts | None = None,
) -> AsyncIterator[Ctx]:
    """Commits when the block ends and rolls back when it raises. Nothing else commits."""
    async with sessions(info={"scope": principal.scope}) as session, session.begin():
        yield Ctx(
            session=session,
            principal=principal,
            now=now or utc_now(),
            request_id=request_id or str(uuid7()),
            bus=bus,
            door=door or Door(),
            texts=texts or Texts(),
        )
        # Deferred constraints fire here, so that a test inside a savepoint sees them too.
        await session.flush()
        await session.execute(_CHECK_NOW)
