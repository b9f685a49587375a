"""The test database: migrated once, then either rolled back after each test or really committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from cloud.kernel.db import Sessions, joined_sessions, make_engine, make_sessions
from cloud.kernel.roles import APP, HOST
from cloud.kernel.settings import Endpoints, Settings
from cloud.main import migrate
from tests.kit.cluster import test_cluster, worker_name

APP_PASSWORD = "app-password-of-tests"
HOST_PASSWORD = "host-password-of-tests"


@dataclass(frozen=True)
class TestDatabase:
    """One worker's database. `owner_url` migrates; the code under test gets `app_url`."""

    __test__ = False

    owner_url: str
    app_url: str
    host_url: str


@asynccontextmanager
async def rolled_back(database: TestDatabase) -> AsyncIterator[Sessions]:
    """Sessions on one connection whose outer transaction never commits."""
    engine = make_engine(database.app_url, pool_size=1)
    try:
        async with engine.connect() as connection:
            outer = await connection.begin()
            try:
                yield joined_sessions(connection)
            finally:
                await outer.rollback()
    finally:
        await engine.dispose()


@asynccontextmanager
async def committing(database: TestDatabase) -> AsyncIterator[Sessions]:
    """Sessions that really commit; for races, processes, and what is checked at COMMIT."""
    engine = make_engine(database.app_url, pool_size=8)
    try:
        yield make_sessions(engine)
    finally:
        await engine.dispose()


def created_databases() -> Iterator[TestDatabase]:
    """A migrated template and, from it, this worker's database for tests that roll back."""
    with test_cluster() as owner_url:
        template = f"wuye_template_{worker_name()}"
        name = f"wuye_test_{worker_name()}"
        with _one_at_a_time(owner_url):
            recreate(owner_url, template)
            migrate(
                with_database(owner_url, template),
                app_password=APP_PASSWORD,
                host_password=HOST_PASSWORD,
            )
            recreate(owner_url, name, template=template)
        yield of_name(owner_url, name)


@contextmanager
def _one_at_a_time(owner_url: str) -> Iterator[None]:
    """Workers share the server, and with it the roles that the first of them creates."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('wuye tests'))")
        yield


def recreate(owner_url: str, name: str, *, template: str | None = None) -> None:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        target = sql.Identifier(name)
        # FORCE ends the sessions of the two roles only for who is a member of them.
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (HOST,)).fetchone():
            connection.execute(f"GRANT {APP}, {HOST} TO CURRENT_USER WITH INHERIT TRUE")
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(target))
        like = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        connection.execute(sql.SQL("CREATE DATABASE {}").format(target) + like)
        connection.execute(
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO PUBLIC").format(target)
        )


def of_name(owner_url: str, name: str) -> TestDatabase:
    return TestDatabase(
        owner_url=with_database(owner_url, name),
        app_url=with_database(owner_url, name, user=APP, password=APP_PASSWORD),
        host_url=with_database(owner_url, name, user=HOST, password=HOST_PASSWORD),
    )


def with_database(
    url: str, name: str, *, user: str | None = None, password: str | None = None
) -> str:
    parts = urlsplit(url)
    netloc = parts.netloc
    if user is not None and password is not None:
        netloc = f"{user}:{quote(password)}@{netloc.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{name}"))


def endpoints_of(database: TestDatabase, **others: object) -> Endpoints:
    return Endpoints.model_validate(
        {
            "http": {"host": "127.0.0.1", "port": 8000},
            "database": {
                "owner_url": database.owner_url,
                "app_url": database.app_url,
                "host_url": database.host_url,
            },
            "mqtt": {
                "host": "127.0.0.1",
                "port_gateways": 1,
                "port_platform": 1,
                "platform_user": "platform",
                "platform_password": "none",
            },
            "secret_key": "tests",
            **others,
        }
    )


def settings_of(data_dir: Path) -> Settings:
    return Settings(data_dir=data_dir)
