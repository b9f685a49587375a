"""Where a person belongs and works, and what the built-in roles permit."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

_FINANCE = (
    "charging.", "receiving.", "ledger.account:", "ledger.entry:", "ledger.month:read",
    "ledger.month:close", "ledger.number_rule:", "metering.", "customers.", "resources.",
    "vehicles.", "organization.unit:read", "devices.live:read",
)  # fmt: skip
_COUNTER = (
    "receiving.counter:", "receiving.receipt:", "receiving.shift:", "receiving.held:read",
    "charging.bill:read", "charging.item:read", "resources.room:read",
    "customers.party:read", "customers.phone:reveal", "vehicles.vehicle:read",
    "organization.unit:read",
)  # fmt: skip
_ENGINEERING = (
    "devices.", "metering.meter:", "metering.reading:read", "metering.reading:create",
    "resources.room:read", "organization.unit:read",
)  # fmt: skip

# role code: (name, permission prefixes); the administrator holds the whole vocabulary.
ROLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("系统管理员", ("",)),
    "accountant": ("会计", _FINANCE),
    "cashier": ("收费员", _COUNTER),
    "engineer": ("工程主管", _ENGINEERING),
    "regional_manager": ("区域经理", (":read",)),
    "hq_analyst": ("总部分析", (":read",)),
}


@dataclass(frozen=True)
class Place:
    """Where a person belongs, and which roles they hold in which units: each role in each unit."""

    org_id: UUID
    department_id: UUID | None
    role_ids: frozenset[UUID]
    unit_ids: frozenset[UUID]


def permissions_of(role: str, vocabulary: frozenset[str]) -> list[str]:
    """The vocabulary's entries that a built-in role's prefixes (or suffixes like ":read") pick."""
    wanted = ROLES[role][1]
    return sorted(
        permission
        for permission in vocabulary
        if any(
            permission.endswith(part) if part.startswith(":") else permission.startswith(part)
            for part in wanted
        )
    )
