"""How a Modbus bus, its devices and their registers are described."""

from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

REGISTERS = 65_536
REGISTERS_PER_READ_MAX = 125


class Table(StrEnum):
    HOLDING = "holding"
    INPUT = "input"


class RegisterType(StrEnum):
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"

    @property
    def registers(self) -> int:
        return int(self.value.lstrip("uintfloa")) // 16


def _exact(value: object) -> object:
    """A scale of 0.01 in a file means one hundredth, not the nearest binary fraction."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            return value
    return value


Scale = Annotated[Decimal, BeforeValidator(_exact), Field(allow_inf_nan=False)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ModbusPoint(Strict):
    """value = register × scale. `point` is the platform's number of it."""

    point: Annotated[int, Field(ge=1, lt=2**32)]
    code: Annotated[str, Field(min_length=1, max_length=64)]
    table: Annotated[Table, Field(strict=False)]
    address: Annotated[int, Field(ge=0, lt=REGISTERS)]
    type: Annotated[RegisterType, Field(strict=False)]
    word_order: Literal["big", "little"] = "big"
    scale: Scale = Decimal(1)

    @model_validator(mode="after")
    def _fits(self) -> "ModbusPoint":
        if self.scale == 0:
            raise ValueError("a scale of 0 makes every value 0")
        if self.address + self.type.registers > REGISTERS:
            raise ValueError(
                f"register {self.address} of type {self.type} ends beyond register {REGISTERS - 1}"
            )
        return self


class ModbusLimits(Strict):
    """What a device allows in one read. Up to `gap_max` unused registers are read along."""

    registers_per_read: Annotated[int, Field(ge=1, le=REGISTERS_PER_READ_MAX)] = (
        REGISTERS_PER_READ_MAX
    )
    gap_max: Annotated[int, Field(ge=0, le=REGISTERS_PER_READ_MAX)] = 16
