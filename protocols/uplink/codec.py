"""Uplink messages as bytes, and back.

    0       1      2        4            12       28      32
    version kind   count    first seq    epoch    crc32   body …
    u8      u8     u16      u64          16 B     u32     raw deflate

All numbers are little-endian. The first 28 bytes keep their layout in every version, so that a
batch which cannot be read can still be named (`peek`). The CRC covers those 28 bytes and the body
as sent. The body of readings is four columns one after the other; all else is JSON, where fields
that a reader does not know are ignored.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from math import isfinite
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from protocols.points import Lane, Quality
from protocols.uplink.messages import (
    Ack,
    Batch,
    Birth,
    Command,
    EventRecord,
    Events,
    Live,
    Nack,
)

VERSION = 1
READINGS_MAX = 1000
BYTES_MAX = 128 * 1024
INFLATED_MAX = 1024 * 1024

T = TypeVar("T")

Message = Batch | Events | Ack | Nack | Birth | Command | Live

_HEAD = struct.Struct("<BBHQ16s")
_CRC = struct.Struct("<I")
_HEAD_BYTES = _HEAD.size + _CRC.size
_NO_EPOCH = bytes(16)
_METER, _TELE, _EVENTS, _ACK, _NACK, _BIRTH, _COMMAND, _LIVE = range(1, 9)
_KIND_OF_LANE = {Lane.METER: _METER, Lane.TELE: _TELE}
_LANE_OF_KIND = {kind: lane for lane, kind in _KIND_OF_LANE.items()}
_READING_BYTES = 4 + 8 + 8 + 1
_LIVE_AT = struct.Struct("<q")

_records: TypeAdapter[list[Any]] = TypeAdapter(list[EventRecord])
_ack = TypeAdapter(Ack)
_nack = TypeAdapter(Nack)
_birth = TypeAdapter(Birth)
_command = TypeAdapter(Command)


class WireError(ValueError):
    """The bytes are not a message that this version understands."""


class Envelope(NamedTuple):
    kind: int
    length: int
    first_seq: int
    epoch: UUID


def encode(message: Message) -> bytes:
    """Raises WireError for what the other side would refuse, such as unequal columns."""
    match message:
        case Batch():
            kind = _KIND_OF_LANE.get(message.lane)
            if kind is None:
                raise WireError(f"lane {message.lane} does not carry readings")
            return _frame(kind, len(message), message.first_seq, message.epoch, _columns(message))
        case Events():
            body = _records.dump_json(list(message.records))
            return _frame(_EVENTS, len(message), message.first_seq, message.epoch, body)
        case Live():
            return _frame(
                _LIVE, len(message), 0, None, _LIVE_AT.pack(message.at_us) + _columns(message)
            )
        case Ack():
            return _frame(_ACK, 0, 0, None, _ack.dump_json(message))
        case Nack():
            return _frame(_NACK, 0, 0, None, _nack.dump_json(message))
        case Birth():
            return _frame(_BIRTH, 0, 0, None, _birth.dump_json(message))
        case Command():
            return _frame(_COMMAND, 0, 0, None, _command.dump_json(message))


def decode_batch(lane: Lane, data: bytes) -> Batch | Events:
    """`lane` is the topic's, and the message must be of it."""
    head, body = _open(data)
    if not 1 <= head.length <= READINGS_MAX or head.first_seq < 1:
        raise WireError(f"{head.length} readings from {head.first_seq}")
    if lane is Lane.EVENT:
        if head.kind != _EVENTS:
            raise WireError(f"kind {head.kind} in lane {lane}")
        records = _json(_records, body)
        if len(records) != head.length:
            raise WireError(f"{len(records)} records where {head.length} are announced")
        return Events(head.epoch, head.first_seq, tuple(records))
    if _LANE_OF_KIND.get(head.kind) is not lane:
        raise WireError(f"kind {head.kind} in lane {lane}")
    return Batch(head.epoch, lane, head.first_seq, *_split(body, head.length))


def decode_ack(data: bytes) -> Ack | Nack:
    head, body = _open(data)
    if head.kind == _ACK:
        return _json(_ack, body)
    if head.kind == _NACK:
        return _json(_nack, body)
    raise WireError(f"kind {head.kind} is no acknowledgment")


def decode_birth(data: bytes) -> Birth:
    return _json(_birth, _body(_BIRTH, data))


