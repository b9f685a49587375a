"""Texts: English keys in code, translations in each module's `locale/*.json`.

A label's key is its English text. An error's key is `error.<code>`; its English text stands on the
class. Parameters are in braces.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHINESE = "zh-CN"
ENGLISH = "en"
LOCALES = (CHINESE, ENGLISH)


class _Lenient(dict[str, Any]):
    """A parameter that is missing stays visible in braces instead of failing a refusal."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


@dataclass(frozen=True)
class Texts:
    """Chinese by English key. English needs no table: the key is the text."""

    chinese: Mapping[str, str] = field(default_factory=dict)

    def label(self, key: str, locale: str) -> str:
        return key if locale == ENGLISH else self.chinese.get(key, key)

    def knows(self, code: str) -> bool:
        return f"error.{code}" in self.chinese

    def error(self, code: str, english: str, params: Mapping[str, Any], locale: str) -> str:
        template = english
        if locale != ENGLISH:
            template = self.chinese.get(f"error.{code}", english)
        return template.format_map(_Lenient(params))


def load_texts(folders: Iterable[Path]) -> Texts:
    """Read `zh-CN.json` of each folder. Raises ValueError when two differ about a key."""
    chinese: dict[str, str] = {}
    for folder in folders:
        path = folder / f"{CHINESE}.json"
        if not path.exists():
            continue
        for key, value in json.loads(path.read_text(encoding="utf-8")).items():
            if chinese.setdefault(key, value) != value:
                raise ValueError(f"{path}: “{key}” is {chinese[key]} elsewhere and {value} here")
    return Texts(chinese)


def pick_locale(header: str | None, preferred: str | None = None) -> str:
    """The language that the page asks for, else the account's own, else Chinese."""
    wanted = (header or "").lower()
    if wanted.startswith("zh"):
        return CHINESE
    if wanted.startswith("en"):
        return ENGLISH
    return preferred if preferred in LOCALES else CHINESE
