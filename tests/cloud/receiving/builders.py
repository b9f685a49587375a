"""A room with published bills, made through the services."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.modules.charging import queries as charging_queries
from cloud.modules.charging import service as charging
from cloud.modules.charging.models import ItemCategory, Method, Timing
from cloud.modules.charging.queries import OpenBill
from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.charging.service import Payment
from cloud.modules.ledger import service as ledger
from cloud.modules.ledger.seeds import CHART
from cloud.modules.organization import service as organization
from cloud.modules.receiving import service as receiving
from tests.cloud.customers.builders import add_party, own
from tests.cloud.resources.builders import add_room
from tests.kit.world import Company, World

SINCE = date(2024, 1, 1)
NOVEMBER = ClosedPeriod.model_validate({"from": "2026-11-01", "to": "2026-11-30"})
OCTOBER_AND_NOVEMBER = ClosedPeriod.model_validate({"from": "2026-10-01", "to": "2026-11-30"})


@dataclass
class Fees:
    """A company's fees: 213.08 and 5.00 a month for one legal entity, 30.00 for another."""

    property_fee: UUID
    garbage: UUID
    club: UUID
    standards: dict[UUID, UUID] = field(default_factory=dict)

    @property
    def own(self) -> tuple[UUID, UUID]:
        return self.property_fee, self.garbage


async def set_fees(world: World, company: Company | None = None) -> Fees:
    company = company or world.alpha
    async with world.unit(world.headquarters(company)) as ctx:
        for code, name, kind in CHART:
            await ledger.add_account(ctx, code=code, name=name, kind=kind)
        await ctx.session.flush()  # the methods look their accounts up
        await receiving.add_standard_methods(ctx)
        club = await organization.add_legal_entity(
            ctx, name="会所公司", tax_number="91330000MA2CLUB0X"
        )
        await ctx.session.flush()  # the items name both
        fees = Fees(
            property_fee=await _item(ctx, "property_fee", "物业费", 10, company.entity_id),
            garbage=await _item(ctx, "garbage", "垃圾费", 20, company.entity_id),
            club=await _item(ctx, "club", "会所费", 30, club.id),
        )
        prices = {fees.property_fee: "213.08", fees.garbage: "5.00", fees.club: "30.00"}
        for item_id, price in prices.items():
            fees.standards[item_id] = await _standard(ctx, company.id, item_id, price)
    return fees


async def _item(ctx: Ctx, code: str, name: str, priority: int, entity_id: UUID) -> UUID:
    item = await charging.add_item(
        ctx,
        code=code,
        facts=charging.ItemFacts(
            name=name,
            category=ItemCategory.other,
            is_agency=False,
            tax_rate=Decimal("0.06"),
            allocation_priority=priority,
            legal_entity_id=entity_id,
        ),
    )
    return item.id


async def _standard(ctx: Ctx, org_id: UUID, item_id: UUID, price: str) -> UUID:
    standard = await charging.add_standard(
        ctx,
        org_id=org_id,
        item_id=item_id,
        spec=charging.StandardSpec(
            code=str(item_id),
            name="每月固定",
            method=Method.fixed,
            timing=Timing.advance,
            cycle_months=1,
            anchor_on=SINCE,
            due_days=60,
        ),
    )
    await charging.add_version(
        ctx,
        standard_id=standard.id,
        effective_from=SINCE,
        price=charging.PriceSpec(
            unit_price=Decimal(price),
            basis="合同",
        ),
    )
    return standard.id


@dataclass
class Billed:
    site_id: UUID
    room_id: UUID
    party_id: UUID
    bills: list[OpenBill]

    def payments(self, *amounts: str) -> list[Payment]:
        """Towards the bills in their order; all that is open when no amounts are given."""
        wanted = [Decimal(amount) for amount in amounts] or [bill.open for bill in self.bills]
        return [
            Payment(bill.id, amount, bill.version)
            for bill, amount in zip(self.bills, wanted, strict=False)
        ]


async def bill_room(
    world: World,
    fees: Fees,
    *,
    items: tuple[UUID, ...] | None = None,
    period: ClosedPeriod = NOVEMBER,
    company: Company | None = None,
    site_id: UUID | None = None,
    building: str = "1",
) -> Billed:
    """A new room with published bills; by default of the two fees of one legal entity."""
    company = company or world.alpha
    site_id = site_id or company.site_id
    items = items or fees.own
    async with world.unit(world.headquarters(company)) as ctx:
        room = await add_room(ctx, site_id, building=building)
        party = await add_party(ctx, site_id)
        await own(ctx, room.id, party.id)
        await ctx.session.flush()  # the run reads what was bound
        for item_id in items:
            await charging.bind_rooms(
                ctx,
                site_id=site_id,
                standard_id=fees.standards[item_id],
                room_ids=[room.id],
                starts_on=SINCE,
            )
        run = await charging.create_run(ctx, site_id=site_id, item_ids=items, period=period)
        await ctx.session.flush()  # the steps below load the run
        await charging.preview_run(ctx, run_id=run.id)
        await charging.work_through(ctx, run_id=run.id)
        bills = await charging_queries.open_bills_of_room(ctx, room.id)
    return Billed(site_id=site_id, room_id=room.id, party_id=party.id, bills=bills)


async def add_deposit_item(world: World, company: Company | None = None) -> UUID:
    company = company or world.alpha
    async with world.unit(world.headquarters(company)) as ctx:
        item = await receiving.add_deposit_item(
            ctx,
            code="renovation",
            name="装修保证金",
            legal_entity_id=company.entity_id,
            usual_amount=Decimal("2000.00"),
        )
    return item.id