def decode_command(data: bytes) -> Command:
    return _json(_command, _body(_COMMAND, data))


def decode_live(data: bytes) -> Live:
    head, body = _open(data)
    if head.kind != _LIVE or not 1 <= head.length <= READINGS_MAX:
        raise WireError(f"kind {head.kind} with {head.length} values is no live message")
    if len(body) < _LIVE_AT.size:
        raise WireError("live message is cut short")
    return Live(
        _LIVE_AT.unpack_from(body)[0], *_split(memoryview(body)[_LIVE_AT.size :], head.length)
    )


def peek(data: bytes) -> Envelope | None:
    """Name a batch without reading it, also of a newer version; None when it is too short."""
    if len(data) < _HEAD_BYTES:
        return None
    _, kind, count, first_seq, epoch = _HEAD.unpack_from(data)
    return Envelope(kind, count, first_seq, UUID(bytes=epoch))


def _frame(kind: int, count: int, first_seq: int, epoch: UUID | None, body: bytes) -> bytes:
    if count > READINGS_MAX or len(body) > INFLATED_MAX:
        raise WireError(f"{count} readings in {len(body)} bytes are too many for one message")
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = deflate.compress(body) + deflate.flush()
    head = _HEAD.pack(VERSION, kind, count, first_seq, epoch.bytes if epoch else _NO_EPOCH)
    if _HEAD_BYTES + len(packed) > BYTES_MAX:
        raise WireError(f"{len(packed)} bytes are too many for one message")
    return head + _CRC.pack(zlib.crc32(packed, zlib.crc32(head))) + packed


def _open(data: bytes) -> tuple[Envelope, bytes]:
    if not _HEAD_BYTES <= len(data) <= BYTES_MAX:
        raise WireError(f"{len(data)} bytes are no message")
    version, kind, count, first_seq, epoch = _HEAD.unpack_from(data)
    packed = memoryview(data)[_HEAD_BYTES:]
    crc = _CRC.unpack_from(data, _HEAD.size)[0]
    if zlib.crc32(packed, zlib.crc32(data[: _HEAD.size])) != crc:
        raise WireError("checksum does not match")
    if version != VERSION:
        raise WireError(f"schema version {version} is not {VERSION}")
    inflate = zlib.decompressobj(-15)
    try:
        body = inflate.decompress(packed, INFLATED_MAX)
    except zlib.error as error:
        raise WireError(f"not deflated: {error}") from None
    if not inflate.eof or inflate.unused_data:
        raise WireError("body is cut short, too long, or followed by more")
    return Envelope(kind, count, first_seq, UUID(bytes=epoch)), body


def _body(kind: int, data: bytes) -> bytes:
    head, body = _open(data)
    if head.kind != kind:
        raise WireError(f"kind {head.kind} where {kind} is due")
    return body


def _json(adapter: TypeAdapter[T], body: bytes) -> T:
    try:
        return adapter.validate_json(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WireError(f"{where}: {first['msg']}") from None


def _columns(message: Batch | Live) -> bytes:
    columns = (message.points, message.times_us, message.values, message.qualities)
    if len({len(column) for column in columns}) != 1 or not len(message):
        raise WireError("columns are empty or of unequal length")
    _check(message.points, message.values, message.qualities)
    return b"".join(_little(column) for column in columns)


def _split(
    body: bytes | memoryview, count: int
) -> tuple[array[int], array[int], array[float], array[int]]:
    if len(body) != count * _READING_BYTES:
        raise WireError(f"{len(body)} bytes for {count} readings")
    points, times, values, qualities = array("I"), array("q"), array("d"), array("B")
    start = 0
    for column in (points, times, values, qualities):
        stop = start + count * column.itemsize
        column.frombytes(body[start:stop])
        if sys.byteorder == "big":
            column.byteswap()
        start = stop
    _check(points, values, qualities)
    return points, times, values, qualities


def _check(points: array[int], values: array[float], qualities: array[int]) -> None:
    if min(points) < 1:
        raise WireError("point number 0")
    if max(qualities) > Quality.BAD:
        raise WireError(f"quality {max(qualities)}")
    if not all(map(isfinite, values)):
        for value, quality in zip(values, qualities, strict=True):
            if quality != Quality.BAD and not isfinite(value):
                raise WireError(f"value {value} with quality {quality}")


def _little(column: array[int] | array[float]) -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()
