"""From the broker through a host into Postgres, and the acknowledgment back."""

from __future__ import annotations

import asyncio
import time

import pytest

from protocols.uplink.messages import Ack, Gap, Lane, Nack
from tests.actors.conftest import Plant

pytestmark = pytest.mark.processes


def _now_us() -> int:
    return time.time_ns() // 1000


async def test_batch_is_stored_then_acknowledged(plant: Plant) -> None:
    at = _now_us()
    async with plant.host(), plant.gateway() as gateway:
        await gateway.send(gateway.batch(1, [(plant.tele, at, 1.5), (plant.tele, at + 1, 2.5)]))
        ack = await gateway.upto(Lane.TELE, 2)
    assert ack.epoch == gateway.epoch
    stored = plant.query("SELECT point_no, value FROM devices_telemetry ORDER BY measured_at")
    assert stored == [(plant.tele, 1.5), (plant.tele, 2.5)]
    assert plant.query("SELECT value FROM devices_twin") == [(2.5,)]


async def test_repeated_and_overlapping_batches_are_stored_once(plant: Plant) -> None:
    at = _now_us()
    rows = [(plant.tele, at + index, float(index)) for index in range(10)]
    async with plant.host(), plant.gateway() as gateway:
        await gateway.send(gateway.batch(1, rows[:6]))
        await gateway.upto(Lane.TELE, 6)
        await gateway.send(gateway.batch(1, rows[:6]))
        assert (await gateway.upto(Lane.TELE, 6)).upto_seq == 6
        await gateway.send(gateway.batch(4, rows[3:]))
        await gateway.upto(Lane.TELE, 10)
    assert plant.query("SELECT count(*), count(DISTINCT measured_at) FROM devices_telemetry") == [
        (10, 10)
    ]


async def test_hole_is_answered_with_what_is_expected(plant: Plant) -> None:
    at = _now_us()
    async with plant.host(), plant.gateway() as gateway:
        await gateway.send(gateway.batch(1, [(plant.tele, at, 1.0)]))
        await gateway.upto(Lane.TELE, 1)
        await gateway.send(gateway.batch(5, [(plant.tele, at + 4, 5.0)]))
        answer = await gateway.answer()
    assert isinstance(answer, Nack)
    assert (answer.reason, answer.expect) == ("hole", 2)
    assert plant.query("SELECT count(*) FROM devices_telemetry") == [(1,)]


async def test_reported_gap_lets_the_lane_go_on_behind_it(plant: Plant) -> None:
    at = _now_us()
    async with plant.host(), plant.gateway() as gateway:
        gap = Gap(Lane.TELE, gateway.epoch, 1, 4, at, at, 4, "disk was full")
        await gateway.send_events(1, gap)
        await gateway.upto(Lane.EVENT, 1)
        await gateway.send(gateway.batch(5, [(plant.tele, at + 4, 5.0)]))
        await gateway.upto(Lane.TELE, 5)
    assert plant.query("SELECT lane, count, reason FROM devices_gap") == [
        ("tele", 4, "disk was full")
    ]


async def test_points_of_another_site_are_never_stored(plant: Plant) -> None:
    at = _now_us()
    async with plant.host(), plant.gateway() as gateway:
        await gateway.send(gateway.batch(1, [(plant.other_tele, at, 9.0), (plant.tele, at, 1.0)]))
        await gateway.upto(Lane.TELE, 2)
    assert plant.query("SELECT point_no FROM devices_telemetry") == [(plant.tele,)]
    assert plant.query("SELECT count FROM devices_gap") == [(1,)]


async def test_undecodable_batch_is_named_and_refused(plant: Plant) -> None:
    from protocols.uplink import codec

    async with plant.host(), plant.gateway() as gateway:
        payload = bytearray(codec.encode(gateway.batch(1, [(plant.tele, _now_us(), 1.0)])))
        payload[-1] ^= 0xFF
        await gateway.send_raw(Lane.TELE, bytes(payload))
        answer = await gateway.answer()
    assert isinstance(answer, Nack)
    assert (answer.reason, answer.expect) == ("undecodable", 1)


