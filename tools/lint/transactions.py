"""One request, one message, one job step = one transaction, and only the kernel opens it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.lint.source import Complaint, Places, Rule, Source, call_name, dotted

_ENDING = {"commit", "rollback", "begin", "begin_nested"}
_OPENING = {"make_engine", "make_sessions", "create_engine", "create_async_engine", "AsyncSession"}

OPENED_ELSEWHERE: Places = {
    "cloud/migrations/env.py": "the owner's migration, one transaction a revision",
    "cloud/main.py": "the composition root makes each process's engine",
    "cloud/modules/accounts/service/sessions.py:log_in": "a failed try is remembered",
    "cloud/modules/accounts/service/sessions.py:log_out": "it may have ended already",
    "cloud/modules/accounts/queries.py:AccountsAuthenticator": "the principal precedes its Ctx",
    "actors/client.py:SitesClient._address": "a shard's host is no tenant's data",
    "actors/edge_configs.py:_gateways": "asks a function which companies there are",
    "actors/directory.py:Directory.activate": "asks whose a site is, before there is a scope",
}


def _transactions(source: Source) -> Iterator[Complaint]:
    if not source.is_below("cloud", "actors", "dashboards") or source.is_below("cloud/kernel"):
        return
    for node, around in source.walk():
        if not isinstance(node, ast.Call) or source.lets(OPENED_ELSEWHERE, around):
            continue
        name = call_name(node)
        if name in _ENDING and isinstance(node.func, ast.Attribute):
            yield Complaint(node.lineno, f".{name}() belongs to the unit of work")
        elif name in _OPENING:
            yield Complaint(node.lineno, f"{name} opens a database beside the Ctx")
        elif name in {"sessions", "_sessions"}:
            yield Complaint(node.lineno, "a session without a unit of work is unscoped")


def _flush(source: Source) -> Iterator[Complaint]:
    if not source.is_below("cloud", "actors"):
        return
    for node, _ in source.walk():
        if not isinstance(node, ast.Call) or not dotted(node.func).endswith("session.flush"):
            continue
        said = source.line(node.lineno).partition("#")[2] or source.line(
            node.lineno - 1
        ).strip().startswith("#")
        if not said:
            yield Complaint(node.lineno, "flush() with no reason beside it")


RULES = (
    Rule("transaction", "TRANSACTION", _transactions),
    Rule("flush", "FLUSH", _flush),
)
