"""What people type: a form sends null for a field that was left empty, and a list as one text."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

_SEPARATORS = re.compile(r"[\s,，、;；]+")


def _nothing_is_blank(value: Any) -> Any:
    return "" if value is None else value


# Why somebody ended or changed what others rely on.
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

# Before the other constraints of a text that may be left empty.
BLANK = BeforeValidator(_nothing_is_blank)


def empty_is(default: Any) -> BeforeValidator:
    """For a value that has a default and may be left empty. Stands after its constraints."""

    def filled(value: Any) -> Any:
        return default if value is None else value

    return BeforeValidator(filled)


def _several(value: Any) -> Any:
    if value is None:
        return []
    if isinstance(value, str):
        return [part for part in _SEPARATORS.split(value) if part]
    return value


# A list that may be typed in one line, as 4, 13, 14. Stands after the other constraints.
SEVERAL = BeforeValidator(_several)
