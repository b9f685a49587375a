"""What a rule sees and what it answers: one file of ours, and a complaint with its line."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef
# Places that a rule lets through, "path:qualified name" or a path, each with its reason.
Places = Mapping[str, str]


@dataclass(frozen=True)
class Source:
    """One Python file. `path` is relative to the checkout, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def line(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def is_below(self, *folders: str) -> bool:
        return self.path.startswith(tuple(f"{folder}/" for folder in folders))

    def walk(self) -> Iterator[tuple[ast.AST, str]]:
        """Every node with the qualified name of the function or class around it."""
        yield from _walk(self.tree, "")

    def place(self, name: str) -> str:
        return f"{self.path}:{name}" if name else self.path

    def lets(self, places: Places, name: str) -> bool:
        """Whether `places` lists this file, or the function `name` in it or one around that."""
        parts = name.split(".")
        around = [self.place(".".join(parts[:end])) for end in range(len(parts), 0, -1)]
        return any(place in places for place in (*around, self.path))


def _walk(node: ast.AST, name: str) -> Iterator[tuple[ast.AST, str]]:
    for child in ast.iter_child_nodes(node):
        yield child, name
        inner = name
        if isinstance(child, Function | ast.ClassDef):
            inner = f"{name}.{child.name}" if name else child.name
        yield from _walk(child, inner)


@dataclass(frozen=True)
class Complaint:
    line: int
    text: str


@dataclass(frozen=True)
class Rule:
    """A rule of the house. A line that ends in `# skip: CODE - reason` is let through."""

    name: str
    skip_code: str
    check: Callable[[Source], Iterable[Complaint]]

    def complaints(self, source: Source) -> list[Complaint]:
        return [
            complaint
            for complaint in self.check(source)
            if f"# skip: {self.skip_code} - " not in source.line(complaint.line)
        ]


def call_name(node: ast.Call) -> str:
    """The last name of what is called: `append` in `self.rows.append(…)`."""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def dotted(node: ast.AST) -> str:
    """`a.b.c` for a chain of names, empty for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            head = dotted(value)
            return f"{head}.{name}" if head else ""
    return ""


def tracked_files(*, root: Path = ROOT) -> list[str]:
    """What git has or would take, so that a file is checked before it is committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git of the PATH
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({path for path in listed.stdout.splitlines() if (root / path).is_file()})


@cache
def python_sources(*, root: Path = ROOT) -> tuple[Source, ...]:
    """All of ours, read and parsed once in a process."""
    return tuple(
        Source(path, (root / path).read_text(encoding="utf-8"))
        for path in tracked_files(root=root)
        if path.endswith(".py")
    )
