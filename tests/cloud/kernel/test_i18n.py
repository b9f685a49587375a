"""Texts: English keys, Chinese from files, and no refusal that fails for want of a parameter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud.kernel.i18n import CHINESE, ENGLISH, Texts, load_texts, pick_locale

TEXTS = Texts({"Bill": "账单", "error.too-much": "最多 {most}。"})


class TestLabel:
    @pytest.mark.parametrize(
        ("key", "locale", "text"),
        [
            ("Bill", CHINESE, "账单"),
            ("Bill", ENGLISH, "Bill"),
            ("Unknown", CHINESE, "Unknown"),
        ],
    )
    def test_is_the_key_in_english(self, key: str, locale: str, text: str) -> None:
        assert TEXTS.label(key, locale) == text


class TestError:
    @pytest.mark.parametrize(
        ("locale", "params", "text"),
        [
            (CHINESE, {"most": 3}, "最多 3。"),
            (ENGLISH, {"most": 3}, "At most 3."),
            (ENGLISH, {}, "At most {most}."),
        ],
    )
    def test_fills_in_what_it_has(self, locale: str, params: dict[str, int], text: str) -> None:
        assert TEXTS.error("too-much", "At most {most}.", params, locale) == text

    def test_falls_back_to_english(self) -> None:
        assert TEXTS.error("other", "Not so.", {}, CHINESE) == "Not so."
        assert TEXTS.knows("too-much")
        assert not TEXTS.knows("other")


class TestPickLocale:
    @pytest.mark.parametrize(
        ("header", "preferred", "picked"),
        [
            (None, None, CHINESE),
            ("", None, CHINESE),
            ("en-US,en;q=0.9", None, ENGLISH),
            ("EN", None, ENGLISH),
            ("zh-CN", None, CHINESE),
            ("fr,en", None, CHINESE),
            ("en", CHINESE, ENGLISH),
            ("zh-TW", ENGLISH, CHINESE),
            (None, ENGLISH, ENGLISH),
            ("fr", ENGLISH, ENGLISH),
            ("fr", "xx", CHINESE),
        ],
    )
    def test_is_the_pages_else_the_accounts_else_chinese(
        self, header: str | None, preferred: str | None, picked: str
    ) -> None:
        assert pick_locale(header, preferred) == picked


class TestLoadTexts:
    def test_reads_the_folders_that_have_texts(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / f"{CHINESE}.json").write_text(json.dumps({"Bill": "账单"}))

        texts = load_texts([tmp_path / "a", tmp_path / "absent"])

        assert texts.chinese == {"Bill": "账单"}
