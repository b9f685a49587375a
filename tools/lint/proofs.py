"""Tests prove something, on the real thing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.lint.source import Complaint, Function, Places, Rule, Source, call_name, dotted

# Tests whose proof is that a foreign judge, named here, accepts what happened.
JUDGED_ELSEWHERE: Places = {
    "tests/embedded/test_broker.py:TestAGateway.test_cannot_evict_another_by_its_client_id": (
        "the broker acknowledges to who is still connected"
    ),
    "tests/embedded/test_broker.py:TestUsers.test_are_let_in_while_others_stay_connected": (
        "the broker acknowledges to who is still connected"
    ),
}


def _asserts(source: Source) -> Iterator[Complaint]:
    if not source.path.rpartition("/")[2].startswith("test_"):
        return
    for node, around in source.walk():
        if not isinstance(node, Function) or not node.name.startswith("test_"):
            continue
        name = f"{around}.{node.name}" if around else node.name
        if not any(map(_proves, ast.walk(node))) and not source.lets(JUDGED_ELSEWHERE, name):
            yield Complaint(node.lineno, f"{node.name} asserts nothing")


def _proves(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    return isinstance(node, ast.Call) and (
        call_name(node) in {"raises", "warns"} or call_name(node).startswith(("assert_", "expect"))
    )


def _doubles(source: Source) -> Iterator[Complaint]:
    for node, _ in source.walk():
        if isinstance(node, ast.Call) and dotted(node.func) == "monkeypatch.setattr":
            yield Complaint(node.lineno, "monkeypatch.setattr replaces our own code")
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [getattr(node, "module", "") or "", *(item.name for item in node.names)]
            if any(name.startswith(("unittest.mock", "pytest_mock")) for name in names):
                yield Complaint(node.lineno, "a mock proves what it was told")


RULES = (
    Rule("assert", "ASSERT", _asserts),
    Rule("double", "DOUBLE", _doubles),
)
