"""Chinese names by the first letters of their pinyin, as people type them to save time."""

from __future__ import annotations

from pypinyin import Style, lazy_pinyin

LENGTH_MAX = 20


def initials(name: str) -> str:
    """张伟 → zw; letters and digits stay, everything else goes."""
    letters = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower()
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())[
        :LENGTH_MAX
    ]
