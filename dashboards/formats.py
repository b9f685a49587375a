"""Numbers, dates and shares as the office writes them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from html import escape

NONE = "–"
MINUS = "−"
_TEN_THOUSAND = Decimal(10_000)
_MILLION = Decimal(1_000_000)

__all__ = ["NONE", "change", "escape", "headline", "money", "percent"]


def money(value: Decimal) -> str:
    """To the cent, with a real minus."""
    return f"{value:,.2f}".replace("-", MINUS)


def headline(value: Decimal, *, chinese: bool) -> tuple[str, str]:
    """A large figure and its unit; the exact one stands in its title."""
    if abs(value) < _MILLION:
        return money(value), ""
    if chinese:
        return money(value / _TEN_THOUSAND), "万"
    return money(value / _MILLION), "M"


def percent(value: Decimal | None) -> str:
    if value is None:
        return NONE
    share = (value * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{share}%".replace("-", MINUS)


def change(now: Decimal | None, before: Decimal | None, *, points: bool) -> Decimal | None:
    """How much more in percent, or in points of percent for shares; None without a past."""
    if now is None or before is None:
        return None
    if points:
        return ((now - before) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    if before == 0:
        return None
    return ((now - before) / abs(before) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
