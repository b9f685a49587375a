"""Clients of the probe: in a world that rolls back, and in one that really commits."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest

from tests.cloud.kernel.probe import PROBE, probing
from tests.kit.database import TestDatabase
from tests.kit.world import World


@pytest.fixture
async def probe(database: TestDatabase, world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with probing(database, world, world.at_site(permissions=PROBE)) as client:
        yield client


@pytest.fixture
async def committing_probe(
    own_database: TestDatabase, committed: World
) -> AsyncIterator[httpx.AsyncClient]:
    """With a table whose rows a constraint compares at the end of the transaction only."""
    with psycopg.connect(own_database.owner_url) as connection:
        connection.execute(
            "CREATE TABLE probe_twin (number integer,"
            " CONSTRAINT uq_probe_twin UNIQUE (number) DEFERRABLE INITIALLY DEFERRED)"
        )
        connection.execute(
            "CREATE FUNCTION probe_doom() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'doomed'; END $$;"
            "CREATE TABLE probe_doomed (number integer);"
            "CREATE CONSTRAINT TRIGGER doom AFTER INSERT ON probe_doomed"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION probe_doom()"
        )
        connection.execute(
            "CREATE FUNCTION probe_refuse(sqlstate text) RETURNS text LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = $1; END $$"
        )
        connection.execute("GRANT SELECT, INSERT ON probe_twin, probe_doomed TO wuye_app")
    principal = committed.at_site(permissions=PROBE)
    async with probing(own_database, committed, principal) as client:
        yield client
