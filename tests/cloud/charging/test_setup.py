"""Items, standards and bindings: what people set up, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from cloud.kernel.errors import NotFound, StaleVersion
from cloud.kernel.listing import Listing
from cloud.kernel.periods import ONE_DAY
from cloud.modules.charging import queries, service
from cloud.modules.charging.models import (
    Binding,
    Item,
    ItemCategory,
    Method,
    Standard,
    StandardVersion,
    Timing,
)
from cloud.modules.charging.queries import Selection
from cloud.modules.metering import service as metering
from cloud.modules.metering.models import MeterKind
from cloud.modules.metering.service import MeterSpec
from cloud.modules.organization.queries import PickAProject, ProjectNotYours
from cloud.modules.resources.models import Room
from tests.cloud.charging.builders import SINCE, Estate, build_estate, published_run
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]
JULY = date(2026, 7, 1)


@pytest.fixture
async def estate(world: World) -> Estate:
    return await build_estate(world)


def facts_of(estate: Estate, **more: Any) -> service.ItemFacts:
    facts: dict[str, Any] = {
        "name": "停车费",
        "category": ItemCategory.parking,
        "is_agency": False,
        "tax_rate": Decimal("0.09"),
        "allocation_priority": 50,
        "legal_entity_id": estate.company.entity_id,
        **more,
    }
    return service.ItemFacts(**facts)


SPEC = service.StandardSpec(
    code="WYF-GC",
    name="高层物业费",
    method=Method.area,
    timing=Timing.advance,
    cycle_months=3,
    anchor_on=SINCE,
    due_days=30,
)
PRICE = service.PriceSpec(unit_price=Decimal("2.58"), basis="业主大会决议 2026-3")


class TestItems:
    async def test_are_added_changed_and_disabled(self, world: World, estate: Estate) -> None:
        async with world.unit(world.headquarters()) as ctx:
            item = await service.add_item(ctx, code="parking", facts=facts_of(estate))
            await ctx.session.flush()
            changed = await service.change_item(
                ctx, item_id=item.id, version=1, facts=facts_of(estate, name="月租停车费")
            )
            assert (changed.name, changed.version) == ("月租停车费", 2)
            with pytest.raises(StaleVersion):
                await service.change_item(ctx, item_id=item.id, version=1, facts=facts_of(estate))
            disabled = await service.disable_item(ctx, item_id=item.id, reason="不再收取")
            assert disabled.state == "disabled"
            with pytest.raises(service.ItemDisabled):
                await service.add_standard(ctx, org_id=estate.site_id, item_id=item.id, spec=SPEC)
            assert (await service.enable_item(ctx, item_id=item.id)).state == "active"

    async def test_keep_nature_and_tax_once_they_have_bills(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await published_run(ctx, estate)
        async with world.unit(world.headquarters()) as ctx:
            item = await ctx.get(Item, estate.items["property_fee"])
            same = facts_of(
                estate,
                name="物业服务费",
                category=ItemCategory.property_fee,
                tax_rate=item.tax_rate,
            )
            await service.change_item(ctx, item_id=item.id, version=1, facts=same)
            for wrong in (
                replace(same, tax_rate=Decimal("0.09")),
                replace(same, category=ItemCategory.other),
                replace(same, is_agency=True, tax_rate=Decimal(0)),
            ):
                with pytest.raises(service.ItemHasBills):
                    await service.change_item(ctx, item_id=item.id, version=2, facts=wrong)
            assert item.name == "物业服务费"

    async def test_collected_for_others_carry_no_tax(self, world: World, estate: Estate) -> None:
        async with world.unit(world.headquarters()) as ctx:
            with pytest.raises(service.AgencyTaxed) as refused:
                await service.add_item(ctx, code="gas", facts=facts_of(estate, is_agency=True))
        assert refused.value.fields[0].path == "tax_rate"

    async def test_are_headquarters_and_unique(self, world: World, estate: Estate) -> None:
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(service.ItemsAreHeadquarters):
                await service.add_item(ctx, code="parking", facts=facts_of(estate))
        async with world.unit(world.headquarters()) as ctx:
            with pytest.raises(service.ItemCodeTaken):
                await service.add_item(ctx, code="property_fee", facts=facts_of(estate))
            with pytest.raises(service.ItemInUse):
                await service.disable_item(ctx, item_id=estate.items["property_fee"], reason="x")

    async def test_of_another_company_are_hidden(self, world: World, estate: Estate) -> None:
        async with world.unit(world.headquarters(world.beta)) as ctx:
            for act in (
                service.enable_item(ctx, item_id=estate.items["property_fee"]),
                service.disable_item(ctx, item_id=estate.items["property_fee"], reason="x"),
            ):
                with pytest.raises(NotFound):
                    await act

    async def test_take_no_legal_entity_of_another_company(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(world.headquarters()) as ctx:
            with pytest.raises(NotFound):
                await service.add_item(
                    ctx,
                    code="parking",
                    facts=facts_of(estate, legal_entity_id=world.beta.entity_id),
                )


class TestStandards:
    async def create(self, world: World, estate: Estate) -> UUID:
        async with world.unit(estate.principal) as ctx:
            standard = await service.create_standard(
                ctx,
                site_id=estate.site_id,
                item_id=estate.items["property_fee"],
                spec=SPEC,
                price=PRICE,
                effective_from=SINCE,
            )
            return standard.id

    async def test_follow_each_other_without_a_gap(self, world: World, estate: Estate) -> None:
        standard_id = await self.create(world, estate)
        async with world.unit(estate.principal) as ctx:
            await service.add_version(
                ctx,
                standard_id=standard_id,
                price=replace(PRICE, unit_price=Decimal("2.80")),
                effective_from=JULY,
            )
        async with world.unit(estate.principal) as ctx:
            found = await ctx.session.execute(
                select(StandardVersion)
                .where(col(StandardVersion.standard_id) == standard_id)
                .order_by(col(StandardVersion.number))
            )
            spans = [(v.effective_from, v.effective_to) for v in found.scalars()]
            assert spans == [(SINCE, JULY), (JULY, None)]
            for day in (JULY, JULY - ONE_DAY, SINCE):
                with pytest.raises(service.VersionNotAfter) as refused:
                    await service.add_version(
                        ctx, standard_id=standard_id, price=PRICE, effective_from=day
                    )
                assert refused.value.fields[0].path == "effective_from"

    @pytest.mark.parametrize("end", [date(2026, 6, 1), date(2026, 8, 1)])
    async def test_cannot_be_torn_apart_in_the_database(
        self, world: World, estate: Estate, end: date
    ) -> None:
        standard_id = await self.create(world, estate)
        async with world.unit(estate.principal) as ctx:
            await service.add_version(
                ctx, standard_id=standard_id, price=PRICE, effective_from=JULY
            )
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(IntegrityError, match=r"follows_on|overlap"):
                async with ctx.session.begin_nested():
                    await ctx.session.execute(
                        update(StandardVersion)
                        .where(
                            col(StandardVersion.standard_id) == standard_id,
                            col(StandardVersion.number) == 1,
                        )
                        .values(effective_to=end)
                    )

    async def test_need_a_reason_for_a_price_of_zero(self, world: World, estate: Estate) -> None:
        standard_id = await self.create(world, estate)
        free = replace(PRICE, unit_price=Decimal(0))
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(service.PriceZeroUnexplained) as refused:
                await service.add_version(
                    ctx, standard_id=standard_id, price=free, effective_from=JULY
                )
            assert refused.value.fields[0].path == "note"
            made = await service.add_version(
                ctx,
                standard_id=standard_id,
                price=replace(free, note="首年免收"),
                effective_from=JULY,
            )
            assert (made.number, made.unit_price) == (2, Decimal(0))

    async def test_have_one_code_in_a_community(self, world: World, estate: Estate) -> None:
        await self.create(world, estate)
        with pytest.raises(service.StandardCodeTaken) as refused:
            await self.create(world, estate)
        assert refused.value.params["name"] == "高层物业费"

    async def test_are_closed_when_nothing_is_bound(self, world: World, estate: Estate) -> None:
        standard_id = await self.create(world, estate)
        used = estate.standards["property_fee"]
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(service.StandardInUse) as refused:
                await service.close_standard(
                    ctx, standard_id=used, closed_on=date(2027, 1, 1), reason="x"
                )
            assert refused.value.params["count"] == 3
            with pytest.raises(service.StandardNotBegun):
                await service.close_standard(
                    ctx, standard_id=standard_id, closed_on=SINCE, reason="x"
                )
            await service.close_standard(
                ctx, standard_id=standard_id, closed_on=JULY, reason="合同到期"
            )
        async with world.unit(estate.principal) as ctx:
            for act in (
                service.add_version(
                    ctx, standard_id=standard_id, price=PRICE, effective_from=date(2027, 1, 1)
                ),
                service.close_standard(ctx, standard_id=standard_id, closed_on=JULY, reason="x"),
                service.bind_selected(
                    ctx, standard_id=standard_id, selection=Selection(), starts_on=JULY
                ),
            ):
                with pytest.raises(service.StandardClosed):
                    await act
            detail = await queries.read_standard(ctx, standard_id)
            assert (detail.state, detail.last_day) == ("closed", JULY - ONE_DAY)
            assert [(v.number, v.effective_to) for v in detail.versions] == [(1, JULY - ONE_DAY)]

    async def test_are_copied_by_code_and_say_what_was_there(
        self, world: World, estate: Estate
    ) -> None:
        target = world.alpha.other_site_id
        async with world.unit(world.headquarters()) as ctx:
            await service.add_standard(
                ctx,
                org_id=target,
                item_id=estate.items["property_fee"],
                spec=replace(SPEC, code="PROPERTY_FEE"),
            )
            await service.add_version(
                ctx,
                standard_id=estate.standards["electricity"],
                price=replace(PRICE, unit_price=Decimal("0.6")),
                effective_from=date(2027, 1, 1),
            )
            await ctx.session.flush()
            copied = await service.copy_standards(
                ctx, from_site_id=estate.site_id, to_site_id=target
            )
            assert (copied.copied, copied.skipped, copied.left) == (1, 1, "PROPERTY_FEE")
            prices = await ctx.session.execute(
                select(col(StandardVersion.unit_price))
                .join(Standard, col(Standard.id) == col(StandardVersion.standard_id))
                .where(col(Standard.org_id) == target, col(Standard.code) == "ELECTRICITY")
                .order_by(col(StandardVersion.number))
            )
            assert list(prices.scalars()) == [Decimal("0.538"), Decimal("0.6")]
            again = await service.copy_standards(
                ctx, from_site_id=estate.site_id, to_site_id=target
            )
            assert (again.copied, again.skipped) == (0, 2)
            with pytest.raises(service.CopyOntoItself):
                await service.copy_standards(ctx, from_site_id=target, to_site_id=target)

    async def test_stay_in_their_community(self, world: World, estate: Estate) -> None:
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(ProjectNotYours):
                await service.copy_standards(
                    ctx, from_site_id=estate.site_id, to_site_id=world.alpha.other_site_id
                )
            with pytest.raises(NotFound):
                await queries.read_standard(ctx, estate.standards["property_fee"])
        async with world.unit(world.at_site(world.beta)) as ctx:
            with pytest.raises(NotFound):
                await service.create_standard(
                    ctx,
                    site_id=world.beta.site_id,
                    item_id=estate.items["property_fee"],
                    spec=SPEC,
                    price=PRICE,
                    effective_from=SINCE,
                )
        async with world.unit(world.headquarters()) as ctx:
            with pytest.raises(PickAProject):
                await service.create_standard(
                    ctx,
                    site_id=world.alpha.region_id,
                    item_id=estate.items["property_fee"],
                    spec=SPEC,
                    price=PRICE,
                    effective_from=SINCE,
                )


class TestBindings:
    async def second(self, world: World, estate: Estate) -> UUID:
        async with world.unit(estate.principal) as ctx:
            standard = await service.create_standard(
                ctx,
                site_id=estate.site_id,
                item_id=estate.items["property_fee"],
                spec=SPEC,
                price=PRICE,
                effective_from=JULY,
            )
            return standard.id

    async def held(self, world: World, estate: Estate, room: str = "101") -> UUID:
        async with world.unit(estate.principal) as ctx:
            found = await ctx.session.execute(
                select(col(Binding.id)).where(col(Binding.room_id) == estate.rooms[room])
            )
            return found.scalars().one()

    async def test_take_the_rooms_that_are_free_and_name_the_others(
        self, world: World, estate: Estate
    ) -> None:
        standard_id = await self.second(world, estate)
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(service.NothingToBind):
                await service.bind_selected(
                    ctx, standard_id=standard_id, selection=Selection(), starts_on=JULY
                )
            await service.end_binding(ctx, binding_id=await self.held(world, estate), ends_on=JULY)
        async with world.unit(estate.principal) as ctx:
            tried = await queries.try_binding(
                ctx, standard_id=standard_id, selection=Selection(), starts_on=JULY
            )
            bound = await service.bind_selected(
                ctx, standard_id=standard_id, selection=Selection(), starts_on=JULY
            )
            assert (bound.bound, bound.skipped) == (1, 2)
            assert [skip.room_name for skip in bound.skips] == ["1幢1单元102", "1幢1单元103"]
            assert [line.text for line in tried.lines] == ["", "1幢1单元102, 1幢1单元103"]

    async def test_of_a_metered_standard_take_the_meters_of_the_rooms(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await metering.add_meter(
                ctx,
                site_id=estate.site_id,
                spec=MeterSpec(
                    no="E-101",
                    kind=MeterKind.electricity,
                    room_id=estate.rooms["101"],
                    initial_value=Decimal(0),
                    installed_on=JULY,
                ),
            )
            standard_id = estate.standards["electricity"]
            with pytest.raises(service.NothingToBind):
                await service.bind_selected(
                    ctx, standard_id=standard_id, selection=Selection(), starts_on=SINCE
                )
            bound = await service.bind_selected(
                ctx, standard_id=standard_id, selection=Selection(), starts_on=JULY
            )
            assert (bound.bound, bound.skipped) == (1, 2)

    async def test_do_not_begin_before_the_room_or_the_price(
        self, world: World, estate: Estate
    ) -> None:
        standard_id = await self.second(world, estate)
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(service.PriceNotYet):
                await service.bind_selected(
                    ctx,
                    standard_id=standard_id,
                    selection=Selection(),
                    starts_on=JULY - ONE_DAY,
                )
            room = await ctx.get(Room, estate.rooms["101"])
            room.handover_on = SINCE
            await ctx.session.flush()
            early = Selection(room_ids=(estate.rooms["101"],))
            tried = await queries.try_binding(
                ctx,
                standard_id=standard_id,
                selection=early,
                starts_on=SINCE - ONE_DAY,
            )
            assert ctx.say("handed over later, and nobody pays before") in tried.lines[1].note

    async def test_end_neither_before_they_begin_nor_before_the_last_bill(
        self, world: World, estate: Estate
    ) -> None:
        async with world.unit(estate.principal) as ctx:
            await published_run(ctx, estate)
        binding_id = await self.held(world, estate)
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(service.BindingBilledBeyond) as refused:
                await service.end_binding(ctx, binding_id=binding_id, ends_on=date(2026, 11, 30))
            assert refused.value.params == {"last": date(2026, 11, 30)}
            with pytest.raises(service.BindingNotBegun):
                await service.end_binding(ctx, binding_id=binding_id, ends_on=SINCE)
            ended = await service.end_binding(ctx, binding_id=binding_id, ends_on=date(2026, 12, 1))
            assert ended.version == 2
            with pytest.raises(service.BindingEnded):
                await service.end_binding(ctx, binding_id=binding_id, ends_on=date(2027, 1, 1))

    async def test_end_together_or_not_at_all(self, world: World, estate: Estate) -> None:
        async with world.unit(estate.principal) as ctx:
            await published_run(ctx, estate)
        held = [await self.held(world, estate, room) for room in ("101", "102", "103")]
        async with world.unit(estate.principal) as ctx:
            with pytest.raises(service.BindingStops) as refused:
                await service.end_bindings(
                    ctx, binding_ids=held, ends_on=date(2026, 11, 30), reason="x"
                )
            assert refused.value.params["room"].startswith("1幢1单元10")
        async with world.unit(estate.principal) as ctx:
            ended = await service.end_bindings(
                ctx, binding_ids=held, ends_on=date(2026, 12, 1), reason="合同到期"
            )
            assert ended.ended == 3
            await ctx.session.flush()
            closed = await service.close_standard(
                ctx,
                standard_id=estate.standards["property_fee"],
                closed_on=date(2026, 12, 1),
                reason="合同到期",
            )
            assert closed.closed_on == date(2026, 12, 1)
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(NotFound):
                await service.end_bindings(ctx, binding_ids=held, ends_on=JULY, reason="x")

    async def test_change_their_standard_from_a_day_on(self, world: World, estate: Estate) -> None:
        standard_id = await self.second(world, estate)
        binding_id = await self.held(world, estate)
        async with world.unit(estate.principal) as ctx:
            for wrong, refusal in (
                (estate.standards["property_fee"], service.SameStandard),
                (estate.standards["electricity"], service.StandardOfAnother),
            ):
                with pytest.raises(refusal):
                    await service.change_binding(
                        ctx, binding_id=binding_id, standard_id=wrong, starts_on=JULY
                    )
            fresh = await service.change_binding(
                ctx, binding_id=binding_id, standard_id=standard_id, starts_on=JULY
            )
            await ctx.session.flush()
            old = await ctx.get(Binding, binding_id)
            assert (old.ends_on, fresh.starts_on, fresh.ends_on) == (JULY, JULY, None)

    async def test_say_from_when_another_standard_may_hold_and_per_what_the_price_is(
        self, world: World, estate: Estate
    ) -> None:
        binding_id = await self.held(world, estate)
        listing = Listing(page=1, size=50, sort=None, q="", site_id=None)
        async with world.unit(estate.principal) as ctx:
            shown = {one.id: one for one in (await queries.list_bindings(ctx, listing))["items"]}
            assert shown[binding_id].next_change_on == ctx.business_on
            assert shown[binding_id].price_unit == "yuan/m²·month"
            await published_run(ctx, estate)
        async with world.unit(estate.principal) as ctx:
            shown = {one.id: one for one in (await queries.list_bindings(ctx, listing))["items"]}
            assert shown[binding_id].next_change_on == date(2026, 12, 1)

    async def test_reach_no_room_building_or_binding_of_another(
        self, world: World, estate: Estate
    ) -> None:
        standard_id = await self.second(world, estate)
        stranger = await build_estate(world, world.beta)
        async with world.unit(estate.principal) as ctx:
            for selection in (
                Selection(room_ids=(estate.rooms["101"], stranger.rooms["101"])),
                Selection(building_id=stranger.rooms["101"]),
            ):
                with pytest.raises(NotFound):
                    await service.bind_selected(
                        ctx, standard_id=standard_id, selection=selection, starts_on=JULY
                    )
        binding_id = await self.held(world, estate)
        async with world.unit(world.at_other_site()) as ctx:
            with pytest.raises(NotFound):
                await service.end_binding(ctx, binding_id=binding_id, ends_on=JULY)
            with pytest.raises(NotFound):
                await service.change_binding(
                    ctx, binding_id=binding_id, standard_id=standard_id, starts_on=JULY
                )
