"""Exact amounts, one clock, and bounds on whatever waits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.lint.source import Complaint, Places, Rule, Source, call_name, dotted

FLOATS: Places = {
    "cloud/modules/devices": "telemetry is float; metering quantises it in one function",
}
_CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "datetime.datetime.now",
    "datetime.date.today",
    "func.now",
}
CLOCKS: Places = {
    "cloud/embedded/supervisor.py": "the process edge: since when a part is in its state",
    "cloud/embedded/runtime_file.py": "the process edge: the status file says when",
    "simulators/__main__.py": "the process edge: the plant takes the time as a value",
}
_QUEUES = {"Queue", "LifoQueue", "PriorityQueue"}


def _floats(source: Source) -> Iterator[Complaint]:
    if not source.is_below("cloud/modules") or source.is_below(*FLOATS):
        return
    for node, _ in source.walk():
        if isinstance(node, ast.Call) and call_name(node) == "float":
            yield Complaint(node.lineno, "float() in a business module: amounts are Decimal")
        elif isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield Complaint(node.lineno, f"{node.value} is a float: write Decimal")


def _clock(source: Source) -> Iterator[Complaint]:
    if source.is_below("tests", "tools") or source.path.endswith("clock.py"):
        return
    for node, around in source.walk():
        if not isinstance(node, ast.Call) or source.lets(CLOCKS, around):
            continue
        name = dotted(node.func)
        if name in _CLOCKS:
            yield Complaint(node.lineno, f"{name}() asks the machine: take ctx.now or a clock.py")


def _bounds(source: Source) -> Iterator[Complaint]:
    for node, _ in source.walk():
        if not isinstance(node, ast.Call):
            continue
        name = call_name(node)
        if name == "SimpleQueue":
            yield Complaint(node.lineno, "SimpleQueue has no bound")
        if name not in _QUEUES:
            continue
        sizes = [*node.args[:1], *(item.value for item in node.keywords if item.arg == "maxsize")]
        if not sizes or (isinstance(sizes[0], ast.Constant) and not sizes[0].value):
            yield Complaint(node.lineno, f"{name} needs a maxsize")


RULES = (
    Rule("float", "FLOAT", _floats),
    Rule("clock", "CLOCK", _clock),
    Rule("bound", "BOUND", _bounds),
)
