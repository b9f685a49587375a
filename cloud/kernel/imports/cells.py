"""One cell to the value that its column takes, or to the reason why it cannot be that."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from cloud.kernel.errors import Unprocessable
from cloud.kernel.i18n import Texts
from cloud.kernel.imports.sheet import Cell
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Choice, ImportColumn

_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_PACKED_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YES = {"1", "是", "y", "yes", "true", "√", "✓"}
_NO = {"0", "否", "n", "no", "false"}


class CellMissing(Unprocessable):
    message = "Fill this in."


class NumberUnreadable(Unprocessable):
    message = "“{value}” is not a number. Write digits only, without units or separators."


class TooManyPlaces(Unprocessable):
    message = "{value} has more than {places} decimal places."


class NumberTooLow(Unprocessable):
    message = "{value} is too low: it must not be below {least}."


class NumberTooLarge(Unprocessable):
    message = "{value} is too large."


class DateUnreadable(Unprocessable):
    message = "“{value}” is not a date. Write it like 2026-11-24, 2026/11/24 or 20261124."


class ChoiceUnknown(Unprocessable):
    message = "“{value}” is not one of: {choices}."


class TextTooLong(Unprocessable):
    message = "At most {most} characters; this has {length}."


def value_of(column: ImportColumn, cell: Cell, texts: Texts) -> Any:
    """None for an empty cell. Raises CellMissing and what the kind of the column refuses."""
    text = shown(cell)
    if not text:
        if column.required:
            raise CellMissing
        return None
    match column.kind:
        case Kind.quantity | Kind.money | Kind.price:
            return _number(column, text)
        case Kind.whole:
            return int(_number(column, text))
        case Kind.date:
            return _date(text)
        case Kind.flag:
            return _flag(text)
        case Kind.tag:
            return _choice(column.choices, text, texts)
        case _:
            if len(text) > column.length:
                raise TextTooLong(most=column.length, length=len(text))
            return text


def shown(cell: Cell) -> str:
    """Text stays as typed, 0101 included; a number that is whole loses its “.0”."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.strip().strip("\u3000\u00a0").strip()
    kind, text = cell
    if kind == "number":
        number = Decimal(text)
        whole = number == number.to_integral_value()
        return f"{number.quantize(Decimal(1)) if whole else number.normalize():f}"
    return text[:10] if kind == "date" else text


def _number(column: ImportColumn, text: str) -> Decimal:
    try:
        number = Decimal(text) if not set(text) - set("0123456789.+-") else None
    except InvalidOperation:
        number = None
    if number is None:
        raise NumberUnreadable(value=text[:40])
    places = 0 if column.kind is Kind.whole else column.places
    if number != round(number, places):
        raise TooManyPlaces(value=text[:40], places=places)
    if column.least is not None and number < column.least:
        raise NumberTooLow(value=text[:40], least=column.least)
    if abs(number) >= Decimal(10) ** 11:
        raise NumberTooLarge(value=text[:40])
    return number


def _date(text: str) -> date:
    found = _DAY.fullmatch(text) or _PACKED_DAY.fullmatch(text)
    try:
        if found:
            year, month, day = map(int, found.groups())
            return date(year, month, day)
    except ValueError:
        pass
    raise DateUnreadable(value=text[:40])


def _flag(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ChoiceUnknown(value=text[:40], choices="是, 否")


def _choice(choices: tuple[Choice, ...], text: str, texts: Texts) -> Any:
    for choice in choices:
        label = texts.chinese.get(choice.label, choice.label)
        if text in {choice.label, label, choice.value.value}:
            return choice.value
    listed = ", ".join(texts.chinese.get(choice.label, choice.label) for choice in choices)
    raise ChoiceUnknown(value=text[:40], choices=listed)
