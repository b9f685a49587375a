"""Demo accounts: one for each post, from HQ down to one community."""

from __future__ import annotations

from uuid import UUID

from cloud.kernel.seeding import Seeding
from cloud.modules.accounts import service
from cloud.modules.accounts.rules import ROLES, permissions_of

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


async def seed(seeding: Seeding) -> None:
    roles: dict[str, UUID] = {}
    async with seeding.unit() as ctx:
        for code, (name, _) in ROLES.items():
            role = await service.add_role(
                ctx,
                code=code,
                name=name,
                permissions=permissions_of(code, seeding.vocabulary),
                is_built_in=True,
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
