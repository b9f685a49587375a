"""Lists of items, standards and bindings, and one standard with its versions."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from cloud.kernel.choices import Choices, fetch_choices
from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import Expression, Listing, Sorting, Statement, contains, fetch_page
from cloud.kernel.periods import ONE_DAY
from cloud.modules.charging.models import (
    BandWindow,
    Bill,
    Binding,
    Item,
    ItemCategory,
    ItemState,
    Method,
    Standard,
    StandardVersion,
)
from cloud.modules.charging.queries.candidates import METERED_BY
from cloud.modules.charging.queries.explain import band_text
from cloud.modules.charging.rules import WINDOW_LABELS, bands_of, plain_number
from cloud.modules.charging.schemas import (
    Band,
    BindingRead,
    BoundLine,
    ItemRead,
    StandardDetail,
    StandardRead,
    VersionLine,
)
from cloud.modules.ledger.models import Account
from cloud.modules.metering.models import Meter
from cloud.modules.metering.queries import UNITS
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import LegalEntity, Unit
from cloud.modules.resources.models import Space

BOUND_SHOWN_MAX = 200


class StandardState(StrEnum):
    in_force = "in_force"
    upcoming = "upcoming"
    closed = "closed"


class BindingState(StrEnum):
    holding = "holding"
    upcoming = "upcoming"
    ended = "ended"


async def list_items(
    ctx: Ctx, listing: Listing, *, state: ItemState | None = None
) -> dict[str, Any]:
    """The company's own, whichever of its units is asked for."""
    await organization.scope_of(ctx, listing.site_id)
    statement: Statement = (
        select(
            col(Item.id).label("id"),
            col(Item.code).label("code"),
            col(Item.name).label("name"),
            col(Item.category).label("category"),
            case((col(Item.is_agency), "agency"), else_="own").label("agency"),
            col(Item.tax_rate).label("tax_rate"),
            col(Item.allocation_priority).label("allocation_priority"),
            col(Item.legal_entity_id).label("legal_entity_id"),
            col(LegalEntity.name).label("legal_entity"),
            col(Item.receivable_id).label("receivable_id"),
            col(Item.revenue_id).label("revenue_id"),
            func.concat(col(Account.code), " ", col(Account.name)).label("revenue"),
            col(Item.state).label("state"),
            col(Item.version).label("version"),
        )
        .select_from(Item)
        .join(LegalEntity, col(LegalEntity.id) == col(Item.legal_entity_id))
        .join(Account, col(Account.id) == col(Item.revenue_id))
    )
    if state is not None:
        statement = statement.where(col(Item.state) == state)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(or_(col(Item.name).like(wanted), col(Item.code).like(wanted)))
    sorting = Sorting(
        by={
            "code": col(Item.code),
            "name": col(Item.name),
            "allocation_priority": col(Item.allocation_priority),
        },
        default="code",
        tie=col(Item.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=ItemRead)


async def item_choices(ctx: Ctx, q: str) -> Choices:
    """Items in use for a form's field, by code."""
    return await fetch_choices(
        ctx,
        select(col(Item.id), col(Item.name))
        .where(col(Item.name).like(contains(q)), col(Item.state) == ItemState.active)
        .order_by(col(Item.code)),
    )


async def account_choices(ctx: Ctx, q: str) -> Choices:
    label = func.concat(col(Account.code), " ", col(Account.name))
    return await fetch_choices(
        ctx,
        select(col(Account.id), label).where(label.like(contains(q))).order_by(col(Account.code)),
    )


async def standard_choices(ctx: Ctx, q: str, *, site_id: UUID | None) -> Choices:
    """Standards that are not closed, of the communities asked for, by code."""
    wanted = contains(q)
    label = func.concat(col(Standard.name), " · ", col(Standard.code))
    statement = (
        select(col(Standard.id), label)
        .where(
            col(Standard.closed_on).is_(None),
            or_(col(Standard.name).like(wanted), col(Standard.code).like(wanted)),
        )
        .order_by(col(Standard.code))
    )
    statement = await organization.within(ctx, statement, col(Standard.org_id), site_id)
    return await fetch_choices(ctx, statement)


def _standard_rows(ctx: Ctx) -> tuple[Statement, Expression]:
    """Standards with the version in force today, the first one to come, or the last one of a
    closed standard, and their state."""
    today = ctx.business_on
    shown = aliased(StandardVersion)
    is_shown = or_(
        and_(
            col(shown.effective_from) <= today,
            or_(col(shown.effective_to).is_(None), col(shown.effective_to) > today),
        ),
        and_(col(shown.number) == 1, col(shown.effective_from) > today),
        and_(col(shown.effective_to) == col(Standard.closed_on), col(shown.effective_to) <= today),
    )
    bound = (
        select(func.count())
        .where(
            col(Binding.standard_id) == col(Standard.id),
            or_(col(Binding.ends_on).is_(None), col(Binding.ends_on) > today),
        )
        .correlate(Standard)
        .scalar_subquery()
    )
    state = case(
        (col(Standard.closed_on) <= today, StandardState.closed.value),
        (col(shown.effective_from) <= today, StandardState.in_force.value),
        else_=StandardState.upcoming.value,
    )
    statement: Statement = (
        select(
            col(Standard.id).label("id"),
            col(Standard.code).label("code"),
            col(Standard.name).label("name"),
            col(Item.id).label("item_id"),
            col(Item.name).label("item_name"),
            col(Item.category).label("category"),
            col(Standard.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(Standard.method).label("method"),
            col(Standard.timing).label("timing"),
            col(Standard.cycle_months).label("cycle_months"),
            col(shown.unit_price).label("unit_price"),
            func.jsonb_array_length(col(shown.bands)).label("band_count"),
            col(shown.number).label("version_number"),
            col(shown.effective_from).label("effective_from"),
            col(shown.price_per).label("price_per"),
            col(shown.area_basis).label("area_basis"),
            col(shown.proration).label("proration"),
            col(shown.rounding_step).label("rounding_step"),
            col(shown.rounding_mode).label("rounding_mode"),
            _following(col(shown.effective_to), "unit_price").label("next_unit_price"),
            _following(col(shown.effective_to), "effective_from").label("next_from"),
            col(Standard.due_days).label("due_days"),
            bound.label("bound"),
            state.label("state"),
            (col(Standard.closed_on) - 1).label("last_day"),
            func.greatest(today, _newest_from() + 1).label("next_version_on"),
            col(Standard.version).label("version"),
        )
        .select_from(Standard)
        .join(Item, col(Item.id) == col(Standard.item_id))
        .join(Unit, col(Unit.id) == col(Standard.org_id))
        .outerjoin(
            shown,
            and_(col(shown.standard_id) == col(Standard.id), is_shown),
        )
    )
    return statement, state


def _newest_from() -> Any:
    """The day on which the newest version of a standard begins."""
    return (
        select(func.max(col(StandardVersion.effective_from)))
        .where(col(StandardVersion.standard_id) == col(Standard.id))
        .correlate(Standard)
        .scalar_subquery()
    )


def _following(begins: Expression, column: str) -> Any:
    """A value of the version that takes over on a day."""
    version = aliased(StandardVersion)
    return (
        select(getattr(version, column))
        .where(col(version.standard_id) == col(Standard.id), col(version.effective_from) == begins)
        .correlate_except(version)
        .scalar_subquery()
    )


def _standard(ctx: Ctx, row: Any) -> dict[str, Any]:
    shown = dict(row)
    following = row["next_unit_price"]
    bands = shown.pop("band_count")
    del shown["category"]
    return {
        **shown,
        "price_unit": _price_unit(ctx, row),
        "priced": "bands" if bands else "price",
        "next_price": None
        if following is None
        else ctx.say("{price} from {day}", price=plain_number(following), day=row["next_from"]),
    }


def _price_unit(ctx: Ctx, row: Any) -> str:
    if row["price_per"] is None:
        return ""
    if row["method"] == Method.metered:
        kind = METERED_BY.get(ItemCategory(row["category"]))
        unit = f"{ctx.say('yuan')}/{UNITS[kind] if kind else ctx.say('unit')}"
    else:
        per = ctx.say("month" if row["price_per"] == "month" else "cycle")
        area = f"{ctx.say('m²')}·" if row["method"] == Method.area else ""
        unit = f"{ctx.say('yuan')}/{area}{per}"
    bands = row["band_count"]
    return ctx.say("{unit}, first of {n} bands", unit=unit, n=bands) if bands else unit


async def list_standards(
    ctx: Ctx,
    listing: Listing,
    *,
    state: StandardState | None = None,
    method: Method | None = None,
    item_id: UUID | None = None,
) -> dict[str, Any]:
    statement, state_of = _standard_rows(ctx)
    statement = await organization.within(ctx, statement, col(Standard.org_id), listing.site_id)
    if state is not None:
        statement = statement.where(state_of == state.value)
    if method is not None:
        statement = statement.where(col(Standard.method) == method)
    if item_id is not None:
        statement = statement.where(col(Standard.item_id) == item_id)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(Standard.name).like(wanted), col(Standard.code).like(wanted))
        )
    sorting = Sorting(
        by={"code": col(Standard.code), "name": col(Standard.name)},
        default="code",
        tie=col(Standard.id),
    )
    page = await fetch_page(ctx, statement, listing, sorting=sorting)
    page["items"] = [StandardRead.model_validate(_standard(ctx, row)) for row in page["items"]]
    return page


