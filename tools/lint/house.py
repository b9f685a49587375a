"""All rules of the house, and their run over the checkout."""

from __future__ import annotations

from pathlib import Path

from tools.lint import budgets, faults, names, proofs, routes, transactions, values
from tools.lint.source import ROOT, Rule, python_sources, tracked_files

RULES: tuple[Rule, ...] = (
    *budgets.RULES,
    *transactions.RULES,
    *values.RULES,
    *faults.RULES,
    *names.RULES,
    *routes.RULES,
    *proofs.RULES,
)

_NOT_TEXT = (".png", ".ico", ".woff2", ".gz", ".br", ".parquet")


def rule(name: str) -> Rule:
    """Raises KeyError for a name that no rule has."""
    return {rule.name: rule for rule in RULES}[name]


def complaints_of_the_checkout(*, root: Path = ROOT) -> list[str]:
    found = [
        f"{source.path}:{complaint.line}: {each.name}: {complaint.text}"
        for source in python_sources(root=root)
        for each in RULES
        for complaint in each.complaints(source)
    ]
    for path in tracked_files(root=root):
        if path.endswith(".py") or path.endswith(_NOT_TEXT):
            continue
        text = (root / path).read_text(encoding="utf-8")
        found += [f"{path}:{c.line}: machine: {c.text}" for c in names.machine_traces(text)]
    return found
