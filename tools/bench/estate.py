"""A durable database of its own with a community of many rooms, and what a process needs of it."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlmodel import SQLModel

from cloud.embedded.postgres import PostgresCluster
from cloud.kernel.context import Ctx
from cloud.kernel.settings import Endpoints
from cloud.main import migrate
from cloud.modules.receiving import service as receiving
from tests.cloud.charging.builders import Estate, build_estate
from tests.kit.database import (
    APP_PASSWORD,
    HOST_PASSWORD,
    TestDatabase,
    committing,
    endpoints_of,
    of_name,
    with_database,
)
from tests.kit.simulators import free_port
from tests.kit.world import World, build_world


@dataclass(frozen=True)
class Place:
    """Where the bench runs: `folder` is a data directory with a runtime.json."""

    folder: Path
    database: TestDatabase
    endpoints: Endpoints
    world: World
    estate: Estate
    bills: int
    history: int
    superuser_url: str


@asynccontextmanager
async def built_place(bills: int, history: int) -> AsyncIterator[Place]:
    """Postgres with fsync on and `bills` rooms that owe the property fee; gone at the end."""
    folder = Path(tempfile.gettempdir()) / f"wuye-bench-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o711)
    cluster = PostgresCluster(folder / "postgres", durable=True)
    try:
        cluster.prepare()
        cluster.start()
        migrate(cluster.owner_url, app_password=APP_PASSWORD, host_password=HOST_PASSWORD)
        database = of_name(cluster.owner_url, "wuye")
        endpoints = endpoints_of(
            database,
            http={"host": "127.0.0.1", "port": free_port()},
            dashboards={"host": "127.0.0.1", "port": free_port()},
        )
        write_runtime(folder, endpoints)
        async with committing(database) as sessions:
            world = await build_world(sessions)
            estate = await build_estate(world)
            async with world.unit(world.headquarters()) as ctx:
                await receiving.add_standard_methods(ctx)
            async with world.unit() as ctx:
                await _add_rooms(ctx, estate, bills)
            analyze(database)
            url = with_database(cluster.superuser_url, "wuye")
            yield Place(folder, database, endpoints, world, estate, bills, history, url)
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def write_runtime(folder: Path, endpoints: Endpoints) -> None:
    def plain(value: Any) -> Any:
        return value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)

    (folder / "runtime.json").write_text(json.dumps(endpoints.model_dump(), default=plain))


def analyze(database: TestDatabase) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("ANALYZE")


async def _add_rooms(ctx: Ctx, estate: Estate, count: int) -> None:
    """Copies of room 101 with an owner and a binding each, set-based: services would take long."""
    await ctx.session.execute(
        text(
            "CREATE TEMPORARY TABLE bench_room ON COMMIT DROP AS SELECT 'n' || n AS code,"
            " uuid7() AS room, uuid7() AS party, uuid7() AS holds, uuid7() AS binding"
            " FROM generate_series(1, :count) AS n"
        ),
        {"count": count},
    )
    room = estate.rooms["101"]
    of_room = {"room_id": room}
    code = {"code": "n.code", "path": "'9-9-' || n.code", "sort_key": "n.code"}
    await _copy(ctx, "resources_space", {"id": "n.room", **code}, {"id": room})
    await _copy(ctx, "resources_room", {"id": "n.room"}, {"id": room})
    await _copy(ctx, "customers_party", {"id": "n.party"}, {"id": estate.payers["101"]})
    held = {"id": "n.holds", "room_id": "n.room", "party_id": "n.party"}
    await _copy(ctx, "customers_room_party", held, of_room)
    bound = {"id": "n.binding", "room_id": "n.room"}
    await _copy(ctx, "charging_binding", bound, of_room)


async def _copy(
    ctx: Ctx, table: str, changed: Mapping[str, str], source: Mapping[str, UUID]
) -> None:
    columns = [column.name for column in SQLModel.metadata.tables[table].columns]
    selected = ", ".join(changed.get(name, f"s.{name}") for name in columns)
    where = " AND ".join(f"s.{name} = :{name}" for name in source)
    await ctx.session.execute(
        text(
            f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608 - names from code
            f" SELECT {selected} FROM bench_room n, {table} s WHERE {where}"
        ),
        dict(source),
    )
