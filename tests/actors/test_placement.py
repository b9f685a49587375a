"""Leases: two hosts share the shards, a dead one is replaced, a zombie cannot write."""

from __future__ import annotations

import asyncio
import time

import psycopg
import pytest

from actors.placement import HostName, LeaseLost, Leases
from actors.process_host import host_url
from cloud.kernel.context import system_principal
from cloud.kernel.db import Scope
from protocols.uplink.messages import Lane
from protocols.uplink.topics import shard_of
from tests.actors.conftest import Plant

pytestmark = pytest.mark.processes


def _leases(plant: Plant, name: str, *, share: int = 1024, lease_s: float = 1.0) -> Leases:
    host = HostName(name, f"tcp:127.0.0.1:{1 if name == 'a' else 2}", share)
    return Leases(plant.database.host_url, host, lease_s=lease_s)


async def test_hosts_share_and_one_alone_takes_all(plant: Plant) -> None:
    first, second = _leases(plant, "a", share=512), _leases(plant, "b", share=512)
    await first.tend()
    await second.tend()
    assert (len(first.held), len(second.held)) == (512, 512)
    assert not set(first.held) & set(second.held)
    await first.close()
    for _ in range(6):
        await asyncio.sleep(0.4)
        await second.tend()
    assert len(second.held) == 1024
    # The first one comes back and takes its part from the crowded one.
    again = _leases(plant, "a", share=512)
    await again.tend()
    await second.tend()
    assert (len(again.held), len(second.held)) == (512, 512)
    await again.release()
    await second.release()


async def test_namesake_takes_over_at_once_and_fences_the_old_one(plant: Plant) -> None:
    old, new = _leases(plant, "a", lease_s=60), _leases(plant, "a", lease_s=60)
    await old.tend()
    await new.tend()
    assert len(new.held) == 1024
    scope = Scope(company_id=plant.world.alpha.id)
    principal = system_principal(plant.world.alpha.id, org_id=plant.site_id, scope=scope)
    runtime = plant.runtime()
    async with runtime.sessions() as session:
        from cloud.kernel.context import Ctx

        ctx = Ctx(session, principal, plant.world.now, "test", runtime.bus)
        await new.confirm(ctx, [7])
        with pytest.raises(LeaseLost):
            await old.confirm(ctx, [7])
    await old.tend()
    assert not old.held
    await runtime.sessions.kw["bind"].dispose()
    await new.release()
    await old.close()


async def test_stopped_transaction_does_not_hold_a_shard_for_ever(plant: Plant) -> None:
    """A host that is stopped between the fence and COMMIT holds the lease's row."""
    heir = _leases(plant, "heir", lease_s=1)
    database = plant.runtime().endpoints.database
    async with await psycopg.AsyncConnection.connect(host_url(database, lease_s=1)) as stopped:
        await stopped.execute("SELECT 1 FROM kernel_shard_lease WHERE shard = 7 FOR SHARE")
        await heir.tend()
        assert 7 not in heir.held
        await asyncio.sleep(0.7)
        await heir.tend()
        assert 7 in heir.held
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            await stopped.execute("SELECT 1")
    await heir.release()


async def test_host_that_lost_its_lease_stores_and_acknowledges_nothing(plant: Plant) -> None:
    thief = _leases(plant, "thief", lease_s=60)
    async with plant.host(lease_s=60), plant.gateway() as gateway:
        await gateway.send(gateway.batch(1, [(plant.tele, time.time_ns() // 1000, 1.0)]))
        await gateway.upto(Lane.TELE, 1)
        plant.query(
            "WITH taken AS (UPDATE kernel_shard_lease SET host = 'thief', epoch = epoch + 1"
            " WHERE shard = %s RETURNING 1) SELECT * FROM taken",
            shard_of(plant.site_id),
        )
        await gateway.send(gateway.batch(2, [(plant.tele, time.time_ns() // 1000, 2.0)]))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await gateway.answer()
    assert plant.query("SELECT value FROM devices_telemetry") == [(1.0,)]
    await thief.close()
