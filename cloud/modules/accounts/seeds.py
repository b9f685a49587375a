"""Demo accounts: one for each post, from HQ down to one community."""

from __future__ import annotations

from uuid import UUID

from cloud.kernel.seeding import Seeding
from cloud.modules.accounts import service

_FINANCE = (
    "charging.", "receiving.", "ledger.", "metering.", "customers.", "resources.",
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
# login, name, post, role, unit
PEOPLE = (
    ("admin", "系统管理员", "平台管理员", "admin", "company"),
    ("kuaiji", "李静", "会计", "accountant", "region:HD"),
    ("shoufei", "周晓燕", "收费员 · 1 号台", "cashier", "site:LT"),
    ("gongcheng", "陈志强", "工程主管", "engineer", "site:LT"),
    ("quyu", "沈国栋", "华东区域经理", "regional_manager", "region:HD"),
    ("zongbu", "何思远", "经营分析", "hq_analyst", "company"),
    ("shoufei2", "赵敏", "收费员 · 1 号台", "cashier", "site:JH"),
)


def permissions_of(role: str, vocabulary: frozenset[str]) -> list[str]:
    """The vocabulary's entries that a demo role's prefixes (or suffixes like ":read") pick."""
    wanted = ROLES[role][1]
    return sorted(
        permission
        for permission in vocabulary
        if any(
            permission.endswith(part) if part.startswith(":") else permission.startswith(part)
            for part in wanted
        )
    )


async def seed(seeding: Seeding) -> None:
    roles: dict[str, UUID] = {}
    async with seeding.unit() as ctx:
        for code, (name, _) in ROLES.items():
            role = await service.add_role(
                ctx, code=code, name=name, permissions=permissions_of(code, seeding.vocabulary)
            )
            roles[code] = role.id
        for login, name, post, role_code, place in PEOPLE:
            unit_id = seeding.ids[place]
            user = await service.add_user(
                ctx, org_id=unit_id, login=login, name=name, post=post, password=seeding.password
            )
            await service.grant_role(
                ctx, user_id=user.id, role_id=roles[role_code], unit_id=unit_id
            )
            seeding.ids[f"user:{login}"] = user.id
            seeding.accounts.append(
                {"role": role_code, "login": login, "name": name, "password": seeding.password}
            )
