"""From an outbox's bytes to Postgres, exactly once, against a raw binary COPY of the same rows."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from decimal import Decimal
from time import time_ns
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from sqlalchemy import text

from actors.commands import Commands
from actors.directory import Directory
from actors.functions import bus_of_host
from actors.groups import Groups
from actors.host import GROUP_TURNS_MAX
from actors.intake import Intake
from actors.placement import HostName, Leases
from actors.turns import Priority, Turn
from cloud.kernel.clock import utc_now
from cloud.kernel.settings import Settings
from cloud.main import MODULES, runtime
from cloud.modules.devices import rules
from cloud.modules.devices import service as devices
from cloud.modules.devices.models import DeviceKind, PointLane
from cloud.modules.devices.rules import Readings
from cloud.modules.devices.service import DeviceSpec, PointSpec
from edge_agent.store import Pending, Store, StoreLimitBytes
from protocols.points import Block, Lane
from protocols.uplink import codec, topics
from protocols.uplink.messages import Batch
from tools.bench.estate import Place
from tools.bench.measure import ROUNDS, Measure, Rates, rate

POINTS = 500
POLLS = 400
EVERY_US = 5_000_000


async def uplink(place: Place) -> list[Measure]:
    """200,000 readings a round: POLLS batches of POINTS each, as an outbox keeps them."""
    points = await _add_points(place)
    site_id = place.estate.site_id
    running = runtime(
        settings=Settings(data_dir=place.folder),
        endpoints=place.endpoints,
        url=place.database.host_url,
    )
    running.bus = bus_of_host(pair for module in MODULES for pair in module.handlers)
    leases = Leases(place.database.host_url, HostName("bench", "none"))
    await leases.tend()
    intake = Intake(place.endpoints.mqtt, "bench", lambda _address, _payload: None)
    groups = Groups(
        running,
        leases=leases,
        directory=Directory(running.sessions),
        intake=intake,
        commands=Commands(intake),
        before_ack=lambda: None,
    )
    store = Store(place.folder / "outbox", StoreLimitBytes(), now_us=time_ns() // 1000)
    rates, count = Rates(), POINTS * POLLS
    for number in range(ROUNDS):
        outbox = _fill(store, points, seed=number)
        blocks = [_readings(each) for each in outbox]
        with rate(rates.ours, count):
            await _ingest(groups, site_id, outbox)
        # What comes again is acknowledged and stored once.
        await _ingest(groups, site_id, outbox[-3:])
        assert await _stored(place) == count * (number + 1)
        _copy_raw(place, blocks, rates)
        store.acknowledge(Lane.TELE, outbox[-1].last_seq)
    store.close()
    await leases.release()
    await running.sessions.kw["bind"].dispose()
    detail = (
        "outbox bytes → decode → turns → watermark, twins and COPY → COMMIT, against one binary"
        f" COPY of the same rows, ready made, into the same partition; {count:,} rows a round,"
        f" {ROUNDS} rounds"
    )
    return [rates.measure("uplink", "rows/s", detail)]


async def _add_points(place: Place) -> list[int]:
    spec = DeviceSpec(
        bus="B1",
        unit_id=1,
        code="BENCH",
        name="测量",
        kind=DeviceKind.electricity,
        place="",
        space_id=None,
        points=tuple(_point(number) for number in range(POINTS)),
    )
    async with place.world.unit() as ctx:
        gateway = await devices.add_gateway(ctx, site_id=place.estate.site_id, code="BENCH")
        made = await devices.add_devices(ctx, gateway_id=gateway.id, specs=[spec])
        return sorted(made["BENCH"][1].values())


def _point(number: int) -> PointSpec:
    return PointSpec(
        code=f"p{number}",
        label=f"p{number}",
        unit="kW",
        digits=2,
        lane=PointLane.tele,
        register_table="holding",
        address=number * 2,
        register_type="uint32",
        scale=Decimal("0.01"),
    )


def _fill(store: Store, points: Sequence[int], *, seed: int) -> list[Pending]:
    """A backlog that ends now, all of it in one month where the month is old enough."""
    chance = random.Random(seed)  # noqa: S311 - load
    began_us = time_ns() // 1000 - POLLS * EVERY_US * (seed + 1)
    first_seq = store.states()[Lane.TELE].next_seq
    for poll in range(POLLS):
        at_us = began_us + poll * EVERY_US
        block = Block()
        block.extend(
            Block(
                array("I", points),
                array("q", [at_us + place for place in range(len(points))]),
                array("d", [round(chance.uniform(0, 50), 2) for _ in points]),
                array("B", bytes(len(points))),
            )
        )
        store.append(Lane.TELE, block)
    return store.pending(Lane.TELE, first_seq, POLLS)


async def _ingest(groups: Groups, site_id: UUID, outbox: Sequence[Pending]) -> None:
    """In groups as a host takes them from its queue."""
    shard = topics.shard_of(site_id)
    for start in range(0, len(outbox), GROUP_TURNS_MAX):
        turns = [
            Turn(
                site_id=site_id,
                shard=shard,
                priority=Priority.ingest,
                work=codec.decode_batch(Lane.TELE, pending.body),
                deadline=float("inf"),
                size=len(pending.body),
            )
            for pending in outbox[start : start + GROUP_TURNS_MAX]
        ]
        await groups.run(turns, pace=None)


def _readings(pending: Pending) -> Readings:
    batch = codec.decode_batch(Lane.TELE, pending.body)
    assert isinstance(batch, Batch)
    return rules.readings_of(batch)


def _copy_raw(place: Place, blocks: Sequence[Readings], rates: Rates) -> None:
    """The rows get points of their own, beyond the site's, so that ours can be counted."""
    received_us = rules.micros(utc_now())
    moved = [
        Readings(
            (each.points + np.uint32(1_000_000)).astype(np.uint32),
            each.times_us,
            each.values,
            each.qualities,
        )
        for each in blocks
    ]
    bodies = rules.copy_bodies((each, received_us) for each in moved)
    count = sum(map(len, blocks))
    with psycopg.connect(place.database.host_url) as connection, rate(rates.bare, count):
        for partition, body in bodies.items():
            _copy(connection, partition, body)
        connection.commit()


def _copy(connection: psycopg.Connection[Any], partition: str, body: bytes) -> None:
    columns = "point_no, measured_at, received_at, value, quality"
    statement = f"COPY {partition} ({columns}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(body)


async def _stored(place: Place) -> int:
    async with place.world.unit() as ctx:
        found = await ctx.session.execute(text("SELECT count(*) FROM devices_telemetry"))
        return int(found.scalar_one())
