"""The thin edge: a route is a signature and one call, an answer has no defaults."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.lint.source import Complaint, Function, Places, Rule, Source, dotted

_METHODS = {"get", "post", "put", "patch", "delete"}

MORE_THAN_ONE_CALL: Places = {
    "cloud/modules/accounts/api.py:public_facts": "two facts of the process, no database",
    "cloud/modules/accounts/api.py:log_in": "sets the cookie",
    "cloud/modules/accounts/api.py:log_out": "drops the cookie",
    "cloud/modules/accounts/api.py:read_session": "hands the cookie's token on",
    "cloud/modules/accounts/api.py:choose_locale": "answers the whole boot again",
    "cloud/modules/accounts/api.py:change_own_password": "answers the whole boot again",
    "cloud/modules/devices/api.py:read_now": "looks the device's community up before it asks there",
    "cloud/modules/devices/api.py:stream_live": "checks the community, then answers for minutes",
}


def _one_call(source: Source) -> Iterator[Complaint]:
    if not source.is_below("cloud/modules") or not source.path.endswith("/api.py"):
        return
    for node, around in source.walk():
        if not isinstance(node, Function) or not _is_route(node):
            continue
        if source.lets(MORE_THAN_ONE_CALL, f"{around}.{node.name}" if around else node.name):
            continue
        if not _is_one_call(node.body):
            yield Complaint(node.lineno, f"{node.name} does more than one call")


def _is_route(node: Function) -> bool:
    return any(
        isinstance(decorator, ast.Call)
        and dotted(decorator.func).rpartition(".")[2] in _METHODS
        and "router" in dotted(decorator.func)
        for decorator in node.decorator_list
    )


def _is_one_call(body: list[ast.stmt]) -> bool:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest] if rest:
            return _is_one_call(rest)
        case [ast.Return(value=value) | ast.Expr(value=value)]:
            return isinstance(value.value if isinstance(value, ast.Await) else value, ast.Call)
    return False


def _read_schemas(source: Source) -> Iterator[Complaint]:
    if not source.is_below("cloud"):
        return
    for node, _ in source.walk():
        if not isinstance(node, ast.ClassDef) or not node.name.endswith("Read"):
            continue
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and line.value and not _is_required(line.value):
                field = dotted(line.target)
                yield Complaint(line.lineno, f"{node.name}.{field}: an answer has no defaults")


def _is_required(value: ast.expr) -> bool:
    """`Field(description=…)` names no default."""
    if not isinstance(value, ast.Call):
        return False
    named = {item.arg for item in value.keywords}
    return not value.args and not named & {"default", "default_factory"}


RULES = (
    Rule("one-call", "ONE_CALL", _one_call),
    Rule("read-schema", "READ_SCHEMA", _read_schemas),
)
