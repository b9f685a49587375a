"""What the office sees of an import."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel


class ImportMode(StrEnum):
    """check: try everything and keep nothing. all: keep all rows or none. valid: keep the good."""

    check = "check"
    all = "all"
    valid = "valid"


class FaultRead(BaseModel):
    """`row` is the row's number in the sheet; `field` is empty when the whole row is meant."""

    row: int
    field: str
    value: str
    code: str
    reason: str


class ImportReport(BaseModel):
    """`faults` are the first 200; all of them are in the workbook that can be downloaded."""

    mode: ImportMode
    rows: int
    blank: int
    valid: int
    added: int
    faulty: int
    faults: list[FaultRead]
