"""Scope is the database's job: what a session sees, and what it cannot write."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import col

from cloud.kernel.db import Scope
from cloud.kernel.errors import NotFound
from cloud.modules.organization import queries
from cloud.modules.organization.models import Unit, UnitKind
from tests.kit.world import World, person


async def seen(world: World, scope: Scope) -> set[UUID]:
    async with world.unit(person(world.alpha, scope, world.alpha.id)) as ctx:
        return set((await ctx.session.execute(select(col(Unit.id)))).scalars())


class TestScope:
    async def test_connects_as_a_role_that_cannot_bypass(self, world: World) -> None:
        async with world.unit() as ctx:
            role = await ctx.session.execute(
                text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = user")
            )

        assert role.one() == ("wuye_app", False, False)

    async def test_unscoped_sees_nothing(self, world: World) -> None:
        assert await seen(world, Scope()) == set()

    async def test_headquarters_sees_its_company_only(self, world: World) -> None:
        alpha = world.alpha

        found = await seen(world, Scope(company_id=alpha.id, all=True))

        assert found == {alpha.id, alpha.region_id, alpha.site_id, alpha.other_site_id}

    async def test_a_site_sees_itself_and_its_ancestors(self, world: World) -> None:
        alpha = world.alpha

        found = await seen(world, world.at_site().scope)

        assert found == {alpha.id, alpha.region_id, alpha.site_id}

    async def test_another_companys_ids_in_the_scope_open_nothing(self, world: World) -> None:
        scope = Scope(
            company_id=world.alpha.id,
            read_orgs=(world.beta.site_id,),
            write_orgs=(world.beta.site_id,),
        )

        assert await seen(world, scope) == set()

    async def test_refuses_to_write_what_it_may_only_read(self, world: World) -> None:
        with pytest.raises(ProgrammingError, match="row-level security"):
            async with world.unit() as ctx:
                ctx.session.add(
                    Unit(
                        **ctx.stamp(world.alpha.other_site_id),
                        id=world.alpha.other_site_id,
                        kind=UnitKind.project,
                        parent_id=world.alpha.id,
                        code="X",
                        name="X",
                    )
                )


class TestScopeOf:
    async def test_a_region_means_its_communities(self, world: World) -> None:
        async with world.unit(world.headquarters()) as ctx:
            found = await queries.scope_of(ctx, world.alpha.region_id)

        assert set(found or ()) == {
            world.alpha.region_id,
            world.alpha.site_id,
            world.alpha.other_site_id,
        }

    async def test_the_company_means_what_is_yours_of_it(self, world: World) -> None:
        async with world.unit() as ctx:
            found = await queries.scope_of(ctx, world.alpha.id)

        assert set(found or ()) == {world.alpha.id, world.alpha.region_id, world.alpha.site_id}

    async def test_refuses_a_community_of_the_company_that_is_not_yours(self, world: World) -> None:
        async with world.unit() as ctx:
            with pytest.raises(queries.ProjectNotYours):
                await queries.scope_of(ctx, world.alpha.other_site_id)

    async def test_hides_another_companys(self, world: World) -> None:
        async with world.unit(world.headquarters()) as ctx:
            with pytest.raises(NotFound):
                await queries.scope_of(ctx, world.beta.site_id)
