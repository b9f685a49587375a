"""A workbook as somebody sends it, to rows by column; refuses what is no plain table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.kernel.children import ChildFailed, run_child
from cloud.kernel.errors import Unprocessable
from cloud.kernel.i18n import Texts
from cloud.kernel.ui.pages import Import

ROWS_MAX = 10_000
COLUMNS_MAX = 60
TIMEOUT_S = 60.0
REQUIRED_MARK = "*"
# Columns of the workbook of refused rows, which comes back corrected.
REPORTED = ("Row", "Reason")

_CHILD = Path(__file__).with_name("child.py")
Cell = str | tuple[str, str] | None


class NoWorkbook(Unprocessable):
    message = "This file is no Excel workbook. Save it as .xlsx and upload it again."


class WorkbookLocked(Unprocessable):
    message = "This workbook has a password. Save it without one and upload it again."


class CellsMerged(Unprocessable):
    message = "The cells {ranges} are merged. Unmerge them: every row must have its own values."


class SheetTooLarge(Unprocessable):
    message = (
        "The sheet has {rows} rows and {columns} columns; at most {most_rows} and {most_columns}"
        " are taken at once. Split the file, and delete rows that only look empty."
    )


class SheetEmpty(Unprocessable):
    message = "The sheet has no rows below its headings. Fill in the template and upload it."


class ColumnMissing(Unprocessable):
    message = "The column “{column}” is missing. Use the headings of the template, in row 1."


class ColumnUnknown(Unprocessable):
    message = "The heading “{column}” is not known. Use the headings of the template, in row 1."


class ColumnTwice(Unprocessable):
    message = "The column “{column}” is there twice. Delete one of them."


@dataclass(frozen=True)
class RawRow:
    """`number` is the row's own in the sheet, as its reader sees it."""

    number: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class RawSheet:
    rows: list[RawRow]
    blank: int


async def read_sheet(content: bytes, importing: Import, texts: Texts) -> RawSheet:
    """The first sheet. Raises NoWorkbook, WorkbookLocked, CellsMerged, SheetTooLarge, SheetEmpty,
    ColumnMissing, ColumnUnknown and ColumnTwice."""
    limits = (str(ROWS_MAX + 1), str(COLUMNS_MAX))
    try:
        answer = await run_child(_CHILD, *limits, request=content, timeout_s=TIMEOUT_S)
    except ChildFailed:
        raise NoWorkbook from None
    read = json.loads(answer)
    _refuse(read)
    lines = [[_cell(value) for value in row] for row in read["rows"]]
    if not lines:
        raise SheetEmpty
    keys = _columns(lines[0], importing, texts)
    rows, blank = [], 0
    for number, line in enumerate(lines[1:], start=2):
        cells = {key: line[at] for at, key in keys.items() if at < len(line)}
        if all(_is_blank(cell) for cell in cells.values()):
            blank += 1
        else:
            rows.append(RawRow(number, cells))
    if not rows:
        raise SheetEmpty
    return RawSheet(rows, blank)


def _refuse(read: dict[str, Any]) -> None:
    match read.get("refused"):
        case None:
            return
        case "merged":
            raise CellsMerged(ranges=", ".join(_range(*one) for one in read["ranges"]))
        case "too-large":
            raise SheetTooLarge(
                rows=read["rows"],
                columns=read["columns"],
                most_rows=ROWS_MAX,
                most_columns=COLUMNS_MAX,
            )
        case "locked":
            raise WorkbookLocked
        case _:
            raise NoWorkbook


def _range(first: list[int], last: list[int]) -> str:
    return f"{_letters(first[1])}{first[0] + 1}:{_letters(last[1])}{last[0] + 1}"


def _letters(index: int) -> str:
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _cell(value: Any) -> Cell:
    return (value[0], value[1]) if isinstance(value, list) else value


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _columns(head: list[Cell], importing: Import, texts: Texts) -> dict[int, str]:
    """Which column of the sheet holds which key, by heading, in either language."""
    known: dict[str, str | None] = {
        heading: None for one in REPORTED for heading in (one, texts.chinese.get(one, one))
    }
    known |= {
        label: column.key
        for column in importing.columns
        for label in (column.label, texts.chinese.get(column.label, column.label))
    }
    found: dict[int, str] = {}
    for at, cell in enumerate(head):
        if _is_blank(cell):
            continue
        heading = (cell if isinstance(cell, str) else cell[1] if cell else "").strip()
        plain = heading.rstrip(REQUIRED_MARK).strip()
        if plain not in known:
            raise ColumnUnknown(column=heading[:60])
        key = known[plain]
        if key is None:
            continue
        if key in found.values():
            raise ColumnTwice(column=heading[:60])
        found[at] = key
    for column in importing.columns:
        if column.required and column.key not in found.values():
            raise ColumnMissing(column=texts.chinese.get(column.label, column.label))
    return found
