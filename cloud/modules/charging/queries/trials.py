"""What a price would come to: the bill's own arithmetic on a room of the community."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.money import ZERO, RoundingMode, RoundingStep
from cloud.kernel.periods import Period, add_months, cycles
from cloud.kernel.ui.language import Tone, TrialLine, TrialLines
from cloud.modules.charging.models import (
    AreaBasis,
    BandWindow,
    Binding,
    Item,
    ItemCategory,
    Method,
    PricePer,
    Proration,
    Standard,
    StandardVersion,
)
from cloud.modules.charging.queries.bands import bands_in, check_bands, first_price
from cloud.modules.charging.queries.candidates import METERED_BY
from cloud.modules.charging.queries.explain import cycles_of, unit_of
from cloud.modules.charging.rules import (
    AREA_UNIT,
    HOUSEHOLD,
    Basis,
    Computed,
    Segment,
    compute,
    parts_in_bands,
    plain_number,
)
from cloud.modules.charging.schemas import Band, Pricing, StandardTrial, VersionTrial
from cloud.modules.metering import queries as metering
from cloud.modules.metering.queries import UNITS
from cloud.modules.organization import queries as organization
from cloud.modules.resources import queries as resources
from cloud.modules.resources.queries import RoomOfSite

USED = Decimal(100)  # where no meter tells, so many units are tried
MINUS = "−"


@dataclass(frozen=True)
class _Plan:
    """What is tried: a price on a whole cycle, for an item of a community."""

    site_id: UUID
    method: Method
    cycle: Period
    months: int
    item: Item


async def try_standard(ctx: Ctx, wanted: StandardTrial) -> TrialLines:
    """A new standard on one room, beside what that room is charged now.

    Raises NotFound, ProjectNotYours, PickAProject, PriceMissing, and as `check_bands`.
    """
    site = await organization.get_site(ctx, wanted.site_id)
    item = await ctx.get(Item, wanted.item_id)
    months = int(wanted.cycle_months)
    cycle = _cycle(date(wanted.effective_from.year, 1, 1), months, wanted.effective_from)
    plan = _Plan(site.id, wanted.method, cycle, months, item)
    _check(plan, wanted)
    rooms = await resources.rooms_of_site(ctx, site.id)
    bound = await _bound(ctx, site.id, item_id=item.id)
    room = _first(rooms, bound, wanted)
    if room is None:
        return _nothing(ctx, plan)
    current = await _current(ctx, bound.get(room.id), wanted.effective_from)
    line = await _on_one_room(ctx, plan, room, wanted, current)
    return _nothing(ctx, plan) if line is None else TrialLines(lines=[line])


async def try_version(ctx: Ctx, *, standard_id: UUID, wanted: VersionTrial) -> TrialLines:
    """A new price on one room of a standard, and on all of its rooms, beside the price before.

    Raises NotFound, PriceMissing, and as `check_bands`.
    """
    standard = await ctx.get(Standard, standard_id)
    item = await ctx.get(Item, standard.item_id)
    months = standard.cycle_months
    cycle = _cycle(standard.anchor_on, months, wanted.effective_from)
    plan = _Plan(standard.org_id, Method(standard.method), cycle, months, item)
    _check(plan, wanted)
    rooms = await resources.rooms_of_site(ctx, standard.org_id)
    bound = await _bound(ctx, standard.org_id, standard_id=standard.id)
    room = _first(rooms, bound, wanted)
    if room is None:
        return _nothing(ctx, plan)
    current = await _current(ctx, standard.id, wanted.effective_from)
    line = await _on_one_room(ctx, plan, room, wanted, current)
    if line is None:
        return _nothing(ctx, plan)
    lines = [line]
    if plan.method is not Method.metered and len(bound) > 1:
        lines.append(_on_all(ctx, plan, [r for r in rooms if r.id in bound], wanted, current))
    return TrialLines(lines=lines)


async def try_copy(ctx: Ctx, *, from_site_id: UUID, to_site_id: UUID) -> TrialLines:
    """Which standards a copy would make, and which codes are there already.

    Raises NotFound, ProjectNotYours, PickAProject.
    """
    source = await organization.get_site(ctx, from_site_id)
    target = await organization.get_site(ctx, to_site_id)
    rows = await ctx.session.execute(
        select(col(Standard.org_id), col(Standard.code), col(Standard.closed_on)).where(
            col(Standard.org_id).in_([source.id, target.id])
        )
    )
    codes: dict[UUID, set[str]] = {source.id: set(), target.id: set()}
    for site_id, code, closed_on in rows:
        if closed_on is None or site_id == target.id:
            codes[site_id].add(code)
    fresh = sorted(codes[source.id] - codes[target.id])
    known = sorted(codes[source.id] & codes[target.id])
    lines = []
    for label, found, tone in (("Will be copied", fresh, None), ("Skipped", known, Tone.warn)):
        if found or label == "Will be copied":
            count = ctx.say("{count} standards", count=len(found))
            text = ctx.say(", ").join(found)
            lines.append(
                TrialLine(label=ctx.say(label), text=text, result="", note=count, tone=tone)
            )
    return TrialLines(lines=lines)


def _check(plan: _Plan, price: Pricing) -> None:
    first_price(price.unit_price, bands_in(price))
    check_bands(bands_in(price), price.band_window, method=plan.method, cycle_months=plan.months)


def _cycle(anchor: date, months: int, day: date) -> Period:
    """The first whole cycle that begins on a day or later."""
    return next(cycles(anchor, months=months, within=Period(day, add_months(day, months + 1))))


def _first(
    rooms: Sequence[RoomOfSite], bound: dict[UUID, UUID], price: Pricing
) -> RoomOfSite | None:
    """A room that is charged now before others, one with an area before one without."""
    return min(
        rooms,
        key=lambda room: (room.id not in bound, not _area(room, price.area_basis), room.sort_key),
        default=None,
    )


async def _bound(
    ctx: Ctx, site_id: UUID, *, item_id: UUID | None = None, standard_id: UUID | None = None
) -> dict[UUID, UUID]:
    """The standard by room that holds today."""
    statement = select(col(Binding.room_id), col(Binding.standard_id)).where(
        col(Binding.org_id) == site_id,
        or_(col(Binding.ends_on).is_(None), col(Binding.ends_on) > ctx.business_on),
    )
    if item_id is not None:
        statement = statement.where(col(Binding.item_id) == item_id)
    if standard_id is not None:
        statement = statement.where(col(Binding.standard_id) == standard_id)
    return {row.room_id: row.standard_id for row in await ctx.session.execute(statement)}


async def _on_one_room(
    ctx: Ctx, plan: _Plan, room: RoomOfSite, price: Pricing, current: Pricing | None
) -> TrialLine | None:
    used = await _last_use(ctx, plan, room) if plan.method is Method.metered else None
    basis = _basis(plan, room, price, used)
    if basis is None:
        return None
    computed = compute(basis)
    said = []
    if plan.method is Method.metered and used is None:
        said.append(ctx.say("assumed use"))
    if basis.bands:
        said.append(ctx.say("counted from the first band"))
    line = TrialLine(
        label=ctx.say("Trial {room}", room=room.full_name),
        text=_formula(ctx, basis, computed),
        result=f"{computed.amount:,.2f} {ctx.say(_PER[plan.months])}",
        note=" · ".join(said),
        tone=None,
    )
    before = _basis(plan, room, current, used) if current else None
    return line if before is None else _compared(ctx, line, computed.amount, compute(before).amount)


_PER = {1: "yuan / month", 2: "yuan / 2 months", 3: "yuan / quarter", 6: "yuan / half-year",
        12: "yuan / year"}  # fmt: skip


def _basis(
    plan: _Plan, room: RoomOfSite, price: Pricing, used: Decimal | None = None
) -> Basis | None:
    """The basis of a room's charge for the whole cycle; None without the area it needs."""
    coefficient = Decimal(1)
    quantity: Decimal | None
    match plan.method:
        case Method.area:
            quantity, unit, coefficient = _area(room, price.area_basis), AREA_UNIT, room.coefficient
        case Method.metered:
            kind = METERED_BY.get(ItemCategory(plan.item.category))
            quantity, unit = used or USED, UNITS[kind] if kind else ""
        case _:
            quantity, unit = Decimal(1), HOUSEHOLD
    if not quantity:
        return None
    bands = bands_in(price)
    unit_price = first_price(price.unit_price, bands)
    return Basis(
        method=plan.method,
        standard="",
        quantity=quantity,
        coefficient=coefficient,
        segments=(Segment("", 0, unit_price, plan.cycle.start, plan.cycle.end),),
        cycle_months=plan.months,
        cycle_days=plan.cycle.days,
        is_whole=True,
        price_per=price.price_per,
        proration=price.proration,
        rounding_step=price.rounding_step,
        rounding_mode=price.rounding_mode,
        tax_rate=plan.item.tax_rate,
        area_basis=price.area_basis,
        unit=unit,
        bands=bands,
        bands_from=plan.cycle.start,
    )


