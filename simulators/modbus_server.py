"""A Modbus TCP collector with meters behind it.

Written against the Modbus Application Protocol V1.1b3 and the TCP guide V1.0b, without a library:
a request is answered with registers, with an exception, or, for a silenced meter, not at all.
"""

import asyncio
import struct
from collections.abc import Callable, Mapping

ReadRegister = Callable[[str, int, float], int | None]
"""(table, address, now in s) → the 16 bits there, or None where there is no register."""

_HEADER = struct.Struct(">HHHB")
_READ = struct.Struct(">HH")
_TABLES = {3: "holding", 4: "input"}
_COUNT_MAX = 125
_LENGTH_MAX = 254
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_ANSWER_BEHIND = 1, 2, 3, 11


class Collector:
    """One listener with the meters of one bus."""

    def __init__(self, units: Mapping[int, ReadRegister], *, now_s: Callable[[], float]) -> None:
        self._units = units
        self._now_s = now_s
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self.silenced: frozenset[int] = frozenset()
        self.is_down = False

    async def listen(self, *, host: str, port: int) -> None:
        """Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), host, port)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._drop_all()

    def silence(self, units: frozenset[int], *, down: bool) -> None:
        """`units` go quiet; `down` drops every connection, also those that come later."""
        self.silenced = units
        self.is_down = down
        if down:
            self._drop_all()

    def joined(self, connection: "Connection") -> None:
        self._connections.add(connection)
        if self.is_down:
            connection.drop()

    def left(self, connection: "Connection") -> None:
        self._connections.discard(connection)

    def answer(self, unit_id: int, pdu: bytes) -> bytes | None:
        if unit_id in self.silenced:
            return None
        function = pdu[0]
        read = self._units.get(unit_id)
        if read is None:
            return _exception(function, NO_ANSWER_BEHIND)
        table = _TABLES.get(function)
        if table is None:
            return _exception(function, ILLEGAL_FUNCTION)
        if len(pdu) != 1 + _READ.size:
            return _exception(function, ILLEGAL_VALUE)
        address, count = _READ.unpack_from(pdu, 1)
        if not 1 <= count <= _COUNT_MAX:
            return _exception(function, ILLEGAL_VALUE)
        # One instant for all of a request, or the two words of a counter could tear.
        now_s = self._now_s()
        words = [read(table, address + i, now_s) for i in range(count)]
        present = [word for word in words if word is not None]
        if len(present) != count:
            return _exception(function, ILLEGAL_ADDRESS)
        return struct.pack(f">BB{count}H", function, 2 * count, *present)

    def _drop_all(self) -> None:
        for connection in tuple(self._connections):
            connection.drop()


class Connection(asyncio.Protocol):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._collector.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._collector.left(self)

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            transaction, protocol, length, unit_id = _HEADER.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= length <= _LENGTH_MAX:
                self.drop()
                return
            end = _HEADER.size - 1 + length
            if len(self._buffer) < end:
                return
            pdu = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            answer = self._collector.answer(unit_id, pdu)
            if answer is not None and self._transport is not None:
                head = _HEADER.pack(transaction, 0, len(answer) + 1, unit_id)
                self._transport.write(head + answer)


def _exception(function: int, code: int) -> bytes:
    return bytes((function | 0x80, code))
