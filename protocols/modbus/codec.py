"""Registers as values, and back. Pure.

Registers hold big-endian words of 16 bits. With word order "big" the first register is the most
significant one (ABCD), with "little" the last one is (CDAB).
"""

import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from math import isfinite

from protocols.errors import PointConfigError
from protocols.modbus.config import ModbusPoint, RegisterType

Decode = Callable[[bytes, int], float]
"""Takes the bytes of a read and the offset of the point in registers."""

_FORMATS = {
    RegisterType.INT16: "h",
    RegisterType.UINT16: "H",
    RegisterType.INT32: "i",
    RegisterType.UINT32: "I",
    RegisterType.INT64: "q",
    RegisterType.UINT64: "Q",
    RegisterType.FLOAT32: "f",
    RegisterType.FLOAT64: "d",
}
_FLOATS = (RegisterType.FLOAT32, RegisterType.FLOAT64)


def decoder(point: ModbusPoint) -> Decode:
    """Integers are scaled exactly and rounded once, so that 123456 × 0.01 is 1234.56."""
    size = point.type.registers
    unpack = struct.Struct(">" + _FORMATS[point.type]).unpack_from
    above, below = point.scale.as_integer_ratio()
    factor = float(point.scale) if point.type in _FLOATS else None
    swapped = point.word_order == "little" and size > 1

    def decode(data: bytes, offset: int) -> float:
        start = 2 * offset
        if swapped:
            raw = unpack(_reverse_words(data[start : start + 2 * size]))[0]
        else:
            raw = unpack(data, start)[0]
        return float(raw * above / below if factor is None else raw * factor)

    return decode


def encode(point: ModbusPoint, value: float) -> list[int]:
    """Raises PointConfigError for a value that the register cannot hold."""
    if not isfinite(value):
        raise PointConfigError(f"{point.code}: {value} is no value to write")
    raw = Decimal(repr(value)) / point.scale
    try:
        data = struct.pack(
            ">" + _FORMATS[point.type], float(raw) if point.type in _FLOATS else round(raw)
        )
    except (struct.error, OverflowError):
        raise PointConfigError(
            f"{point.code}: {value} does not fit {point.type} × {point.scale}"
        ) from None
    if point.word_order == "little":
        data = _reverse_words(data)
    return list(struct.unpack(f">{point.type.registers}H", data))


def pack(registers: Sequence[int]) -> bytes:
    return struct.pack(f">{len(registers)}H", *registers)


def _reverse_words(data: bytes) -> bytes:
    return b"".join(data[i : i + 2] for i in range(len(data) - 2, -1, -2))
