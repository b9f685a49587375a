"""Built-in roles get what a release adds to them, once; what was taken away stays away."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import system_principal
from cloud.kernel.db import Scope
from cloud.kernel.records import AuditRow
from cloud.kernel.settings import Settings
from cloud.main import alembic_config, offer_permissions, runtime, vocabulary
from cloud.modules.accounts import service
from cloud.modules.accounts.models import Role
from cloud.modules.accounts.rules import permissions_of
from cloud.modules.accounts.service.rights import permissions_of_roles
from tests.kit.database import TestDatabase, endpoints_of
from tests.kit.world import World

PLATES = "vehicles.vehicle:read"
PHONES = "customers.phone:reveal"
BEFORE_VEHICLES = frozenset(each for each in vocabulary() if not each.startswith("vehicles."))


async def a_cashier(world: World, *, seeded: bool = True) -> Role:
    """A release without vehicles seeded the role, or somebody of the company made it."""
    company_id = world.alpha.id
    scope = Scope(company_id=company_id, all=True)
    seeding = system_principal(
        company_id, org_id=company_id, scope=scope, permissions=BEFORE_VEHICLES
    )
    async with world.unit(seeding if seeded else world.headquarters()) as ctx:
        return await service.add_role(
            ctx,
            code="cashier",
            name="收费员",
            permissions=permissions_of("cashier", BEFORE_VEHICLES),
            is_built_in=seeded,
        )


async def take_away(world: World, role_id: UUID, permission: str) -> None:
    async with world.unit(world.headquarters()) as ctx:
        role = await ctx.get(Role, role_id)
        await service.set_permissions(
            ctx,
            role_id=role.id,
            version=role.version,
            permissions=await permissions_of_roles(ctx, [role.id]) - {permission},
            known=vocabulary(),
        )


async def offer(world: World) -> None:
    async with world.unit(world.headquarters()) as ctx:
        await service.offer_permissions(ctx, vocabulary=vocabulary())


async def held(world: World, role_id: UUID) -> set[str]:
    async with world.unit(world.headquarters()) as ctx:
        return await permissions_of_roles(ctx, [role_id])


class TestOfferPermissions:
    async def test_gives_what_is_new(self, world: World) -> None:
        role = await a_cashier(world)

        await offer(world)

        assert await held(world, role.id) == set(permissions_of("cashier", vocabulary()))

    @pytest.mark.parametrize("permission", [PLATES, PHONES])
    async def test_does_not_give_back(self, world: World, permission: str) -> None:
        role = await a_cashier(world)
        await offer(world)
        await take_away(world, role.id, permission)

        await offer(world)

        assert permission not in await held(world, role.id)

    async def test_says_so_once(self, world: World) -> None:
        role = await a_cashier(world)

        await offer(world)
        await offer(world)

        async with world.unit(world.headquarters()) as ctx:
            trail = select(AuditRow).where(
                col(AuditRow.subject_id) == role.id,
                col(AuditRow.action) == "accounts.role.permissions_offered",
            )
            row = (await ctx.session.execute(trail)).scalar_one()
        assert row.after == {"code": "cashier", "added": [PLATES]}

    async def test_leaves_a_role_of_the_companys_own(self, world: World) -> None:
        role = await a_cashier(world, seeded=False)

        await offer(world)

        assert PLATES not in await held(world, role.id)

    async def test_reaches_no_other_company(self, world: World) -> None:
        role = await a_cashier(world)

        async with world.unit(world.headquarters(world.beta)) as ctx:
            await service.offer_permissions(ctx, vocabulary=vocabulary())

        assert PLATES not in await held(world, role.id)


class TestUpgrade:
    @pytest.mark.parametrize(("seeded", "sees"), [(True, True), (False, False)])
    async def test_of_a_company_from_before(
        self,
        committed: World,
        own_database: TestDatabase,
        tmp_path: Path,
        *,
        seeded: bool,
        sees: bool,
    ) -> None:
        role = await a_cashier(committed, seeded=seeded)
        await take_away(committed, role.id, PHONES)
        config = alembic_config(own_database.owner_url)
        command.downgrade(config, "0030")

        command.upgrade(config, "head")
        endpoints = endpoints_of(own_database)
        await offer_permissions(runtime(settings=Settings(data_dir=tmp_path), endpoints=endpoints))

        now = await held(committed, role.id)
        assert (PLATES in now) is sees
        assert PHONES not in now
