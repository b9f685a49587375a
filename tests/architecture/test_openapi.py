"""The committed OpenAPI document is the one that the code writes: clients are typed from it."""

from __future__ import annotations

from cloud.main import ROOT
from tools.openapi import document


def test_the_committed_document_is_what_the_code_writes() -> None:
    committed = (ROOT / "openapi.json").read_text(encoding="utf-8")

    assert committed == document(), "run `make openapi`"
