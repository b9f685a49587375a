"""What people type: a form sends null for a field that was left empty."""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator


def _nothing_is_blank(value: Any) -> Any:
    return "" if value is None else value


# Before the other constraints of a text that may be left empty.
BLANK = BeforeValidator(_nothing_is_blank)