async def _last_use(ctx: Ctx, plan: _Plan, room: RoomOfSite) -> Decimal | None:
    """What the room's first meter of the item's kind counted in the last whole month."""
    kind = METERED_BY.get(ItemCategory(plan.item.category))
    if kind is None:
        return None
    meters = await metering.meters_of_rooms(
        ctx, site_id=plan.site_id, kind=kind, room_ids=[room.id]
    )
    if not meters:
        return None
    this_month = ctx.business_on.replace(day=1)
    period = Period(add_months(this_month, -1), this_month)
    used = await metering.usage_for_period(ctx, meter_ids=[meters[0].id], period=period)
    return used[meters[0].id].usage


def _area(room: RoomOfSite, basis: AreaBasis) -> Decimal | None:
    return {
        AreaBasis.building: room.building_area,
        AreaBasis.inner: room.inner_area,
        AreaBasis.chargeable: room.chargeable_area or room.building_area,
    }[basis]


async def _current(ctx: Ctx, standard_id: UUID | None, day: date) -> Pricing | None:
    """The price of a standard that holds on a day, as it stands before anything is changed."""
    if standard_id is None:
        return None
    found = await ctx.session.execute(
        select(StandardVersion)
        .where(
            col(StandardVersion.standard_id) == standard_id,
            col(StandardVersion.effective_from) <= day,
        )
        .order_by(col(StandardVersion.number).desc())
        .limit(1)
    )
    version = found.scalar_one_or_none()
    if version is None:
        return None
    bands = None if version.bands is None else [Band(**band) for band in version.bands]
    return Pricing(
        unit_price=None if bands else version.unit_price,
        bands=bands,
        band_window=BandWindow(version.band_window) if version.band_window else None,
        price_per=PricePer(version.price_per),
        area_basis=AreaBasis(version.area_basis),
        proration=Proration(version.proration),
        rounding_step=RoundingStep(version.rounding_step),
        rounding_mode=RoundingMode(version.rounding_mode),
    )


