"""The Modbus driver against a device on libmodbus."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from protocols.errors import (
    ConnectFailed,
    DeviceRefusal,
    DeviceSilent,
    DriverError,
    FrameError,
    LinkLost,
    PointConfigError,
    ReadTimeout,
)
from protocols.modbus.config import ModbusPoint, RegisterType, Table
from protocols.modbus.driver import ModbusBus, ModbusDriver
from protocols.points import Quality
from tests.kit.modbus_peer import Peer, running_peer, why_missing

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(why_missing() is not None, reason=f"needs {why_missing()}"),
]
TIMEOUT_S = 0.5
NOW_US = 1_700_000_000_000_000


def point(
    number: int,
    address: int,
    kind: RegisterType = RegisterType.UINT16,
    order: str = "big",
    table: Table = Table.HOLDING,
) -> ModbusPoint:
    return ModbusPoint.model_validate(
        {
            "point": number,
            "code": f"p{number}",
            "table": table,
            "address": address,
            "type": kind,
            "word_order": order,
        }
    )


POINTS = [
    *(point(i + 1, i) for i in range(40)),
    point(41, 40, RegisterType.FLOAT32),
    point(42, 42, RegisterType.FLOAT32, "little"),
    point(43, 44, RegisterType.INT32),
    point(44, 46, RegisterType.INT32),
    point(45, 48, RegisterType.INT64),
    point(60, 62),
    point(61, 66),
    point(70, 3, table=Table.INPUT),
    point(80, 100, RegisterType.UINT32),
    point(90, 400),
]


def device(bus: ModbusBus, unit_id: int = 1, points: Sequence[ModbusPoint] = ()) -> ModbusDriver:
    return ModbusDriver(bus=bus, unit_id=unit_id, points=points or POINTS, now_us=lambda: NOW_US)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with running_peer() as peer:
        yield peer


@pytest.fixture
async def bus(peer: Peer) -> AsyncIterator[ModbusBus]:
    bus = ModbusBus(host="127.0.0.1", port=peer.port, timeout_s=TIMEOUT_S)
    await bus.connect()
    yield bus
    bus.close()


class TestRead:
    async def test_reads_what_libmodbus_put_there(self, bus: ModbusBus) -> None:
        block = await device(bus).read([41, 42, 43, 44, 45, 70, 5])

        assert list(block.values) == [230.25, -12.5, 123456, -123456, 2**53 - 1, 1003, 29]
        assert list(block.points) == [41, 42, 43, 44, 45, 70, 5]
        assert set(block.times_us) == {NOW_US}
        assert set(block.qualities) == {Quality.GOOD}

    async def test_a_refused_register_spoils_no_other(self, bus: ModbusBus) -> None:
        block = await device(bus).read([40, 60, 61, 90])

        assert list(block.qualities) == [0, 2, 0, 2]
        assert block.values[0] == 39 * 7 + 1
        assert block.values[2] == 0
        assert math.isnan(block.values[1])

    async def test_remembers_where_the_device_refused(self, bus: ModbusBus) -> None:
        driver = device(bus, points=[point(1, 58), point(2, 66)])
        first = await driver.read([1, 2])
        assert driver._seams == {(Table.HOLDING, 66)}
        second = await driver.read([1, 2])
        assert list(first.qualities) == list(second.qualities) == [0, 0]

    async def test_a_point_of_another_device_is_refused(self, bus: ModbusBus) -> None:
        with pytest.raises(PointConfigError, match="point 999 is not one of unit 1"):
            await device(bus).read([999])


class TestWrite:
    async def test_is_read_back(self, bus: ModbusBus) -> None:
        driver = device(bus)
        await driver.write(80, 3_000_000_000)
        await driver.write(5, 29)
        assert list((await driver.read([80])).values) == [3_000_000_000]

    async def test_carries_the_refusal_of_the_device(self, bus: ModbusBus) -> None:
        with pytest.raises(DeviceRefusal, match="no such register") as refusal:
            await device(bus).write(90, 1)
        assert refusal.value.code == 2

    async def test_an_input_register_is_not_written(self, bus: ModbusBus) -> None:
        with pytest.raises(PointConfigError, match="cannot be written"):
            await device(bus).write(70, 1)


@pytest.mark.parametrize(
    ("unit_id", "error"),
    [
        (9, ReadTimeout),
        (12, FrameError),
        (13, ReadTimeout),
        (14, LinkLost),
        (15, FrameError),
    ],
)
async def test_a_broken_conversation_ends_the_link_and_the_next_one_is_sound(
    bus: ModbusBus, unit_id: int, error: type[DriverError]
) -> None:
    started = time.monotonic()
    with pytest.raises(error):
        await device(bus, unit_id).read([1])
    assert time.monotonic() - started < TIMEOUT_S + 1
    with pytest.raises(LinkLost, match="not connected"):
        await device(bus).read([1])

    async with device(bus) as driver:
        assert list((await driver.read([1, 2])).values) == [1, 8]


async def test_a_late_answer_is_never_taken_for_the_next_one(bus: ModbusBus) -> None:
    with pytest.raises(ReadTimeout):
        await device(bus, 11).read([1])
    await asyncio.sleep(0.5)
    async with device(bus) as driver:
        for _ in range(3):
            assert list((await driver.read([2])).values) == [8]


async def test_a_gateway_without_its_device_keeps_the_link(bus: ModbusBus) -> None:
    with pytest.raises(DeviceSilent):
        await device(bus, 10).read([1])
    assert list((await device(bus).read([1])).values) == [1]


async def test_a_cancelled_read_ends_the_link(bus: ModbusBus) -> None:
    reading = asyncio.create_task(device(bus, 9).read([1]))
    await asyncio.sleep(0.05)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not bus.is_connected


async def test_comes_back_after_the_device_restarted(peer: Peer, bus: ModbusBus) -> None:
    assert list((await device(bus).read([1])).values) == [1]
    await peer.kill()
    with pytest.raises(LinkLost):
        await device(bus).read([1])
    with pytest.raises(ConnectFailed):
        await bus.connect()
    async with running_peer(port=peer.port), device(bus) as driver:
        assert list((await driver.read([1])).values) == [1]


async def test_a_thousand_connections_leak_nothing(bus: ModbusBus) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(1000):
        await bus.connect()
    async with device(bus) as driver:
        assert list((await driver.read([1])).values) == [1]
    assert len(asyncio.all_tasks()) == before
