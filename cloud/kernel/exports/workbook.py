"""Rows to an .xlsx file, one after the other, in memory that does not grow with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from cloud.kernel.ui.language import Column, Kind

CELL_MAX = 32_767
_TITLE_MAX = 31
_WIDTHS = {Kind.period: 24, Kind.datetime: 19, Kind.age: 19, Kind.date: 12, Kind.money: 14}
_NUMBERS = {
    Kind.money: "#,##0.00",
    Kind.price: "0.00####",
    Kind.quantity: "0.####",
    Kind.whole: "#,##0",
    Kind.percent: "0.0%",
}


class Workbook:
    """One list on one sheet, and a second sheet that says what it is and who took it."""

    def __init__(
        self, path: Path, *, title: str, columns: Sequence[Column], zone: str, watermark: str
    ) -> None:
        self._book = xlsxwriter.Workbook(
            str(path), {"constant_memory": True, "strings_to_formulas": False}
        )
        self._columns = columns
        self._zone = ZoneInfo(zone)
        self._formats: dict[str, Any] = {}
        self._bold = self._book.add_format({"bold": True})
        self._sheet = self._book.add_worksheet(_sheet_name(title))
        self._row = 1
        head = self._book.add_format({"bold": True, "bg_color": "#F1F3F7", "bottom": 1})
        for index, column in enumerate(columns):
            self._sheet.set_column(index, index, _width(column))
            unit = f" ({column.unit})" if column.unit else ""
            self._sheet.write_string(0, index, column.label + unit, head)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_footer(f"&L{_footer(watermark)}&R&P / &N")
        self._sheet.repeat_rows(0)

    @property
    def rows(self) -> int:
        return self._row - 1

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            for index, column in enumerate(self._columns):
                self._write(index, column, row)
            self._row += 1

    def finish(
        self,
        *,
        sums: Mapping[str, str],
        sums_label: str,
        about_label: str,
        facts: Sequence[tuple[str, str]],
    ) -> None:
        """The row of sums, the sheet of facts, and the file is complete."""
        if sums:
            self._sheet.write_string(self._row, 0, sums_label, self._bold)
            for index, column in enumerate(self._columns):
                if column.key in sums and index > 0:
                    self._sheet.write_number(
                        self._row, index, Decimal(sums[column.key]), self._number(column, "", True)
                    )
        about = self._book.add_worksheet(_sheet_name(about_label))
        about.set_column(0, 0, 18)
        about.set_column(1, 1, 60)
        for index, (label, value) in enumerate(facts):
            about.write_string(index, 0, label, self._bold)
            about.write_string(index, 1, value)
        self._book.close()

    def _write(self, index: int, column: Column, row: Mapping[str, Any]) -> None:
        value = _at(row, column.key)
        if value is None or value == "":
            return
        match column.kind:
            case Kind.money | Kind.price | Kind.quantity | Kind.whole | Kind.percent:
                unit = str(_at(row, column.unit_key) or "") if column.unit_key else ""
                self._write_number(index, column, value, unit)
            case Kind.date | Kind.datetime | Kind.age:
                self._write_time(index, value)
            case _:
                self._write_text(index, _text(column, value, row))

    def _write_text(self, index: int, text: str) -> None:
        self._sheet.write_string(self._row, index, text[:CELL_MAX])

    def _write_number(self, index: int, column: Column, value: Any, unit: str) -> None:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            self._write_text(index, str(value))
            return
        self._sheet.write_number(self._row, index, number, self._number(column, unit, False))

    def _write_time(self, index: int, value: Any) -> None:
        if isinstance(value, datetime):
            local = value.astimezone(self._zone).replace(tzinfo=None)
            self._sheet.write_datetime(self._row, index, local, self._format("yyyy-mm-dd hh:mm:ss"))
        elif isinstance(value, date):
            self._sheet.write_datetime(self._row, index, value, self._format("yyyy-mm-dd"))
        else:
            self._write_text(index, str(value))

    def _number(self, column: Column, unit: str, bold: bool) -> Any:
        shown = _NUMBERS[column.kind]
        quoted = unit.replace('"', "")
        return self._format(f'{shown} "{quoted}"' if quoted else shown, bold=bold)

    def _format(self, shown: str, *, bold: bool = False) -> Any:
        key = f"{bold}{shown}"
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"num_format": shown, "bold": bold})
        return self._formats[key]


def _at(row: Any, key: str) -> Any:
    """ "progress.done" reaches into objects, as in the office."""
    for step in key.split("."):
        if not isinstance(row, Mapping):
            return None
        row = row.get(step)
    return row


def _text(column: Column, value: Any, row: Mapping[str, Any]) -> str:
    if isinstance(value, bool):
        return "✓" if value else ""
    if column.kind is Kind.period and isinstance(value, Mapping):
        return " ~ ".join(str(value.get(key)) for key in ("from", "to") if value.get(key))
    if isinstance(value, Mapping):
        return str(value.get("label", ""))
    wanted = str(getattr(value, "value", value))
    if column.kind is Kind.tag and row.get("is_overdue") is True and wanted == "unpaid":
        wanted = "overdue"
    labels = {option.value: option.label for option in column.options}
    return labels.get(wanted, wanted)


def _width(column: Column) -> float:
    if column.width is not None:
        return max(8.0, round(column.width / 7.5, 1))
    return _WIDTHS.get(column.kind, 16)


def _sheet_name(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\']", " ", title).strip()[:_TITLE_MAX] or "1"


def _footer(text: str) -> str:
    return text.replace("&", "&&")[:200]