def _formula(ctx: Ctx, basis: Basis, computed: Computed) -> str:
    if basis.bands:
        parts = [
            f"{plain_number(part)} × {plain_number(band.unit_price)}"
            for band, part in parts_in_bands(basis)
        ]
        return " + ".join(parts)
    parts = [f"{plain_number(basis.quantity)} {unit_of(ctx, basis)}".strip()]
    if basis.coefficient != 1:
        parts.append(plain_number(basis.coefficient))
    parts.append(plain_number(basis.segments[0].unit_price))
    if basis.method is not Method.metered and computed.factor != 1:
        parts.append(f"{computed.factor} {cycles_of(ctx, basis, computed.factor)}")
    return " × ".join(parts)


def _on_all(
    ctx: Ctx, plan: _Plan, rooms: Sequence[RoomOfSite], price: Pricing, current: Pricing | None
) -> TrialLine:
    new, old = (
        sum((compute(basis).amount for room in rooms if (basis := _basis(plan, room, each))), ZERO)
        for each in (price, current or price)
    )
    line = TrialLine(
        label=ctx.say("All {count} rooms", count=len(rooms)),
        text="",
        result=f"{new:,.2f} {ctx.say(_PER[plan.months])}",
        note="",
        tone=None,
    )
    return line if current is None else _compared(ctx, line, new, old)


def _compared(ctx: Ctx, line: TrialLine, new: Decimal, old: Decimal) -> TrialLine:
    difference = new - old
    if not difference:
        text, tone = ctx.say("as now"), None
    else:
        sign = "+" if difference > 0 else MINUS
        share = f" ({sign}{abs(difference) / old * 100:.1f}%)" if old else ""
        text = ctx.say("against now {change}", change=f"{sign}{abs(difference):,.2f}{share}")
        tone = Tone.warn if difference > 0 else Tone.ok
    note = " · ".join(part for part in (line.note, text) if part)
    return line.model_copy(update={"note": note, "tone": tone})


def _nothing(ctx: Ctx, plan: _Plan) -> TrialLines:
    why = "No room with an area to try" if plan.method is Method.area else "No room to try"
    line = TrialLine(label=ctx.say(why), text="", result="", note="", tone=Tone.mute)
    return TrialLines(lines=[line])
