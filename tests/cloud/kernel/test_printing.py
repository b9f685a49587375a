"""Printing: amounts in words, the child process and what it refuses."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from cloud.kernel.printing.compiler import PrintingFailed, compile_document
from cloud.kernel.printing.words import rmb_in_words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("0.00", "零元整"),
        ("10.01", "壹拾元零壹分"),
        ("100.00", "壹佰元整"),
        ("639.24", "陆佰叁拾玖元贰角肆分"),
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("10000001.00", "壹仟万零壹元整"),
        ("100000000.10", "壹亿元壹角整"),
        ("9999999999999.99", "玖万玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
        ("-12.30", "负壹拾贰元叁角整"),
    ],
)
def test_an_amount_in_words(amount: str, words: str) -> None:
    assert rmb_in_words(Decimal(amount)) == words


def test_no_third_decimal_is_put_in_words() -> None:
    with pytest.raises(AssertionError):
        rmb_in_words(Decimal("1.005"))


def _template(folder: Path, text: str) -> Path:
    path = folder / "probe.typ"
    path.write_text(text, encoding="utf-8")
    return path


class TestCompileDocument:
    async def test_makes_a_pdf_of_the_data(self, tmp_path: Path) -> None:
        template = _template(tmp_path, "#json(bytes(sys.inputs.data)).name")

        made = await compile_document(template, {"name": "物业"})

        assert made.startswith(b"%PDF-")

    async def test_refuses_packages_from_the_network(self, tmp_path: Path) -> None:
        template = _template(tmp_path, '#import "@preview/cetz:0.3.4"')

        with pytest.raises(PrintingFailed):
            await compile_document(template, {})

    async def test_reads_nothing_outside_the_folder(self, tmp_path: Path) -> None:
        template = _template(tmp_path, '#read("/../../../etc/hostname")')

        with pytest.raises(PrintingFailed):
            await compile_document(template, {})

    async def test_ends_a_template_that_never_ends(self, tmp_path: Path) -> None:
        template = _template(tmp_path, "#let n = 0\n#while true { n = n + 1; if n < 0 { break } }")

        with pytest.raises(PrintingFailed):
            await compile_document(template, {}, timeout_s=1)

    async def test_ends_a_template_that_eats_memory(self, tmp_path: Path) -> None:
        template = _template(tmp_path, '#let s = "x" * 1000000000\n#let t = s + s\n#t.len()')

        with pytest.raises(PrintingFailed):
            await compile_document(template, {})
