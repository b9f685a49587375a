"""Every text that people see has its Chinese, and no translation is left over."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud.kernel.errors import AppError, RefusedElsewhere
from cloud.kernel.i18n import CHINESE, Texts, load_texts
from cloud.kernel.problems import _FIELD_TEXTS
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import HEADINGS, Action, Choice, Column, Form, TablePage
from cloud.main import MODULES
from tests.architecture.web import composed
from tools.lint.source import ROOT, Source, call_name, python_sources

_LABELS = {
    "title", "label", "unit", "help", "note", "section", "submit", "confirm", "done", "foot",
    "empty",
}  # fmt: skip
_WORDS = re.compile(r"[A-Za-z]{2,}")
# Symbols that read the same in every language.
SYMBOLS = {"kWh", "kW", "MWh", "GJ", "Hz", "MPa", "kPa"}


def labels_of(declared: Any) -> Iterator[str]:
    """Every English key in a declaration, however deep it stands."""
    if isinstance(declared, tuple):
        for item in declared:
            yield from labels_of(item)
    elif dataclasses.is_dataclass(declared):
        for field in dataclasses.fields(declared):
            value = getattr(declared, field.name)
            if field.name in _LABELS:
                yield from (value,) if isinstance(value, str) else _strings(value)
            elif field.name not in {"source", "call", "needs", "trial"}:
                yield from labels_of(value)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, tuple):
        yield from (item for item in value if isinstance(item, str))


def untranslated(keys: Iterable[str], texts: Texts) -> list[str]:
    return sorted(
        {
            key
            for key in keys
            if _WORDS.search(key) and key not in SYMBOLS and not texts.chinese.get(key)
        }
    )


def refusals() -> list[type[AppError]]:
    composed()  # all modules are imported
    found: list[type[AppError]] = []
    waiting = [AppError]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith(("cloud.", "actors.")) and kind is not RefusedElsewhere:
                found.append(kind)
    return found


def parameters(template: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", template))


def strangers(code: str, english: str, chinese: str) -> Iterator[str]:
    """Parameters that only the translation names: they would stay in braces."""
    beyond = parameters(chinese) - parameters(english)
    if beyond:
        yield f"error.{code} names {sorted(beyond)}, which the refusal does not bring"


def field_codes(sources: Iterable[Source]) -> set[str]:
    found = set()
    for source in sources:
        for node, _ in source.walk():
            match node:
                case ast.Call(args=[_, ast.Constant(value=str(code))]) if (
                    call_name(node) == "FieldError"
                ):
                    found.add(code)
    return found


def said(sources: Iterable[Source]) -> set[str]:
    """Keys that code says itself: ctx.say("months"), also one of two: say("a" if … else "b")."""
    keys = [
        node.args[0]
        for source in sources
        for node, _ in source.walk()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "say"
        and node.args
    ]
    either = [part for key in keys if isinstance(key, ast.IfExp) for part in (key.body, key.orelse)]
    return {str(key.value) for key in (*keys, *either) if isinstance(key, ast.Constant)}


def left_over(keys: Iterable[str], sources: Iterable[Source]) -> list[str]:
    """Keys of a locale file that no text in its own folder names."""
    named: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for source in sources:
        for node, _ in source.walk():
            if isinstance(node, ast.JoinedStr):
                patterns.append(_pattern(node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                named |= {node.value, f"error.{node.value}"}
            elif isinstance(node, ast.ClassDef):
                named.add(f"error.{re.sub(r'(?<!^)(?=[A-Z])', '-', node.name).lower()}")
    unnamed = set(keys) - named
    return sorted(key for key in unnamed if not any(each.fullmatch(key) for each in patterns))


def _pattern(node: ast.JoinedStr) -> re.Pattern[str]:
    """What a text with parameters may read: f"Outcome: {outcome}". One without words is none."""
    said = [str(part.value) for part in node.values if isinstance(part, ast.Constant)]
    if not any(map(_WORDS.search, said)):
        return re.compile(r"(?!)")
    return re.compile(
        "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+"
            for part in node.values
        )
    )


FOLDERS = ("cloud/kernel", *(f"cloud/modules/{module.name}" for module in MODULES))


def locale_of(folder: str) -> dict[str, str]:
    path = ROOT / folder / "locale" / f"{CHINESE}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def sources_below(folder: str) -> list[Source]:
    return [source for source in python_sources() if source.is_below(folder)]


@pytest.fixture(scope="module")
def texts() -> Texts:
    loaded: Texts = composed().state.runtime.texts
    return loaded


class TestTheTexts:
    def test_pages_and_menu_are_translated(self, texts: Texts) -> None:
        declared = tuple(item for module in MODULES for item in (*module.pages, *module.menu))

        assert untranslated(labels_of((*declared, *HEADINGS)), texts) == []

    def test_what_code_says_is_translated(self, texts: Texts) -> None:
        below = [source for folder in FOLDERS for source in sources_below(folder)]

        assert untranslated(said(below), texts) == []

    def test_refusals_are_translated(self, texts: Texts) -> None:
        missing = [kind.code for kind in refusals() if f"error.{kind.code}" not in texts.chinese]

        assert missing == []

    def test_refusals_have_one_code_each(self) -> None:
        codes = [kind.code for kind in refusals()]

        assert sorted({code for code in codes if codes.count(code) > 1}) == []

    def test_field_errors_are_translated(self, texts: Texts) -> None:
        codes = field_codes(python_sources()) | set(_FIELD_TEXTS)

        assert [code for code in sorted(codes) if f"error.{code}" not in texts.chinese] == []

    def test_translations_bring_no_parameter_of_their_own(self, texts: Texts) -> None:
        english = {kind.code: kind.message for kind in refusals()} | _FIELD_TEXTS

        assert [
            line
            for code, message in english.items()
            for line in strangers(code, message, texts.chinese.get(f"error.{code}", ""))
        ] == []

    @pytest.mark.parametrize("folder", FOLDERS)
    def test_no_translation_is_left_over(self, folder: str) -> None:
        assert left_over(locale_of(folder), sources_below(folder)) == []


class TestSeenRed:
    def test_a_label_at_any_depth(self) -> None:
        page = TablePage(
            code="sample.bills",
            title="Bills",
            source=labels_of,
            columns=(
                Column("state", "State", Kind.tag, choices=(Choice(Kind.tag, "Paid"),)),
                Column("area", "Area", unit="square meters"),
            ),
            sort="state",
            empty=("No bill", "Generate some."),
            actions=(Action("void", "Void", form=Form("Void it?", (), "Void it")),),
        )

        assert untranslated(labels_of(page), Texts({"Bills": "账单"})) == sorted(
            [
                "State", "Paid", "Area", "square meters", "No bill", "Generate some.",
                "Void", "Void it?", "Void it", "Done",
            ]
        )  # fmt: skip

    def test_a_parameter_that_never_comes(self) -> None:
        assert list(strangers("x", "At most {max}.", "最多 {maximum}。"))
        assert not list(strangers("x", "At most {max}.", "最多 {max}。"))

    def test_a_key_that_nothing_names(self) -> None:
        text = (
            'class BillPaid(A):\n    a = Column("b", "Void")\n    c = f"State: {d}"\n    e = f"{d}"'
        )
        source = Source("cloud/modules/x/pages.py", text)
        keys = ["Void", "error.bill-paid", "State: paid", "Gone"]

        assert left_over(keys, [source]) == ["Gone"]

    def test_a_field_code(self) -> None:
        source = Source("cloud/modules/x/service.py", 'e = FieldError("amount", "too-much")')

        assert field_codes([source]) == {"too-much"}

    def test_two_files_that_differ_about_a_key(self, tmp_path: Path) -> None:
        for name, text in (("a", "账单"), ("b", "帐单")):
            (tmp_path / name).mkdir()
            (tmp_path / name / f"{CHINESE}.json").write_text(json.dumps({"Bill": text}))

        with pytest.raises(ValueError, match="Bill"):
            load_texts([tmp_path / "a", tmp_path / "b"])
