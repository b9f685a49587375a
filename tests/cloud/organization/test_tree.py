"""The tree over time: moved with history, opened, closed; and what stands in the way."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.db import uuid7
from cloud.kernel.errors import NotFound, StaleVersion
from cloud.modules.accounts import service as accounts
from cloud.modules.accounts.queries import AccountsAuthenticator
from cloud.modules.accounts.service.people import DepartmentWithStaff, UnitWithStaff
from cloud.modules.charging.service.closing import SiteWithOpenBills
from cloud.modules.organization import service
from cloud.modules.organization.models import Department, Placement, Unit, UnitKind, UnitState
from tests.cloud.charging.builders import build_estate, published_run
from tests.kit.world import World


async def a_region(world: World, code: str = "AR2") -> UUID:
    async with world.unit(world.headquarters()) as ctx:
        unit = await service.add_unit(
            ctx, unit_id=uuid7(), parent_id=world.alpha.id, kind=UnitKind.region, code=code,
            name="又一个区域", city="",
        )  # fmt: skip
    return unit.id


async def close(world: World, unit_id: UUID) -> Unit:
    async with world.unit(world.headquarters()) as ctx:
        return await service.close_unit(ctx, unit_id=unit_id, on=ctx.business_on, reason="合同到期")


class TestChangeUnit:
    async def test_renames(self, world: World) -> None:
        async with world.unit() as ctx:
            unit = await service.change_unit(
                ctx, unit_id=world.alpha.site_id, version=1, name="龙泰花园", city="杭州"
            )

        assert (unit.name, unit.city, unit.version) == ("龙泰花园", "杭州", 2)

    async def test_refuses_an_old_version(self, world: World) -> None:
        with pytest.raises(StaleVersion):
            async with world.unit() as ctx:
                await service.change_unit(
                    ctx, unit_id=world.alpha.site_id, version=7, name="x", city=""
                )

    async def test_refuses_what_is_above(self, world: World) -> None:
        with pytest.raises(service.UnitNotYours):
            async with world.unit() as ctx:
                await service.change_unit(
                    ctx, unit_id=world.alpha.region_id, version=1, name="x", city=""
                )

    async def test_hides_another_companys(self, world: World) -> None:
        with pytest.raises(NotFound):
            async with world.unit(world.headquarters(world.beta)) as ctx:
                await service.change_unit(
                    ctx, unit_id=world.alpha.site_id, version=1, name="x", city=""
                )


class TestMoveUnit:
    async def test_holds_for_scopes_at_once_and_keeps_the_history(self, world: World) -> None:
        region_id = await a_region(world)
        async with world.unit(world.headquarters()) as ctx:
            role = await accounts.add_role(ctx, code="r", name="r", permissions=())
            user = await accounts.add_user(
                ctx, org_id=world.alpha.region_id, login="mover", name="区域经理", post="",
                password="long-enough",
            )  # fmt: skip
            await accounts.grant_role(
                ctx, user_id=user.id, role_id=role.id, unit_id=world.alpha.region_id
            )

        async with world.unit(world.headquarters(), now=world.now + timedelta(days=3)) as ctx:
            await service.move_unit(ctx, unit_id=world.alpha.site_id, parent_id=region_id)

        principal = await AccountsAuthenticator(world.sessions).by_user(user.id)
        assert principal is not None
        assert world.alpha.site_id not in principal.scope.write_orgs
        assert world.alpha.other_site_id in principal.scope.write_orgs
        async with world.unit(world.headquarters()) as ctx:
            places = (
                await ctx.session.execute(
                    select(Placement)
                    .where(col(Placement.unit_id) == world.alpha.site_id)
                    .order_by(col(Placement.valid_from))
                )
            ).scalars().all()  # fmt: skip
        assert [place.parent_id for place in places] == [world.alpha.region_id, region_id]
        assert places[0].valid_to == places[1].valid_from

    async def test_twice_in_a_day_leaves_one_place(self, world: World) -> None:
        region_id = await a_region(world)
        async with world.unit(world.headquarters()) as ctx:
            await service.move_unit(ctx, unit_id=world.alpha.site_id, parent_id=region_id)
            await service.move_unit(ctx, unit_id=world.alpha.site_id, parent_id=world.alpha.id)
            places = await ctx.session.execute(
                select(Placement).where(col(Placement.unit_id) == world.alpha.site_id)
            )

            assert [place.parent_id for place in places.scalars()] == [world.alpha.id]

    @pytest.mark.parametrize(
        ("unit", "parent", "refusal"),
        [
            ("id", "region_id", service.CompanyStays),
            ("site_id", "other_site_id", service.ParentClosedToKind),
            ("site_id", "region_id", service.AlreadyThere),
        ],
    )
    async def test_refuses(
        self, world: World, unit: str, parent: str, refusal: type[Exception]
    ) -> None:
        with pytest.raises(refusal):
            async with world.unit(world.headquarters()) as ctx:
                await service.move_unit(
                    ctx,
                    unit_id=getattr(world.alpha, unit),
                    parent_id=getattr(world.alpha, parent),
                )

    async def test_is_headquarters_business(self, world: World) -> None:
        with pytest.raises(service.HeadquartersOnly):
            async with world.unit() as ctx:
                await service.move_unit(ctx, unit_id=world.alpha.site_id, parent_id=world.alpha.id)


class TestOpenAndClose:
    async def test_a_project_is_closed_and_opened_again(self, world: World) -> None:
        closed = await close(world, world.alpha.site_id)
        assert (closed.state, closed.closed_on) == (UnitState.closed, world.now.date())

        async with world.unit(world.headquarters()) as ctx:
            opened = await service.open_unit(ctx, unit_id=world.alpha.site_id, on=ctx.business_on)
        assert (opened.state, opened.closed_on) == (UnitState.active, None)

    async def test_refuses_twice(self, world: World) -> None:
        await close(world, world.alpha.site_id)

        with pytest.raises(service.UnitNotInState):
            await close(world, world.alpha.site_id)

    async def test_refuses_the_company(self, world: World) -> None:
        with pytest.raises(service.CompanyStays):
            await close(world, world.alpha.id)

    async def test_refuses_a_day_that_has_not_come(self, world: World) -> None:
        with pytest.raises(service.DateAhead):
            async with world.unit(world.headquarters()) as ctx:
                await service.close_unit(
                    ctx,
                    unit_id=world.alpha.site_id,
                    on=ctx.business_on + timedelta(days=1),
                    reason="x",
                )

    async def test_refuses_with_units_below(self, world: World) -> None:
        with pytest.raises(service.UnitNotEmpty) as refusal:
            await close(world, world.alpha.region_id)

        assert refusal.value.params["units"] == 2

    async def test_refuses_with_staff(self, world: World) -> None:
        async with world.unit(world.headquarters()) as ctx:
            await accounts.add_user(
                ctx, org_id=world.alpha.site_id, login="stays", name="留守", post="",
                password="long-enough",
            )  # fmt: skip

        with pytest.raises(UnitWithStaff):
            await close(world, world.alpha.site_id)

    async def test_refuses_with_unpaid_bills(self, world: World) -> None:
        estate = await build_estate(world)
        async with world.unit(estate.principal) as ctx:
            await published_run(ctx, estate)

        with pytest.raises(SiteWithOpenBills):
            await close(world, world.alpha.site_id)

    async def test_nothing_can_be_put_below_a_closed_region(self, world: World) -> None:
        region_id = await a_region(world)
        await close(world, region_id)

        with pytest.raises(service.UnitClosed):
            async with world.unit(world.headquarters()) as ctx:
                await service.move_unit(ctx, unit_id=world.alpha.site_id, parent_id=region_id)


class TestDepartments:
    async def test_are_added_changed_and_closed(self, world: World) -> None:
        async with world.unit() as ctx:
            made = await service.add_department(
                ctx, unit_id=world.alpha.site_id, code="KF", name="客服部", leader=""
            )
        async with world.unit() as ctx:
            await service.change_department(
                ctx, department_id=made.id, version=1, name="客户服务部", leader="李静"
            )
            await service.close_department(ctx, department_id=made.id, reason="合并")

            found = await ctx.get(Department, made.id)
        assert (found.name, found.leader, found.closed_on) == (
            "客户服务部", "李静", world.now.date(),
        )  # fmt: skip

    async def test_with_staff_stay_open(self, world: World) -> None:
        async with world.unit(world.headquarters()) as ctx:
            made = await service.add_department(
                ctx, unit_id=world.alpha.site_id, code="KF", name="客服部", leader=""
            )
            user = await accounts.add_user(
                ctx, org_id=world.alpha.site_id, login="dept", name="员工", post="",
                password="long-enough",
            )  # fmt: skip
            user.department_id = made.id
            with pytest.raises(DepartmentWithStaff):
                await service.close_department(ctx, department_id=made.id, reason="x")

    async def test_are_hidden_from_another_company(self, world: World) -> None:
        async with world.unit() as ctx:
            made = await service.add_department(
                ctx, unit_id=world.alpha.site_id, code="KF", name="客服部", leader=""
            )

        with pytest.raises(NotFound):
            async with world.unit(world.headquarters(world.beta)) as ctx:
                await service.close_department(ctx, department_id=made.id, reason="x")


class TestLegalEntities:
    async def test_are_changed_by_headquarters_only(self, world: World) -> None:
        change = {"name": "新名", "tax_number": "91330000MA2TESTA0Y"}
        with pytest.raises(service.HeadquartersOnly):
            async with world.unit() as ctx:
                await service.change_legal_entity(
                    ctx, entity_id=world.alpha.entity_id, version=1, **change
                )
        async with world.unit(world.headquarters()) as ctx:
            entity = await service.change_legal_entity(
                ctx, entity_id=world.alpha.entity_id, version=1, **change
            )

        assert (entity.name, entity.version) == ("新名", 2)

    async def test_need_a_tax_number(self, world: World) -> None:
        with pytest.raises(service.TaxNumberWrong):
            async with world.unit(world.headquarters()) as ctx:
                await service.add_legal_entity(ctx, name="x", tax_number="123")