async def read_standard(ctx: Ctx, standard_id: UUID) -> StandardDetail:
    """One standard with its versions, newest first, and what it is bound to. Raises NotFound."""
    statement, _ = _standard_rows(ctx)
    found = await ctx.session.execute(statement.where(col(Standard.id) == standard_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound
    versions = await ctx.session.execute(
        select(StandardVersion)
        .where(col(StandardVersion.standard_id) == standard_id)
        .order_by(col(StandardVersion.number).desc())
    )
    return StandardDetail.model_validate(
        {
            **_standard(ctx, row),
            "versions": [_version(ctx, each) for each in versions.scalars()],
            "bindings": await _bound_lines(ctx, standard_id),
        }
    )


def _version(ctx: Ctx, version: StandardVersion) -> VersionLine:
    today = ctx.business_on
    if version.effective_to is not None and version.effective_to <= today:
        state = StandardState.closed
    elif version.effective_from > today:
        state = StandardState.upcoming
    else:
        state = StandardState.in_force
    end = version.effective_to
    return VersionLine(
        number=version.number,
        unit_price=version.unit_price,
        bands=[Band(**band) for band in version.bands or ()],
        band_window=BandWindow(version.band_window) if version.band_window else None,
        in_bands=_in_bands(ctx, version),
        effective_from=version.effective_from,
        effective_to=end - ONE_DAY if end else None,
        basis=version.basis,
        note=version.note,
        state=state,
    )


def _in_bands(ctx: Ctx, version: StandardVersion) -> str | None:
    """By the year: to 2760 0.538; 2760 to 4800 0.588; above 4800 0.838."""
    if not version.bands or version.band_window is None:
        return None
    bands = bands_of(version.bands)
    said = [
        f"{band_text(ctx, bands, number)} {plain_number(band.unit_price)}"
        for number, band in enumerate(bands, start=1)
    ]
    window = ctx.say(WINDOW_LABELS[BandWindow(version.band_window)])
    return ctx.say("{window}: {bands}", window=window, bands=ctx.say("; ").join(said))


async def _bound_lines(ctx: Ctx, standard_id: UUID) -> Sequence[BoundLine]:
    found = await ctx.session.execute(
        _binding_rows(ctx)[0]
        .where(
            col(Binding.standard_id) == standard_id,
            or_(col(Binding.ends_on).is_(None), col(Binding.ends_on) > ctx.business_on),
        )
        .order_by(col(Space.sort_key), col(Binding.id))
        .limit(BOUND_SHOWN_MAX)
    )
    return [
        BoundLine.model_validate({key: row[key] for key in BoundLine.model_fields})
        for row in found.mappings()
    ]


def _binding_rows(ctx: Ctx) -> tuple[Statement, Expression]:
    today = ctx.business_on
    version = aliased(StandardVersion)
    state = case(
        (col(Binding.starts_on) > today, BindingState.upcoming.value),
        (col(Binding.ends_on) <= today, BindingState.ended.value),
        else_=BindingState.holding.value,
    )
    statement: Statement = (
        select(
            col(Binding.id).label("id"),
            col(Unit.name).label("site_name"),
            col(Binding.room_id).label("room_id"),
            col(Space.full_name).label("room_name"),
            col(Item.name).label("item_name"),
            col(Standard.name).label("standard_name"),
            col(version.unit_price).label("unit_price"),
            col(version.price_per).label("price_per"),
            func.jsonb_array_length(col(version.bands)).label("band_count"),
            col(Standard.method).label("method"),
            col(Item.category).label("category"),
            col(Meter.no).label("meter_no"),
            col(Binding.starts_on).label("starts_on"),
            (col(Binding.ends_on) - 1).label("ends_on"),
            state.label("state"),
            func.greatest(today, col(Binding.starts_on) + 1, _billed_to()).label("next_change_on"),
            col(Binding.version).label("version"),
        )
        .select_from(Binding)
        .join(Unit, col(Unit.id) == col(Binding.org_id))
        .join(
            Space,
            and_(col(Space.org_id) == col(Binding.org_id), col(Space.id) == col(Binding.room_id)),
        )
        .join(Item, col(Item.id) == col(Binding.item_id))
        .join(Standard, col(Standard.id) == col(Binding.standard_id))
        .outerjoin(
            version,
            and_(
                col(version.standard_id) == col(Binding.standard_id),
                col(version.effective_from) <= today,
                or_(col(version.effective_to).is_(None), col(version.effective_to) > today),
            ),
        )
        .outerjoin(Meter, col(Meter.id) == col(Binding.meter_id))
    )
    return statement, state


def _billed_to() -> Any:
    """The day after the last one that a bill of a binding is for."""
    return (
        select(func.max(col(Bill.period_to)))
        .where(col(Bill.binding_id) == col(Binding.id))
        .correlate(Binding)
        .scalar_subquery()
    )


async def list_bindings(
    ctx: Ctx,
    listing: Listing,
    *,
    state: BindingState | None = None,
    item_id: UUID | None = None,
    standard_id: UUID | None = None,
) -> dict[str, Any]:
    statement, state_of = _binding_rows(ctx)
    statement = await organization.within(ctx, statement, col(Binding.org_id), listing.site_id)
    if state is not None:
        statement = statement.where(state_of == state.value)
    if item_id is not None:
        statement = statement.where(col(Binding.item_id) == item_id)
    if standard_id is not None:
        statement = statement.where(col(Binding.standard_id) == standard_id)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(Space.full_name).like(wanted), col(Space.path).like(wanted))
        )
    sorting = Sorting(
        by={
            "room_name": col(Space.sort_key),
            "starts_on": col(Binding.starts_on),
            "standard_name": col(Standard.name),
        },
        default="room_name",
        tie=col(Binding.id),
    )
    page = await fetch_page(ctx, statement, listing, sorting=sorting)
    page["items"] = [
        BindingRead.model_validate({**row, "price_unit": _price_unit(ctx, row)})
        for row in page["items"]
    ]
    return page
