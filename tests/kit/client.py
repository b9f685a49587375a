"""The whole web application in this process, called as one person over real routes."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kernel.auth import CSRF_HEADER, SESSION_COOKIE, Authenticator, csrf_token
from cloud.kernel.context import Principal
from cloud.kernel.db import bind_scope
from cloud.kernel.settings import Endpoints, Settings
from cloud.kernel.sites import Sites
from cloud.main import compose, runtime
from cloud.modules.accounts.queries import AccountsAuthenticator
from tests.kit.world import World

TOKEN = "token-of-the-test"


class OnePerson(Authenticator):
    """Knows one session. Login itself is tested with the real one."""

    def __init__(self, principal: Principal, real: Authenticator) -> None:
        self._principal = principal
        self._real = real

    async def by_token(self, token: str) -> Principal | None:
        return self._principal if token == TOKEN else None

    async def enter(self, session: AsyncSession, token: str) -> Principal | None:
        await bind_scope(session, self._principal.scope)
        return self._principal if token == TOKEN else None

    async def by_user(self, user_id: UUID) -> Principal | None:
        return self._principal if user_id == self._principal.id else None

    async def ancestors(self, company_id: UUID, site_id: UUID) -> tuple[UUID, ...]:
        return await self._real.ancestors(company_id, site_id)


def client_of(
    endpoints: Endpoints, world: World, principal: Principal, *, sites: Sites, data_dir: Path
) -> httpx.AsyncClient:
    running = runtime(settings=Settings(data_dir=data_dir), endpoints=endpoints, sites=sites)
    running.sessions = world.sessions
    running.bus = world.bus
    running.authenticator = OnePerson(principal, AccountsAuthenticator(world.sessions))
    transport = httpx.ASGITransport(app=compose(running), raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport,
        base_url="http://wuye.test",
        cookies={SESSION_COOKIE: TOKEN},
        headers={CSRF_HEADER: csrf_token(TOKEN), "Accept-Language": "en"},
    )
