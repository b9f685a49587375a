"""A small estate that can be billed: three rooms, a chart, items, standards and bindings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from cloud.kernel.context import Ctx, Principal
from cloud.modules.charging import service
from cloud.modules.charging.models import Item, ItemCategory, Method, Run, Timing
from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.customers import service as customers
from cloud.modules.customers.models import PartyKind, RoomRole
from cloud.modules.customers.service import Tenure
from cloud.modules.ledger import service as ledger
from cloud.modules.ledger.seeds import CHART
from cloud.modules.metering import service as metering
from cloud.modules.metering.models import MeterKind
from cloud.modules.metering.service import MeterSpec
from cloud.modules.resources import service as resources
from cloud.modules.resources.service import RoomFacts
from tests.kit.world import Company, World

SINCE = date(2024, 1, 1)
NOVEMBER = ClosedPeriod.model_validate({"from": "2026-11-01", "to": "2026-11-30"})
OCTOBER = ClosedPeriod.model_validate({"from": "2026-10-01", "to": "2026-10-31"})


@dataclass
class Estate:
    """`rooms`, `payers` and `items` by name: "101", "102" and, without an area, "103"."""

    company: Company
    principal: Principal
    rooms: dict[str, UUID] = field(default_factory=dict)
    payers: dict[str, UUID] = field(default_factory=dict)
    items: dict[str, UUID] = field(default_factory=dict)
    standards: dict[str, UUID] = field(default_factory=dict)
    meter_id: UUID | None = None

    @property
    def site_id(self) -> UUID:
        return self.company.site_id


AREAS = {"101": "89.53", "102": "126.40", "103": None}


async def build_estate(world: World, company: Company | None = None) -> Estate:
    company = company or world.alpha
    headquarters = world.headquarters(company)
    estate = Estate(company=company, principal=world.at_site(company))
    async with world.unit(headquarters) as ctx:
        for code, name, kind in CHART:
            await ledger.add_account(ctx, code=code, name=name, kind=kind)
        await ctx.session.flush()  # items look their accounts up
        for code, tax in (("property_fee", "0.06"), ("electricity", "0")):
            estate.items[code] = (await _add_item(ctx, company, code, tax)).id
    async with world.unit(estate.principal) as ctx:
        await _add_rooms(ctx, estate)
        await _add_standards(ctx, estate)
    return estate


async def _add_item(ctx: Ctx, company: Company, code: str, tax: str) -> Item:
    return await service.add_item(
        ctx,
        code=code,
        facts=service.ItemFacts(
            name={"property_fee": "物业费", "electricity": "电费"}[code],
            category=ItemCategory(code),
            is_agency=code == "electricity",
            tax_rate=Decimal(tax),
            allocation_priority=10,
            legal_entity_id=company.entity_id,
        ),
    )


async def _add_rooms(ctx: Ctx, estate: Estate) -> None:
    building = await resources.add_building(ctx, site_id=estate.site_id, code="1", name="1幢")
    unit = await resources.add_unit(ctx, building_id=building.id, code="1", name="1单元")
    for code, area in AREAS.items():
        facts = RoomFacts(building_area=Decimal(area) if area else None)
        room = await resources.add_room(ctx, parent_id=unit.id, code=code, facts=facts)
        estate.rooms[code] = room.id
        estate.payers[code] = await add_payer(ctx, estate, room.id, name=f"业主{code}")


async def add_payer(ctx: Ctx, estate: Estate, room_id: UUID, *, name: str = "业主") -> UUID:
    """The sole owner of a room since the beginning, who pays."""
    party = await customers.add_party(
        ctx, site_id=estate.site_id, name=name, kind=PartyKind.person, phone=""
    )
    tenure = Tenure(
        role=RoomRole.owner,
        valid_from=SINCE,
        valid_to=None,
        share=Decimal(100),
        is_payer=True,
    )
    await customers.attach_party(ctx, room_id=room_id, party_id=party.id, tenure=tenure)
    return party.id


async def _add_standards(ctx: Ctx, estate: Estate) -> None:
    for item, method, price in (
        ("property_fee", Method.area, "2.38"),
        ("electricity", Method.metered, "0.538"),
    ):
        standard = await service.add_standard(
            ctx,
            org_id=estate.site_id,
            item_id=estate.items[item],
            spec=service.StandardSpec(
                code=item.upper(),
                name=item,
                method=method,
                timing=Timing.advance if method is Method.area else Timing.arrears,
                cycle_months=1,
                anchor_on=SINCE,
                due_days=30,
            ),
        )
        await service.add_version(
            ctx,
            standard_id=standard.id,
            effective_from=SINCE,
            price=service.PriceSpec(
                unit_price=Decimal(price),
                basis="合同",
            ),
        )
        estate.standards[item] = standard.id
    await service.bind_rooms(
        ctx,
        site_id=estate.site_id,
        standard_id=estate.standards["property_fee"],
        room_ids=list(estate.rooms.values()),
        starts_on=SINCE,
    )


async def add_metered_room(ctx: Ctx, estate: Estate, *readings: tuple[date, str]) -> UUID:
    """An electricity meter in 101, ×1, bound to its standard, with readings at local midnights."""
    meter = await metering.add_meter(
        ctx,
        site_id=estate.site_id,
        spec=MeterSpec(
            no="E-101",
            kind=MeterKind.electricity,
            room_id=estate.rooms["101"],
            digits=6,
            initial_value=Decimal(0),
            installed_on=SINCE,
        ),
    )
    for on, value in readings:
        await metering.record_reading(
            ctx,
            meter_id=meter.id,
            value=Decimal(value),
            read_on=on,
        )
    await service.bind_meters(
        ctx,
        site_id=estate.site_id,
        standard_id=estate.standards["electricity"],
        meter_ids=[meter.id],
        starts_on=SINCE,
    )
    return meter.id


async def published_run(
    ctx: Ctx, estate: Estate, item: str = "property_fee", period: ClosedPeriod = NOVEMBER
) -> Run:
    """A run of one item, worked through to the end in this transaction."""
    run = await service.create_run(
        ctx, site_id=estate.site_id, item_ids=[estate.items[item]], period=period
    )
    await ctx.session.flush()  # the steps load the run
    await service.preview_run(ctx, run_id=run.id)
    return await service.work_through(ctx, run_id=run.id)
