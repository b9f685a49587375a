"""Modbus TCP devices behind one connection. The only file that knows pymodbus.

The library's own retries and reconnects stay off: they would hide a dead device and reuse a
transaction id. Every frame that comes in is looked at before the library does, and one that does
not answer the request that is out breaks the connection: with answers shifted by one, every
register would be read from its neighbor.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException, ModbusIOException
from pymodbus.pdu import ModbusPDU

from protocols.driver import Driver
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
from protocols.modbus import codec
from protocols.modbus.config import ModbusLimits, ModbusPoint, Table
from protocols.modbus.plan import Request, Seams, plan, seams_after_refusal
from protocols.points import Block, Quality

REFUSALS = {
    1: "it does not know this function",
    2: "it has no such register",
    3: "it does not take this value or count",
    4: "it failed while doing it",
    5: "it accepted and is still working",
    6: "it is busy",
    7: "it cannot do it now",
    8: "its memory has a parity error",
}
_NO_SUCH_REGISTER = (2, 3)
_NOT_BEHIND_THE_GATEWAY = {10: "no path to it", 11: "no answer from it"}
_PLANS_MAX = 64
_MBAP_BYTES = 7


class ModbusBus:
    """One TCP connection to a device or to a gateway with devices behind it.

    Requests are not concurrent: the caller keeps them in line.
    """

    def __init__(self, *, host: str, port: int, timeout_s: float) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s
        self._client: AsyncModbusTcpClient | None = None
        self._broken: asyncio.Future[DriverError] | None = None
        self._sent = b""

    @property
    def is_connected(self) -> bool:
        return self._client is not None

    async def connect(self) -> None:
        self.close()
        self._broken = asyncio.get_running_loop().create_future()
        client = AsyncModbusTcpClient(
            self._host,
            port=self._port,
            timeout=self._timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._look,
            trace_connect=self._connection,
        )
        if not await client.connect():
            client.close()
            raise ConnectFailed(f"no connection to {self._host}:{self._port}")
        self._client = client

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def read(self, *, unit_id: int, table: Table, address: int, count: int) -> list[int]:
        client = self._connected()
        ask = (
            client.read_holding_registers if table is Table.HOLDING else client.read_input_registers
        )
        answer = await self._answer(lambda: ask(address, count=count, device_id=unit_id))
        if len(answer.registers) != count:
            self.close()
            raise FrameError(f"{len(answer.registers)} registers where {count} were asked")
        return list(answer.registers)

    async def write(self, *, unit_id: int, address: int, registers: list[int]) -> None:
        client = self._connected()
        if len(registers) == 1:
            await self._answer(
                lambda: client.write_register(address, registers[0], device_id=unit_id)
            )
        else:
            await self._answer(
                lambda: client.write_registers(address, registers, device_id=unit_id)
            )

    def _connected(self) -> AsyncModbusTcpClient:
        if self._client is None:
            raise LinkLost(f"not connected to {self._host}:{self._port}")
        return self._client

    async def _answer(self, request: Callable[[], Awaitable[ModbusPDU]]) -> ModbusPDU:
        async with self._translating():
            answer = await self._await(request())
        if answer.isError():
            code = answer.exception_code
            if code in _NOT_BEHIND_THE_GATEWAY:
                raise DeviceSilent(f"the gateway answers: {_NOT_BEHIND_THE_GATEWAY[code]}")
            raise DeviceRefusal(code, REFUSALS.get(code, "a code of its own"))
        return answer

    async def _await(self, request: Awaitable[ModbusPDU]) -> ModbusPDU:
        """The answer, or the first sign that none can come; a cancelled request ends the link."""
        assert self._broken is not None
        call = asyncio.ensure_future(request)
        try:
            await asyncio.wait((call, self._broken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not call.done():
                call.cancel()
                self.close()
        if self._broken.done():
            if call.done() and not call.cancelled():
                call.exception()
            self.close()
            raise self._broken.result()
        return call.result()

    @asynccontextmanager
    async def _translating(self) -> AsyncIterator[None]:
        try:
            yield
        except ModbusIOException as error:
            self.close()
            raise ReadTimeout(f"no answer within {self._timeout_s:g} s") from error
        except ConnectionException as error:
            self.close()
            raise LinkLost(f"connection to {self._host}:{self._port} broke") from error
        except ModbusException as error:
            self.close()
            raise FrameError(error.string) from error
        except OSError as error:
            self.close()
            raise LinkLost(f"connection to {self._host}:{self._port} broke: {error}") from error

    def _connection(self, connected: bool) -> None:
        if not connected:
            self._break(LinkLost(f"{self._host}:{self._port} closed the connection"))

    def _look(self, sending: bool, data: bytes) -> bytes:
        """Pass on what answers the request that is out; the library sees nothing else."""
        if sending:
            self._sent = data
            return data
        fault = _fault(self._sent, data)
        if fault is None:
            return data
        self._break(FrameError(fault))
        return b""

    def _break(self, error: DriverError) -> None:
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(error)


def _fault(sent: bytes, data: bytes) -> str | None:
    """What is wrong with the beginning of an answer, as far as it has come."""
    if data[:2] != sent[:2][: len(data)]:
        return f"answer to transaction {data[:2].hex()}, {sent[:2].hex()} is out"
    if len(data) >= _MBAP_BYTES + 1:
        length = int.from_bytes(data[4:6], "big")
        if data[2:4] != b"\0\0" or not 3 <= length <= 254:
            return f"no Modbus header: {data[:_MBAP_BYTES].hex()}"
        if data[6] != sent[6]:
            return f"answer of unit {data[6]}, {sent[6]} was asked"
        if data[7] & 0x7F != sent[7]:
            return f"answer to function {data[7] & 0x7F}, {sent[7]} was asked"
        if len(data) > 6 + length:
            return f"{len(data) - 6 - length} bytes after the answer"
    return None


@dataclass(frozen=True, slots=True)
class _Member:
    point: ModbusPoint
    decode: codec.Decode


class ModbusDriver(Driver):
    """One device on a bus. Leaving it leaves the connection to the others on the bus."""

    def __init__(
        self,
        *,
        bus: ModbusBus,
        unit_id: int,
        points: Sequence[ModbusPoint],
        now_us: Callable[[], int],
        limits: ModbusLimits | None = None,
    ) -> None:
        self._bus = bus
        self._unit_id = unit_id
        self._members: Mapping[int, _Member] = {
            point.point: _Member(point, codec.decoder(point)) for point in points
        }
        self._limits = limits or ModbusLimits()
        self._now_us = now_us
        self._seams: Seams = frozenset()
        self._plans: dict[tuple[int, ...], tuple[Request, ...]] = {}

    async def __aenter__(self) -> Self:
        if not self._bus.is_connected:
            await self._bus.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    async def read(self, points: Sequence[int]) -> Block:
        members = [self._member(number) for number in points]
        values = [math.nan] * len(members)
        times = [0] * len(members)
        todo = list(reversed(self._plan(tuple(points), members)))
        while todo:
            request = todo.pop()
            try:
                registers = await self._bus.read(
                    unit_id=self._unit_id,
                    table=request.table,
                    address=request.address,
                    count=request.count,
                )
            except DeviceRefusal as refusal:
                parts = self._cut(members, request) if refusal.code in _NO_SUCH_REGISTER else ()
                todo.extend(reversed(parts))
                if not parts:
                    now = self._now_us()
                    for position, _ in request.members:
                        times[position] = now
                continue
            now = self._now_us()
            data = codec.pack(registers)
            for position, offset in request.members:
                values[position] = members[position].decode(data, offset)
                times[position] = now
        return _block(points, times, values)

    async def write(self, point: int, value: float) -> None:
        target = self._member(point).point
        if target.table is not Table.HOLDING:
            raise PointConfigError(f"{target.code}: {target.table} registers cannot be written")
        await self._bus.write(
            unit_id=self._unit_id,
            address=target.address,
            registers=codec.encode(target, value),
        )

    def _member(self, number: int) -> _Member:
        try:
            return self._members[number]
        except KeyError:
            raise PointConfigError(
                f"point {number} is not one of unit {self._unit_id} — add it to the config"
            ) from None

    def _plan(self, numbers: tuple[int, ...], members: Sequence[_Member]) -> tuple[Request, ...]:
        found = self._plans.get(numbers)
        if found is None:
            if len(self._plans) >= _PLANS_MAX:
                self._plans.clear()
            found = plan([member.point for member in members], self._limits, self._seams)
            self._plans[numbers] = found
        return found

    def _cut(self, members: Sequence[_Member], request: Request) -> tuple[Request, ...]:
        """Remember where a refused request must be cut, and cut it there."""
        points = [member.point for member in members]
        seams = seams_after_refusal(points, request)
        if not seams:
            return ()
        self._seams |= seams
        self._plans.clear()
        positions = [position for position, _ in request.members]
        parts = plan([points[i] for i in positions], self._limits, self._seams)
        return tuple(
            Request(
                part.table,
                part.address,
                part.count,
                tuple((positions[i], offset) for i, offset in part.members),
            )
            for part in parts
        )


def _block(points: Sequence[int], times: Sequence[int], values: Sequence[float]) -> Block:
    block = Block()
    for point, time_us, value in zip(points, times, values, strict=True):
        good = math.isfinite(value)
        block.append(
            point, time_us, value if good else math.nan, Quality.GOOD if good else Quality.BAD
        )
    return block
