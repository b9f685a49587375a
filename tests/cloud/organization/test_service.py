"""Founding a company and adding units: in the right place, and in nobody else's company."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from cloud.kernel.db import uuid7
from cloud.kernel.errors import NotFound
from cloud.kernel.records import AuditRow
from cloud.modules.organization import queries, service
from cloud.modules.organization.models import Unit, UnitKind
from tests.kit.world import World


async def add(
    world: World, parent_id: UUID, kind: UnitKind = UnitKind.project, code: str = "NEW"
) -> Unit:
    async with world.unit(world.headquarters()) as ctx:
        return await service.add_unit(
            ctx, unit_id=uuid7(), parent_id=parent_id, kind=kind, code=code, name="新项目", city=""
        )


class TestFoundCompany:
    async def test_takes_the_companys_id_for_its_root(self, world: World) -> None:
        async with world.unit(world.headquarters()) as ctx:
            root = await ctx.get(Unit, world.alpha.id)
            companies = (await ctx.session.execute(text("SELECT kernel_companies()"))).scalars()

            assert (root.kind, root.parent_id, root.org_id) == ("company", None, world.alpha.id)
            assert {world.alpha.id, world.beta.id} <= set(companies)

    async def test_cannot_be_done_twice(self, world: World) -> None:
        with pytest.raises(IntegrityError):
            async with world.unit(world.headquarters()) as ctx:
                await service.found_company(ctx, code="X", name="X")


class TestAddUnit:
    async def test_owns_its_own_row_and_leaves_a_trace(self, world: World) -> None:
        unit = await add(world, world.alpha.region_id)

        async with world.unit(world.headquarters()) as ctx:
            statement = select(AuditRow).where(col(AuditRow.subject_id) == unit.id)
            row = (await ctx.session.execute(statement)).scalar_one()
        assert unit.org_id == unit.id
        assert (row.action, row.org_id) == ("organization.unit.added", unit.id)

    @pytest.mark.parametrize(
        ("kind", "parent"),
        [
            (UnitKind.company, "id"),
            (UnitKind.region, "region_id"),
            (UnitKind.region, "site_id"),
            (UnitKind.project, "site_id"),
        ],
    )
    async def test_refuses_a_place_that_is_not_its_own(
        self, world: World, kind: UnitKind, parent: str
    ) -> None:
        with pytest.raises(service.ParentClosedToKind):
            await add(world, getattr(world.alpha, parent), kind)

    async def test_refuses_a_code_that_is_taken(self, world: World) -> None:
        with pytest.raises(IntegrityError, match="uq_organization_unit_code"):
            await add(world, world.alpha.region_id, code="AS1")

    async def test_hides_another_companys(self, world: World) -> None:
        with pytest.raises(NotFound):
            await add(world, world.beta.region_id)


class TestAddLegalEntity:
    async def test_belongs_to_headquarters(self, world: World) -> None:
        async with world.unit(world.headquarters()) as ctx:
            entity = await service.add_legal_entity(
                ctx, name="新公司", tax_number="9133TESTX0X12345"
            )

        assert entity.org_id == world.alpha.id

    async def test_refuses_a_tax_number_twice(self, world: World) -> None:
        with pytest.raises(IntegrityError, match="uq_organization_legal_entity_tax"):
            async with world.unit(world.headquarters()) as ctx:
                await service.add_legal_entity(ctx, name="又一家", tax_number="91330000MA2TESTA0X")


class TestLookupUnits:
    async def test_offers_what_the_viewer_manages(self, world: World) -> None:
        async with world.unit(world.at_site()) as ctx:
            own = await queries.lookup_units(ctx, "")
        async with world.unit(world.headquarters()) as ctx:
            everything = await queries.lookup_units(ctx, "")

        assert [choice.value for choice in own.items] == [str(world.alpha.site_id)]
        assert everything.items[0].value == str(world.alpha.id)
        assert len(everything.items) == 4

    async def test_offers_no_closed_community(self, world: World) -> None:
        site_id = world.alpha.other_site_id
        async with world.unit(world.headquarters()) as ctx:
            await service.close_unit(ctx, unit_id=site_id, on=ctx.business_on, reason="给回")
        async with world.unit(world.headquarters()) as ctx:
            sites = await queries.lookup_units(ctx, "", kinds=(UnitKind.project,))

        assert [choice.value for choice in sites.items] == [str(world.alpha.site_id)]
