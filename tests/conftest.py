"""Fixtures of the whole suite: a database that rolls back, one that commits, a world in each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from cloud.kernel import logs
from cloud.kernel.context import Principal
from cloud.kernel.db import Sessions
from cloud.kernel.sites import NoSites, Sites
from tests.kit.client import client_of
from tests.kit.database import (
    TestDatabase,
    committing,
    created_databases,
    endpoints_of,
    of_name,
    recreate,
    rolled_back,
)
from tests.kit.world import World, build_world

# As in production; structlog's own default renders each traceback with its locals, for seconds.
logs.configure("text", "tests")


@pytest.fixture(scope="session")
def database() -> Iterator[TestDatabase]:
    yield from created_databases()


@pytest.fixture
async def sessions(database: TestDatabase) -> AsyncIterator[Sessions]:
    """Sessions that the test's end rolls back, whatever the code under test commits."""
    async with rolled_back(database) as made:
        yield made


@pytest.fixture
async def world(sessions: Sessions) -> World:
    return await build_world(sessions)


@pytest.fixture
def own_database(database: TestDatabase) -> TestDatabase:
    """A database of the test's own, cloned from the migrated template."""
    name = urlsplit(database.app_url).path.removeprefix("/")
    fresh = name.replace("wuye_test", "wuye_own")
    recreate(database.owner_url, fresh, template=name.replace("wuye_test", "wuye_template"))
    return of_name(database.owner_url, fresh)


@pytest.fixture
async def committed(own_database: TestDatabase) -> AsyncIterator[World]:
    """A world in a database of its own where commits are real: for races and for COMMIT checks."""
    async with committing(own_database) as made:
        yield await build_world(made)


@pytest.fixture
async def client(
    database: TestDatabase, world: World, tmp_path: Path
) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """`client(principal)`: the whole application, called as that person."""
    opened: list[httpx.AsyncClient] = []

    def of(principal: Principal, *, sites: Sites | None = None) -> httpx.AsyncClient:
        made = client_of(
            endpoints_of(database), world, principal, sites=sites or NoSites(), data_dir=tmp_path
        )
        opened.append(made)
        return made

    yield of
    for each in opened:
        await each.aclose()
