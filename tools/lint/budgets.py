"""Sizes that CI holds: a function, a class, a file, and how much a function asks for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.lint.source import Complaint, Function, Places, Rule, Source

FUNCTION_LINES_MAX = 70
CLASS_LINES_MAX = 250
FILE_LINES_MAX = 600
PARAMETERS_MAX = 10

LARGER: Places = {}


def _sizes(source: Source) -> Iterator[Complaint]:
    length = len(source.lines)
    if length > FILE_LINES_MAX and not source.lets(LARGER, ""):
        yield Complaint(1, f"the file has {length} lines, at most {FILE_LINES_MAX}")
    for node, around in source.walk():
        if not isinstance(node, Function | ast.ClassDef):
            continue
        name = f"{around}.{node.name}" if around else node.name
        if source.lets(LARGER, name):
            continue
        # Decorators count: a route is its signature and what stands above it.
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        lines = (node.end_lineno or node.lineno) - first + 1
        most = CLASS_LINES_MAX if isinstance(node, ast.ClassDef) else FUNCTION_LINES_MAX
        if lines > most:
            yield Complaint(node.lineno, f"{name} has {lines} lines, at most {most}")


def _parameters(source: Source) -> Iterator[Complaint]:
    for node, _ in source.walk():
        if not isinstance(node, Function):
            continue
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        asked = [argument for argument in named if argument.arg not in {"self", "cls"}]
        if len(asked) > PARAMETERS_MAX:
            yield Complaint(
                node.lineno, f"{node.name} asks for {len(asked)}, at most {PARAMETERS_MAX}"
            )


RULES = (
    Rule("size", "SIZE", _sizes),
    Rule("parameters", "PARAMETERS", _parameters),
)
