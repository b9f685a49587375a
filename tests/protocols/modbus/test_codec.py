"""Registers as values: by the book, by libmodbus's convention, and back."""

import math
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from protocols.errors import PointConfigError
from protocols.modbus import codec
from protocols.modbus.config import ModbusPoint, RegisterType

# Modbus Application Protocol V1.1b3, 4.2 (16-bit words are big-endian); floats worked out by hand
# from IEEE 754. test_driver.py reads the same floats as libmodbus writes them.
GOLDEN = [
    ("uint16", "big", [0xFFFF], "1", 65535.0),
    ("int16", "big", [0xFFFE], "0.1", -0.2),
    ("uint32", "big", [0x0001, 0xE240], "0.01", 1234.56),
    ("uint32", "little", [0xE240, 0x0001], "0.01", 1234.56),
    ("int32", "big", [0xFFFF, 0xFFFF], "1", -1.0),
    ("float32", "big", [0x4366, 0x4000], "1", 230.25),
    ("float32", "little", [0x0000, 0xC148], "1", -12.5),
    ("uint64", "big", [0, 0, 1, 0], "1", 65536.0),
    ("uint64", "little", [0, 1, 0, 0], "1", 65536.0),
    ("float64", "big", [0x3FF8, 0, 0, 0], "2", 3.0),
]


def point(**fields: Any) -> ModbusPoint:
    return ModbusPoint.model_validate(
        {"point": 1, "code": "p", "table": "holding", "address": 0, "type": "uint16"} | fields
    )


@pytest.mark.parametrize(("kind", "order", "registers", "scale", "value"), GOLDEN)
class TestGolden:
    def test_decodes(
        self, kind: str, order: str, registers: list[int], scale: str, value: float
    ) -> None:
        read = point(type=kind, word_order=order, scale=Decimal(scale))
        assert codec.decoder(read)(codec.pack([7, *registers]), 1) == value

    def test_encodes(
        self, kind: str, order: str, registers: list[int], scale: str, value: float
    ) -> None:
        written = point(type=kind, word_order=order, scale=Decimal(scale))
        assert codec.encode(written, value) == registers


@given(
    st.sampled_from([kind for kind in RegisterType if not kind.startswith("float")]),
    st.sampled_from(["big", "little"]),
    st.sampled_from(["1", "0.01", "0.001", "10", "-1"]),
    st.data(),
)
def test_what_was_read_can_be_written_back(
    kind: RegisterType, order: str, scale: str, data: st.DataObject
) -> None:
    """For all that a float tells apart after scaling: 15 decimal digits, 49 bits."""
    signed = kind.startswith("int")
    bits = min(16 * kind.registers, 49) - signed
    raw = data.draw(st.integers(-(2**bits) if signed else 0, 2**bits - 1))
    registers = list(
        struct.unpack(f">{kind.registers}H", raw.to_bytes(2 * kind.registers, "big", signed=signed))
    )
    if order == "little":
        registers.reverse()
    described = point(type=kind, word_order=order, scale=Decimal(scale))

    value = codec.decoder(described)(codec.pack(registers), 0)

    assert value == float(raw * Decimal(scale))
    assert codec.encode(described, value) == registers


@pytest.mark.parametrize(
    ("kind", "value"),
    [("uint16", -1.0), ("uint16", 65536.0), ("int32", 2.0**31), ("float32", 1e39)],
)
def test_refuses_what_the_register_cannot_hold(kind: str, value: float) -> None:
    with pytest.raises(PointConfigError, match="does not fit"):
        codec.encode(point(type=kind), value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_refuses_what_is_no_number(value: float) -> None:
    with pytest.raises(PointConfigError, match="no value"):
        codec.encode(point(type="float32"), value)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"address": 65535, "type": "uint32"}, "ends beyond register 65535"),
        ({"address": 65536}, "less than 65536"),
        ({"type": "uint8"}, "'int16', 'uint16'"),
        ({"scale": 0}, "scale of 0"),
        ({"point": 0}, "greater than or equal to 1"),
        ({"unit": "kWh"}, "not permitted"),
    ],
)
def test_a_point_that_cannot_be_is_refused(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        point(**fields)