async def test_one_bad_gateway_stalls_nobody(plant: Plant) -> None:
    at, other = _now_us(), plant.world.alpha.other_site_id
    async with plant.host(), plant.gateway() as bad, plant.gateway(other) as good:
        gap = Gap(Lane.TELE, bad.epoch, None, None, None, None, 1, "no text for Postgres: \0")
        await asyncio.gather(
            bad.send_events(1, gap),
            *(good.send(good.batch(seq, [(plant.other_tele, at + seq, 1.0)])) for seq in (1, 2, 3)),
        )
        await good.upto(Lane.TELE, 3)
        answer = await bad.answer()
        assert isinstance(answer, Nack)
        assert (answer.lane, answer.reason, answer.expect) == (Lane.EVENT, "undecodable", 1)
        # Set aside, its number is taken by a gap, and the lane goes on.
        aside = Gap(Lane.EVENT, bad.epoch, 1, 1, None, None, 1, "set aside")
        await bad.send_events(1, aside)
        await bad.upto(Lane.EVENT, 1)


async def test_future_is_doubted_and_does_not_pin_the_twin(plant: Plant) -> None:
    at = _now_us()
    async with plant.host(), plant.gateway() as gateway:
        await gateway.send(
            gateway.batch(1, [(plant.tele, at, 1.0), (plant.tele, at + 3_600_000_000, 2.0)])
        )
        await gateway.upto(Lane.TELE, 2)
    assert plant.query("SELECT value, quality FROM devices_telemetry ORDER BY value") == [
        (1.0, 0),
        (2.0, 1),
    ]
    assert plant.query("SELECT value FROM devices_twin") == [(1.0,)]


async def test_times_without_a_partition_become_a_gap(plant: Plant) -> None:
    async with plant.host(), plant.gateway() as gateway:
        await gateway.send(gateway.batch(1, [(plant.tele, 0, 1.0)]))
        ack = await gateway.upto(Lane.TELE, 1)
    assert isinstance(ack, Ack)
    assert plant.query("SELECT count(*) FROM devices_telemetry") == [(0,)]
    assert plant.query("SELECT count FROM devices_gap") == [(1,)]


async def test_meter_lane_becomes_readings_once_in_a_quarter(plant: Plant) -> None:
    slot = 900_000_000
    start = _now_us() // slot * slot - slot
    rows = [(plant.energy, start + index * 60_000_000, 100.0 + index) for index in range(15)]
    rows.append((plant.energy, start + slot, 116.129999))
    async with plant.host(), plant.gateway() as gateway:
        await gateway.send(gateway.batch(1, rows, Lane.METER))
        await gateway.upto(Lane.METER, 16)
    assert plant.query("SELECT value::text, state FROM metering_reading ORDER BY read_at") == [
        ("100", "verified"),
        ("116.13", "verified"),
    ]


async def test_birth_and_will_are_kept_as_state_and_timeline(plant: Plant) -> None:
    async with plant.host(), plant.gateway() as gateway:
        await gateway.be_born(next_seq=6, acked_seq=0)
        await gateway.send(gateway.batch(1, [(plant.tele, _now_us(), 1.0)]))
        await gateway.upto(Lane.TELE, 1)
        gateways = "SELECT state, backlog FROM devices_gateway WHERE code = 'LT-GW1'"
        assert plant.query(gateways) == [("online", 4)]
        await gateway.be_born(online=False, next_seq=6)
        await gateway.send(gateway.batch(2, [(plant.tele, _now_us(), 1.0)]))
        await gateway.upto(Lane.TELE, 2)
        assert plant.query(gateways)[0][0] == "offline"
    kinds = plant.query("SELECT kind FROM devices_event ORDER BY at")
    assert kinds == [("gateway_online",), ("gateway_offline",)]
