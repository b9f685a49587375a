"""Names carry meaning: words that say nothing, and addresses of one machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.lint.source import Complaint, Function, Places, Rule, Source

_EMPTY_WORDS = {"manager", "helper", "helpers", "util", "utils", "common", "misc", "impl"}
_PATTERN_CLASSES = re.compile(r"^_?(Abstract|Base)[A-Z]|(Impl|Interface|Factory)$")
_FILLER = re.compile(r"^_?(do|my|new)_")

# The words of a library or of the trade that a name of ours has to repeat.
NAMED_SO: Places = {
    "cloud/kernel/auth.py:new_token": "a token is made by nothing but being new",
}


def _names(source: Source) -> Iterator[Complaint]:
    stem = source.path.rpartition("/")[2].removesuffix(".py")
    if set(stem.split("_")) & _EMPTY_WORDS:
        yield Complaint(1, f"“{stem}” does not say what the file holds")
    for node, around in source.walk():
        if not isinstance(node, Function | ast.ClassDef):
            continue
        name = node.name
        if source.lets(NAMED_SO, f"{around}.{name}" if around else name):
            continue
        if set(_words(name)) & _EMPTY_WORDS:
            yield Complaint(node.lineno, f"“{name}” uses a word that says nothing")
        elif isinstance(node, ast.ClassDef) and _PATTERN_CLASSES.search(name):
            if not source.is_below("cloud/kernel"):
                yield Complaint(node.lineno, f"“{name}” names a pattern, not a thing")
        elif isinstance(node, Function) and _FILLER.match(name):
            yield Complaint(node.lineno, f"“{name}” begins with filler")


def _words(name: str) -> list[str]:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def _docstring(source: Source) -> Iterator[Complaint]:
    """The first line of every file says what it holds; an empty __init__ holds nothing."""
    if source.text.strip() and not ast.get_docstring(source.tree):
        yield Complaint(1, "the file does not say what it holds")


# Written in pieces, so that this file does not name what it forbids.
_MACHINE = re.compile(
    "|".join(
        (
            r"(?<![\w.$}/-])/(?:work|root|home|Users)/\w+",
            r"\b(?:p[y]pi|files\.p[y]thonhosted|registry\.n[p]mjs|n[p]mmirror|registry\.y[a]rnpkg)\.\w+",
            r"\b(?:deb|security|snapshot)\.debian\.org",
            r"\bproxy\.golang\.org",
            r"//(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+",
        )
    )
)
MACHINES: Places = {
    "tools/lint/names.py": "the pattern itself",
}


def machine_traces(text: str) -> Iterator[Complaint]:
    """Lines that work on one machine or in one network only. For files of any kind."""
    for number, line in enumerate(text.splitlines(), 1):
        found = _MACHINE.search(line)
        if found:
            yield Complaint(number, f"{found.group()} belongs to one machine or network")


def _machine(source: Source) -> Iterator[Complaint]:
    if not source.lets(MACHINES, ""):
        yield from machine_traces(source.text)


RULES = (
    Rule("name", "NAME", _names),
    Rule("docstring", "DOCSTRING", _docstring),
    Rule("machine", "MACHINE", _machine),
)
