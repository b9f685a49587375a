"""The outbox: readings grouped for the disk, and what could not be kept told when it can be."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from edge_agent import outbox as module
from edge_agent.outbox import Outbox, StoreDamaged
from edge_agent.store import StoreLimitBytes
from protocols.points import Block, Lane, Quality
from protocols.uplink import codec
from protocols.uplink.messages import Batch, Events, Gap

KIB = 1024


def readings(count: int, start: int = 0) -> Block:
    block = Block()
    for value in range(start, start + count):
        block.append(1, value, float(value), Quality.GOOD)
    return block


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    bounds = StoreLimitBytes(
        {Lane.EVENT: 64 * KIB, Lane.METER: 4 * KIB, Lane.TELE: 64 * KIB}, free_reserve=0
    )
    outbox = Outbox(tmp_path, bounds)
    running = asyncio.create_task(outbox.run())
    yield outbox
    running.cancel()
    await asyncio.wait([running])
    await outbox.close()


async def held(outbox: Outbox, lane: Lane) -> list[Batch | Events]:
    return [codec.decode_batch(lane, row.body) for row in await outbox.pending(lane, 1, 100)]


async def gaps(outbox: Outbox) -> list[Gap]:
    return [
        record
        for events in await held(outbox, Lane.EVENT)
        if isinstance(events, Events)
        for record in events.records
        if isinstance(record, Gap)
    ]


async def test_billing_registers_are_on_disk_when_keep_returns(outbox: Outbox) -> None:
    assert await outbox.keep(readings(3))
    assert [len(batch) for batch in await held(outbox, Lane.METER)] == [3]
    assert outbox.changed[Lane.METER].is_set()


async def test_telemetry_is_gathered_for_a_fifth_of_a_second(outbox: Outbox) -> None:
    for start in range(0, 40, 10):
        outbox.gather(readings(10, start))
    assert await held(outbox, Lane.TELE) == []
    await asyncio.sleep(module.TELE_LINGER_S + 0.15)
    assert [len(batch) for batch in await held(outbox, Lane.TELE)] == [40]


async def test_much_telemetry_does_not_wait(outbox: Outbox) -> None:
    started = time.monotonic()
    outbox.gather(readings(module.TELE_ROWS))
    await outbox.changed[Lane.TELE].wait()
    assert time.monotonic() - started < module.TELE_LINGER_S


async def test_a_refused_reading_becomes_a_gap_with_its_times(outbox: Outbox) -> None:
    taken = 0
    while await outbox.keep(readings(100, taken)):
        taken += 100
    assert not await outbox.keep(readings(100, taken + 100))
    await asyncio.sleep(module.LOSS_EVERY_S + 0.3)
    (gap,) = await gaps(outbox)
    assert (gap.lane, gap.count, gap.seq_from) == (Lane.METER, 200, None)
    assert (gap.from_us, gap.to_us) == (taken, taken + 199)
    assert "share of the disk" in gap.reason


async def test_a_full_disk_is_a_gap_once_there_is_room_again(
    outbox: Outbox, tmp_path: Path
) -> None:
    db = outbox._store.db
    db.execute("PRAGMA max_page_count = 1")
    taken = 0
    while await outbox.keep(readings(50, taken)):
        taken += 50
    await asyncio.sleep(module.LOSS_EVERY_S + 0.3)
    db.execute("PRAGMA max_page_count = 100000")
    await asyncio.sleep(module.LOSS_EVERY_S + 0.3)
    lost = await gaps(outbox)
    assert sum(gap.count or 0 for gap in lost) >= 50
    assert {gap.lane for gap in lost} == {Lane.METER}
    assert sqlite3.connect(tmp_path / "outbox.db").execute("PRAGMA quick_check").fetchone() == (
        "ok",
    )


async def test_what_waits_for_the_disk_is_bounded(outbox: Outbox) -> None:
    over = 700
    outbox.gather(readings(module.TELE_ROWS_MAX + over))
    await asyncio.sleep(module.LOSS_EVERY_S + 0.5)
    told = [gap for gap in await gaps(outbox) if gap.seq_from is None]
    assert [(gap.count, gap.reason) for gap in told] == [(over, "the disk was too slow")]


async def test_an_old_copy_of_a_store_is_condemned(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    await outbox.keep(readings(2))
    with pytest.raises(StoreDamaged, match="old copy"):
        await outbox.acknowledge(Lane.METER, 50)
    epoch = outbox.epoch
    await outbox.close()
    again = Outbox(tmp_path)
    assert again.epoch != epoch
    assert {gap.lane for gap in await gaps(again)} == set(Lane)
    await again.close()


async def test_what_was_gathered_is_committed_at_the_stop(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.gather(readings(7))
    await outbox.close()
    again = Outbox(tmp_path)
    assert [len(batch) for batch in await held(again, Lane.TELE)] == [7]
    assert await again.outcome_of(uuid4()) is None
    await again.close()
