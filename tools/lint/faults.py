"""Who may catch everything, and bodies that only pretend."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from tools.lint.source import Complaint, Function, Places, Rule, Source, call_name, dotted

_EVERYTHING = {"Exception", "BaseException"}

# The supervision boundaries: what fails there is counted, said once, and tried again or ended.
BOUNDARIES: Places = {
    "actors/door.py:answer": "the host's door: a bug is answered with its incident",
    "actors/host.py:Host._run_command": "the turn: whoever asked is told",
    "dashboards/view.py:DashboardPage._try": "the page: whoever looks is told, with the incident",
    "actors/groups.py:Groups.run": "the host: one bad batch stalls nobody",
}
# Functions whose work is to do nothing.
NOTHING: Places = {
    "cloud/embedded/part.py:_nothing": "for a part that needs no preparation",
}


def _boundaries(source: Source) -> Iterator[Complaint]:
    for node, around in source.walk():
        if source.lets(BOUNDARIES, around):
            continue
        if isinstance(node, ast.ExceptHandler):
            if not _takes_everything(node.type) or _passes_on(node):
                continue
            yield Complaint(node.lineno, f"{around or 'the module'} catches everything")
        elif isinstance(node, ast.Call) and call_name(node) == "suppress" and _is_broad(node.args):
            yield Complaint(node.lineno, f"{around or 'the module'} swallows everything")


def _passes_on(handler: ast.ExceptHandler) -> bool:
    """Tidies up and raises the same again: nothing is swallowed."""
    match handler.body[-1]:
        case ast.Raise(exc=None):
            return True
    return False


def _is_broad(names: list[ast.expr]) -> bool:
    return any(dotted(name) in _EVERYTHING for name in names)


def _takes_everything(caught: ast.expr | None) -> bool:
    match caught:
        case None:
            return True
        case ast.Tuple(elts=names):
            return _is_broad(names)
    return dotted(caught) in _EVERYTHING


_IDLE = "%s does nothing"
_MARKS = ("TO" + "DO", "FIX" + "ME", "XX" + "X")


def _pretending(source: Source) -> Iterator[Complaint]:
    for number, line in enumerate(source.lines, 1):
        comment = line.partition("#")[2]
        if any(mark in comment for mark in _MARKS):
            yield Complaint(number, "a mark for later: file an issue or do it")
    promised = _promised(source)
    for node, around in source.walk():
        if isinstance(node, ast.Raise) and node.exc is not None:
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if dotted(raised) == "NotImplementedError":
                yield Complaint(node.lineno, "NotImplementedError: write it or leave it out")
        elif isinstance(node, Function) and _is_empty(node) and node not in promised:
            name = f"{around}.{node.name}" if around else node.name
            yield from [] if source.lets(NOTHING, name) else [Complaint(node.lineno, _IDLE % name)]


def _promised(source: Source) -> set[ast.stmt]:
    """The methods of a Protocol: their signature is all there is to say."""
    return {
        method
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and any(dotted(b) == "Protocol" for b in node.bases)
        for method in node.body
    }


def _is_empty(node: Function) -> bool:
    """Only `pass` or `...`; a docstring alone says what an abstract method promises."""
    marks = {dotted(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    if marks & {"abstractmethod", "overload"}:
        return False
    match node.body:
        case [ast.Pass()] | [ast.Expr(value=ast.Constant(value=builtins.Ellipsis))]:
            return True
    return False


_GUESSES = {"hasattr", "__import__", "import_module", "setattr", "globals", "eval", "exec"}


def _guesses(source: Source) -> Iterator[Complaint]:
    if not source.is_below("cloud/modules"):
        return
    for node, _ in source.walk():
        if isinstance(node, ast.Call):
            name = call_name(node)
            if name in _GUESSES or (name == "getattr" and len(node.args) > 2):
                yield Complaint(node.lineno, f"{name}() hides what the type says")
        if isinstance(node, ast.Attribute) and node.attr == "__subclasses__":
            yield Complaint(node.lineno, "__subclasses__ is a registry by import")
        if isinstance(node, ast.Name) and node.id == "HTTPException":
            yield Complaint(node.lineno, "raise an AppError beside the function")


RULES = (
    Rule("boundary", "BOUNDARY", _boundaries),
    Rule("pretending", "PRETENDING", _pretending),
    Rule("guess", "GUESS", _guesses),
)
