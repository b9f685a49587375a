"""Whose a site is: any project's, before and after its gateway is added."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from actors.directory import Directory, UnknownSite
from cloud.kernel.db import make_engine, make_sessions, uuid7
from tests.kit.database import TestDatabase
from tests.kit.world import World


@pytest.fixture
async def directory(own_database: TestDatabase) -> AsyncIterator[Directory]:
    """As the role that hosts connect with."""
    engine = make_engine(own_database.host_url, pool_size=1)
    yield Directory(make_sessions(engine))
    await engine.dispose()


class TestActivate:
    async def test_a_community_without_a_gateway(
        self, directory: Directory, committed: World
    ) -> None:
        site = await directory.activate(committed.alpha.site_id, at=0.0)

        assert site.principal.company_id == committed.alpha.id
        assert site.ancestors == (committed.alpha.region_id, committed.alpha.id)

    async def test_refuses_what_is_no_community(
        self, directory: Directory, committed: World
    ) -> None:
        for wrong in (committed.alpha.region_id, committed.alpha.id, uuid7()):
            with pytest.raises(UnknownSite):
                await directory.activate(wrong, at=0.0)
