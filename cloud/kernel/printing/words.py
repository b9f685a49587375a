"""Amounts in words, as a Chinese receipt carries them."""

from __future__ import annotations

from decimal import Decimal

import cn2an

WORDS_MAX = Decimal(10) ** 13


def rmb_in_words(amount: Decimal) -> str:
    """1409.50 is 壹仟肆佰零玖元伍角整: 整 stands where there is no 分 (spec domain M3.9)."""
    assert abs(amount) < WORDS_MAX
    assert amount == round(amount, 2)
    words = str(cn2an.an2cn(f"{abs(amount):.2f}", "rmb"))
    ending = "" if words.endswith(("分", "整")) else "整"
    return f"{'负' if amount < 0 else ''}{words}{ending}"
