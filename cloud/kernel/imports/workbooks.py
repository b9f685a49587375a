"""The workbooks around an import: the empty template, and the rows that were refused."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import xlsxwriter
from fastapi import Response

from cloud.kernel.context import Ctx
from cloud.kernel.exports.service import XLSX
from cloud.kernel.imports.cells import shown
from cloud.kernel.imports.sheet import REQUIRED_MARK, ROWS_MAX, RawRow
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Import, ImportColumn

Texts = dict[str, str]


def file_response(name: str, content: bytes) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}.xlsx"}
    return Response(content, media_type=XLSX, headers=headers)


async def template_book(ctx: Ctx, importing: Import) -> bytes:
    """Headings with what each takes, drop-down lists, and a second sheet that explains."""
    said = _said(ctx, importing)
    return await asyncio.to_thread(_template, importing, said)


async def report_book(ctx: Ctx, importing: Import, rows: Sequence[tuple[RawRow, str]]) -> bytes:
    """The refused rows under the same headings, so that they can be corrected and sent again."""
    said = _said(ctx, importing)
    return await asyncio.to_thread(_report, importing, said, rows)


def _said(ctx: Ctx, importing: Import) -> Texts:
    keys = {column.label for column in importing.columns}
    keys |= {column.help for column in importing.columns if column.help}
    keys |= {choice.label for column in importing.columns for choice in column.choices}
    own = {
        "title": importing.title,
        "notes": "How to fill in",
        "row": "Row",
        "reason": "Reason",
        "column": "Column",
        "takes": "Takes",
        "example": "Example",
        "yes": "Yes",
        "no": "No",
        "required": "Required",
        **{f"kind:{kind}": label for kind, label in _KINDS.items()},
    }
    return {key: ctx.say(key) for key in keys} | {key: ctx.say(text) for key, text in own.items()}


_KINDS = {
    Kind.text: "Text",
    Kind.quantity: "A number",
    Kind.money: "A number",
    Kind.price: "A number",
    Kind.whole: "A whole number",
    Kind.date: "A date like 2026-11-24",
    Kind.flag: "Yes or no",
    Kind.tag: "One of the list",
}


def _template(importing: Import, said: Texts) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet(said["title"][:31])
    text = book.add_format({"num_format": "@"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    _head(book, sheet, importing, said)
    for index, column in enumerate(importing.columns):
        shown = {Kind.text: text, Kind.date: day}.get(column.kind)
        sheet.set_column(index, index, max(12, len(said[column.label]) * 2 + 4), shown)
        listed = _listed(column, said)
        if listed:
            sheet.data_validation(1, index, ROWS_MAX, index, {"validate": "list", "source": listed})
    notes = book.add_worksheet(said["notes"][:31])
    _notes(book, notes, importing, said)
    book.close()
    return stream.getvalue()


def _head(book: Any, sheet: Any, importing: Import, said: Texts, *, at: int = 0) -> None:
    bold = book.add_format({"bold": True, "bg_color": "#F1F3F7", "bottom": 1})
    for index, column in enumerate(importing.columns, start=at):
        mark = f" {REQUIRED_MARK}" if column.required else ""
        sheet.write_string(0, index, said[column.label] + mark, bold)
    sheet.freeze_panes(1, 0)


def _notes(book: Any, sheet: Any, importing: Import, said: Texts) -> None:
    bold = book.add_format({"bold": True})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 2, 18)
    sheet.set_column(3, 4, 40)
    for index, key in enumerate(("column", "required", "takes", "example", "notes")):
        sheet.write_string(0, index, said[key], bold)
    for row, column in enumerate(importing.columns, start=1):
        listed = _listed(column, said)
        takes = " / ".join(listed) if listed else said[f"kind:{column.kind}"]
        values = (
            said[column.label],
            said["yes"] if column.required else said["no"],
            takes,
            column.example,
            said[column.help] if column.help else "",
        )
        for index, value in enumerate(values):
            sheet.write_string(row, index, value, wrap)


def _listed(column: ImportColumn, said: Texts) -> list[str]:
    if column.kind is Kind.flag:
        return [said["yes"], said["no"]]
    return [said[choice.label] for choice in column.choices]


def _report(importing: Import, said: Texts, rows: Sequence[tuple[RawRow, str]]) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet(said["title"][:31])
    bold = book.add_format({"bold": True, "bg_color": "#FDEBEB", "bottom": 1})
    red = book.add_format({"font_color": "#B8252F"})
    sheet.write_string(0, 0, said["row"], bold)
    sheet.write_string(0, 1, said["reason"], bold)
    sheet.set_column(1, 1, 60)
    _head(book, sheet, importing, said, at=2)
    for at, (row, reason) in enumerate(rows, start=1):
        sheet.write_number(at, 0, row.number)
        sheet.write_string(at, 1, reason, red)
        for index, column in enumerate(importing.columns, start=2):
            sheet.write_string(at, index, shown(row.cells.get(column.key)))
    book.close()
    return stream.getvalue()
