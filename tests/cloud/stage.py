"""A demo company seeded by the modules' own seeds, beside a company that has nothing of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select, text

from actors.functions import Functions
from cloud.kernel.auth import CSRF_HEADER, SESSION_COOKIE, csrf_token
from cloud.kernel.context import Ctx, Principal
from cloud.kernel.db import Scope, Sessions, uuid7
from cloud.kernel.runtime import Runtime
from cloud.kernel.settings import Settings
from cloud.kernel.sites import Ask, Sites
from cloud.kernel.uow import unit_of_work
from cloud.main import MODULES, compose, make_seeding, metadata, runtime, vocabulary
from cloud.modules.accounts.queries import AccountsAuthenticator
from tests.kit.client import TOKEN, OnePerson
from tests.kit.database import TestDatabase, endpoints_of, rolled_back
from tests.kit.world import build_world

ROOMS = 4
COMMUNITIES = ("LT", "YS")


class HostHere(Sites):
    """A host in this process: the same functions, scope and checks, without broker and queue."""

    def __init__(self, running: Runtime) -> None:
        self._running = running
        functions = (function for module in MODULES for function in module.functions)
        self._functions = Functions(running, functions)

    async def ask(self, ask: Ask) -> dict[str, Any]:
        principal = await self._running.authenticator.by_user(ask.principal_id)
        assert principal is not None
        ancestors = await self._running.authenticator.ancestors(principal.company_id, ask.site_id)
        answer, _ = await self._functions.call(ask, ancestors=ancestors, fence=_unfenced)
        return answer


async def _unfenced(ctx: Ctx) -> None:
    del ctx


@dataclass(frozen=True)
class Stage:
    """A demo company with rows of every kind, and alpha, which has none of them."""

    database: TestDatabase
    sessions: Sessions
    running: Runtime
    ids: dict[str, UUID]
    company_id: UUID
    alpha_site: UUID
    alpha: Principal


@asynccontextmanager
async def staged(database: TestDatabase, data_dir: Path) -> AsyncIterator[Stage]:
    """Rolled back at the end; until then its rows hold their unique keys against other tests."""
    async with rolled_back(database) as sessions:
        running = runtime(
            settings=Settings(data_dir=data_dir),
            endpoints=endpoints_of(database),
        )
        running.sessions = sessions
        running.authenticator = AccountsAuthenticator(sessions)
        seeding = make_seeding(running, password="long-enough")
        sites = [s for s in seeding.community["sites"] if s["code"] in COMMUNITIES]
        for site in seeding.community["sites"]:
            site["rooms"] = site["rooms"][:ROOMS] if site in sites else site["rooms"][:1]
        for module in MODULES:
            if module.seed is not None:
                await module.seed(seeding)
        world = await build_world(sessions)
        yield Stage(
            database=database,
            sessions=sessions,
            running=running,
            ids=seeding.ids,
            company_id=seeding.ids["company"],
            alpha_site=world.alpha.site_id,
            alpha=world.at_site(),
        )


def client_of(stage: Stage, principal: Principal, data_dir: Path) -> httpx.AsyncClient:
    running = runtime(settings=Settings(data_dir=data_dir), endpoints=endpoints_of(stage.database))
    running.sessions = stage.sessions
    running.bus = stage.running.bus
    running.authenticator = OnePerson(principal, AccountsAuthenticator(stage.sessions))
    running.sites = HostHere(running)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=compose(running), raise_app_exceptions=False),
        base_url="http://wuye.test",
        cookies={SESSION_COOKIE: TOKEN},
        headers={CSRF_HEADER: csrf_token(TOKEN), "Accept-Language": "en"},
    )


async def rows_of(stage: Stage, site_id: UUID) -> dict[str, Any]:
    """One row's id of every table that has rows of the community."""
    everything = Principal(
        company_id=stage.company_id,
        org_id=stage.company_id,
        scope=Scope(company_id=stage.company_id, all=True),
    )
    found = {}
    async with unit_of_work(stage.sessions, everything, bus=stage.running.bus) as ctx:
        for table in metadata().sorted_tables:
            key = "point_no" if "point_no" in table.primary_key.columns else "id"
            if not {key, "org_id"} <= set(table.columns.keys()):
                continue
            statement = select(table.c[key]).where(table.c.org_id == site_id).limit(1)
            row = (await ctx.session.execute(statement)).scalar_one_or_none()
            if row is not None:
                found[table.name] = row
        points = text("SELECT point_no FROM devices_point WHERE org_id = :site LIMIT 1")
        found["point"] = (await ctx.session.execute(points, {"site": site_id})).scalar_one()
    return found


def person_of(stage: Stage, site_id: UUID) -> Principal:
    """Somebody of one community of the demo company who may do everything there."""
    above = (stage.company_id, stage.ids["region:HD"], stage.ids["region:HB"])
    return Principal(
        id=uuid7(),
        company_id=stage.company_id,
        org_id=site_id,
        scope=Scope(
            company_id=stage.company_id, read_orgs=(*above, site_id), write_orgs=(site_id,)
        ),
        permissions=vocabulary(),
    )
