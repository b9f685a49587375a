"""A stranger's client of the whole application, and the people who may become its user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from cloud.kernel.settings import Settings
from cloud.main import compose, runtime
from cloud.modules.accounts import service
from cloud.modules.accounts.models import User
from cloud.modules.accounts.queries import AccountsAuthenticator
from tests.kit.database import TestDatabase, endpoints_of
from tests.kit.world import World

PASSWORD = "正确的密码-2026"


@pytest.fixture
async def stranger(
    database: TestDatabase, world: World, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    running = runtime(settings=Settings(data_dir=tmp_path), endpoints=endpoints_of(database))
    running.sessions = world.sessions
    running.bus = world.bus
    running.authenticator = AccountsAuthenticator(world.sessions)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=compose(running), raise_app_exceptions=False),
        base_url="http://wuye.test",
        headers={"Accept-Language": "en"},
    ) as client:
        yield client


@pytest.fixture
async def clerk(world: World) -> User:
    """Somebody of alpha's first community who may read units and rooms there."""
    async with world.unit(world.headquarters()) as ctx:
        role = await service.add_role(
            ctx,
            code="clerk",
            name="收费员",
            permissions=["organization.unit:read", "resources.room:read"],
        )
        user = await service.add_user(
            ctx,
            org_id=world.alpha.site_id,
            login="shoufei",
            name="周晓燕",
            post="收费员",
            password=PASSWORD,
        )
        await service.grant_role(ctx, user_id=user.id, role_id=role.id, unit_id=world.alpha.site_id)
    return user
