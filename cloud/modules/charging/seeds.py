"""The demo company's items, standards and bindings, and three months of published bills."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cloud.kernel.context import Ctx
from cloud.kernel.periods import ONE_DAY, add_months
from cloud.kernel.seeding import Seeding
from cloud.modules.charging import service
from cloud.modules.charging.models import (
    BandWindow,
    ItemCategory,
    Method,
    RunState,
    Standard,
    Timing,
)
from cloud.modules.charging.rules import Band
from cloud.modules.charging.schemas import ClosedPeriod

SHANGHAI = ZoneInfo("Asia/Shanghai")
SINCE = date(2025, 1, 1)
PRICES = {"LT": "2.38", "YS": "2.80", "JH": "1.95"}
OLD_PRICES = {"LT": "2.20", "YS": "2.60", "JH": "1.80"}
RAISED = date(2026, 1, 1)
# item, standard, price (of the community where empty), basis
FLAT = (
    ("property_fee", "高层住宅物业费", "", "业主大会决议"),
    ("garbage", "生活垃圾费", "5.00", "物业服务合同"),
)
METERED = (
    ("water", "居民水费", "3.45", "发改委批文"),
    ("electricity", "居民电费", "0.538", "发改委批文"),
)
# Where electricity is charged in bands: those of Zhejiang's year (spec §5), by the month.
IN_BANDS = {
    "YS": (
        Band(Decimal(230), Decimal("0.538")),
        Band(Decimal(400), Decimal("0.588")),
        Band(None, Decimal("0.838")),
    )
}


@dataclass(frozen=True)
class DemoItem:
    code: str
    name: str
    category: ItemCategory
    is_agency: bool
    tax_rate: str
    priority: int


ITEMS = (
    DemoItem("property_fee", "物业费", ItemCategory.property_fee, False, "0.06", 10),
    DemoItem("garbage", "生活垃圾费", ItemCategory.other, False, "0.06", 20),
    DemoItem("water", "水费", ItemCategory.water, True, "0", 30),
    DemoItem("electricity", "电费", ItemCategory.electricity, True, "0", 40),
)


async def seed(seeding: Seeding) -> None:
    await _items(seeding)
    for site in seeding.community["sites"]:
        await _standards(seeding, site)
        await _history(seeding, site["code"])


async def _items(seeding: Seeding) -> None:
    async with seeding.unit() as ctx:
        for item in ITEMS:
            made = await service.add_item(
                ctx,
                code=item.code,
                facts=service.ItemFacts(
                    name=item.name,
                    category=item.category,
                    is_agency=item.is_agency,
                    tax_rate=Decimal(item.tax_rate),
                    allocation_priority=item.priority,
                    legal_entity_id=seeding.ids["legal_entity"],
                ),
            )
            seeding.ids[f"item:{item.code}"] = made.id


async def _standards(seeding: Seeding, site: dict[str, Any]) -> None:
    code: str = site["code"]
    site_id = seeding.ids[f"site:{code}"]
    rooms = [seeding.ids[f"room:{code}/{room['at']}"] for room in site["rooms"]]
    async with seeding.unit() as ctx:
        for item, name, price, basis in FLAT:
            method = Method.area if item == "property_fee" else Method.fixed
            standard = await _add(ctx, seeding, code, item=item, name=name, method=method)
            for since, value in ((SINCE, OLD_PRICES[code]), (RAISED, PRICES[code])):
                if method is Method.fixed and since == RAISED:
                    continue
                await service.add_version(
                    ctx,
                    standard_id=standard.id,
                    effective_from=since,
                    price=service.PriceSpec(
                        unit_price=Decimal(price or value),
                        basis=basis,
                    ),
                )
            await service.bind_rooms(
                ctx, site_id=site_id, standard_id=standard.id, room_ids=rooms, starts_on=SINCE
            )
        for item, name, price, basis in METERED:
            standard = await _add(ctx, seeding, code, item=item, name=name, method=Method.metered)
            await service.add_version(
                ctx,
                standard_id=standard.id,
                effective_from=SINCE,
                price=_price(code, item, price, basis),
            )
            meters = [seeding.ids[f"meter:{room[item][0]}"] for room in site["rooms"]]
            await service.bind_meters(
                ctx, site_id=site_id, standard_id=standard.id, meter_ids=meters, starts_on=SINCE
            )


def _price(code: str, item: str, price: str, basis: str) -> service.PriceSpec:
    bands = IN_BANDS.get(code, ()) if item == "electricity" else ()
    return service.PriceSpec(
        unit_price=None if bands else Decimal(price),
        basis=basis,
        bands=bands,
        band_window=BandWindow.month if bands else None,
    )


async def _add(
    ctx: Ctx, seeding: Seeding, code: str, *, item: str, name: str, method: Method
) -> Standard:
    is_metered = method is Method.metered
    return await service.add_standard(
        ctx,
        org_id=seeding.ids[f"site:{code}"],
        item_id=seeding.ids[f"item:{item}"],
        spec=service.StandardSpec(
            code=f"{code}-{item}".upper().replace("_", "-"),
            name=name,
            method=method,
            timing=Timing.arrears if is_metered else Timing.advance,
            cycle_months=1,
            anchor_on=SINCE,
            due_days=15 if is_metered else 30,
        ),
    )


async def _history(seeding: Seeding, code: str) -> None:
    """Fees of this month and the two before, and the metered charges of the month before last.

    Last month's metered charges are left for whoever tries the demo to bill.
    """
    this_month = seeding.now.astimezone(SHANGHAI).date().replace(day=1)
    for back in (2, 1, 0):
        month = add_months(this_month, -back)
        await _bill(seeding, code, ("property_fee", "garbage"), month, issued_on=month)
        if back == 1:
            await _bill(
                seeding, code, ("water", "electricity"), add_months(month, -1), issued_on=month
            )


async def _bill(
    seeding: Seeding, code: str, items: tuple[str, ...], month: date, *, issued_on: date
) -> None:
    now = datetime.combine(issued_on + ONE_DAY, time(9, 0), SHANGHAI).astimezone(UTC)
    period = ClosedPeriod.model_validate({"from": month, "to": add_months(month, 1) - ONE_DAY})
    async with seeding.unit(now=min(now, seeding.now)) as ctx:
        run = await service.create_run(
            ctx,
            site_id=seeding.ids[f"site:{code}"],
            item_ids=[seeding.ids[f"item:{item}"] for item in items],
            period=period,
        )
        await ctx.session.flush()  # the steps below load the run
        await service.preview_run(ctx, run_id=run.id)
        await service.work_through(ctx, run_id=run.id)
        assert run.state == RunState.published, run.failure
