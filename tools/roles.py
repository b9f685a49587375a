"""Writes docs/roles.md, which demo role may call which route: `python -m tools.roles FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from cloud.kernel.ui.render import permission_of
from cloud.main import vocabulary
from cloud.modules.accounts.rules import ROLES, permissions_of
from tests.architecture.web import address, composed, routes_of

HEAD = """# Who may call what

The routes of the platform and the roles of the demo company. Written by `make roles`; a test asks \
every route as every role and compares.
"""


def guarded() -> dict[str, str]:
    """Address → permission of every route that asks for one."""
    return {
        address(route): permission
        for route in routes_of(composed())
        if (permission := permission_of(route.dependant)) is not None
    }


def table() -> str:
    roles = list(ROLES)
    held = {role: set(permissions_of(role, vocabulary())) for role in roles}
    lines = [
        f"| route | permission | {' | '.join(roles)} |",
        f"|---|---|{'---|' * len(roles)}",
    ]
    for name, permission in sorted(guarded().items(), key=lambda one: one[0].split(" ")[::-1]):
        marks = ["✓" if permission in held[role] else "" for role in roles]
        lines.append(f"| `{name}` | `{permission}` | {' | '.join(marks)} |")
    return f"{HEAD}\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(table(), encoding="utf-8")
