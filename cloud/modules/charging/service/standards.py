"""How items are charged: standards of a community, their versions, closing and copying them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Unprocessable
from cloud.kernel.money import RoundingMode, RoundingStep
from cloud.kernel.periods import ONE_DAY
from cloud.modules.charging.models import (
    AreaBasis,
    BandWindow,
    Binding,
    Item,
    Method,
    PricePer,
    Proration,
    Standard,
    StandardVersion,
    Timing,
)
from cloud.modules.charging.queries import check_bands, first_price
from cloud.modules.charging.rules import Band, bands_of, stored_bands
from cloud.modules.charging.service.items import refuse_disabled
from cloud.modules.organization import queries as organization

COPIED_MAX = 500


class VersionNotAfter(Conflict):
    message = "A version from {current} is already in force. The new one must begin after it."


class PriceZeroUnexplained(Unprocessable):
    message = "A price of 0 needs its reason: say why nothing is charged."


class StandardCodeTaken(Conflict):
    message = "The code {code} belongs to “{name}”. To change its price, add a version to that one."


class StandardClosed(Conflict):
    message = "“{name}” is closed from {on}. Choose another standard, or make a new one."


class StandardInUse(Conflict):
    message = "{count} bindings still hold “{name}” after {last}. End them first."


class StandardNotBegun(Conflict):
    message = "“{name}” has a version that begins on {start}. Close it after that day."


class CopyOntoItself(Unprocessable):
    message = "Both are the same community. Choose the one to copy from."


@dataclass(frozen=True)
class StandardSpec:
    """How an item is charged. Cycles are counted from `anchor_on`."""

    code: str
    name: str
    method: Method
    timing: Timing
    cycle_months: int
    anchor_on: date
    due_days: int


@dataclass(frozen=True)
class PriceSpec:
    """A price and how it is applied, with the contract or approval that it rests on.

    There is one price, or bands of them.
    """

    unit_price: Decimal | None
    basis: str
    note: str = ""
    price_per: PricePer = PricePer.month
    area_basis: AreaBasis = AreaBasis.chargeable
    proration: Proration = Proration.actual_month
    rounding_step: RoundingStep = RoundingStep.cent
    rounding_mode: RoundingMode = RoundingMode.half_up
    bands: tuple[Band, ...] = ()
    band_window: BandWindow | None = None

    @property
    def is_free(self) -> bool:
        """Something of it costs nothing."""
        return 0 in {self.unit_price, *(band.unit_price for band in self.bands)}


@dataclass(frozen=True)
class CopiedStandards:
    """How many were made in the other community, and which codes it had already."""

    copied: int
    skipped: int
    left: str


async def add_standard(ctx: Ctx, *, org_id: UUID, item_id: UUID, spec: StandardSpec) -> Standard:
    """Raises NotFound for an item that the caller cannot see, ItemDisabled, StandardCodeTaken."""
    item = await ctx.get(Item, item_id)
    refuse_disabled(item)
    await _refuse_taken(ctx, org_id, spec.code)
    standard = Standard(**ctx.stamp(org_id), item_id=item.id, **asdict(spec))
    ctx.session.add(standard)
    await ctx.session.flush()  # versions follow in their own statement, without a relationship
    await audit.record(
        ctx,
        action="charging.standard.added",
        subject_kind="charging.standard",
        subject_id=standard.id,
        org_id=org_id,
        after={"code": spec.code, "name": spec.name, "method": spec.method.value},
    )
    return standard


async def create_standard(
    ctx: Ctx,
    *,
    site_id: UUID,
    item_id: UUID,
    spec: StandardSpec,
    price: PriceSpec,
    effective_from: date,
) -> Standard:
    """A standard of a community with its first version. Raises as `add_standard` and
    `add_version`, and ProjectNotYours or PickAProject for what is no community of the caller's."""
    site = await organization.get_site(ctx, site_id)
    standard = await add_standard(ctx, org_id=site.id, item_id=item_id, spec=spec)
    await add_version(ctx, standard_id=standard.id, price=price, effective_from=effective_from)
    return standard


async def change_standard(
    ctx: Ctx, *, standard_id: UUID, version: int, name: str, due_days: int
) -> Standard:
    """What bills already hold in their own words: its name and the days to pay.

    Raises NotFound, StaleVersion.
    """
    standard = await ctx.get(Standard, standard_id, lock=True, version=version)
    before = {"name": standard.name, "due_days": standard.due_days}
    standard.name, standard.due_days = name, due_days
    standard.version += 1
    await audit.record(
        ctx,
        action="charging.standard.changed",
        subject_kind="charging.standard",
        subject_id=standard.id,
        org_id=standard.org_id,
        before=before,
        after={"name": name, "due_days": due_days},
    )
    return standard


async def add_version(
    ctx: Ctx, *, standard_id: UUID, price: PriceSpec, effective_from: date
) -> StandardVersion:
    """A new price; the version in force ends the day it begins. Published bills never change.

    Raises VersionNotAfter, PriceZeroUnexplained, StandardClosed, PriceMissing, PriceTwice, and as
    `check_bands`.
    """
    standard = await ctx.get(Standard, standard_id, lock=True)
    refuse_closed(standard)
    unit_price = first_price(price.unit_price, price.bands)
    if price.is_free and not price.note:
        raise PriceZeroUnexplained(fields=(FieldError("note", "price-zero-unexplained"),))
    check_bands(
        price.bands,
        price.band_window,
        method=Method(standard.method),
        cycle_months=standard.cycle_months,
    )
    latest = await _latest(ctx, standard_id)
    if latest is not None:
        if latest.effective_from >= effective_from:
            raise VersionNotAfter(
                current=latest.effective_from,
                fields=(FieldError("effective_from", "version-not-after"),),
            )
        latest.effective_to = effective_from
        latest.version += 1
        await ctx.session.flush()  # the two versions would overlap if the insert came first
    version = StandardVersion(
        **ctx.stamp(standard.org_id),
        standard_id=standard.id,
        number=latest.number + 1 if latest else 1,
        effective_from=effective_from,
        **{
            **asdict(price),
            "unit_price": unit_price,
            "bands": stored_bands(price.bands) or None,
        },
    )
    ctx.session.add(version)
    await audit.record(
        ctx,
        action="charging.standard.priced",
        subject_kind="charging.standard",
        subject_id=standard.id,
        org_id=standard.org_id,
        before={"unit_price": str(latest.unit_price), "bands": latest.bands} if latest else None,
        after={
            "unit_price": str(unit_price),
            "bands": version.bands,
            "effective_from": str(effective_from),
        },
        reason=price.note or price.basis,
    )
    return version


async def close_standard(ctx: Ctx, *, standard_id: UUID, closed_on: date, reason: str) -> Standard:
    """Let a standard hold for nothing from a day on; its last price ends there too.

    Raises NotFound, StandardClosed, StandardNotBegun, StandardInUse.
    """
    standard = await ctx.get(Standard, standard_id, lock=True)
    refuse_closed(standard)
    latest = await _latest(ctx, standard_id)
    if latest is not None and latest.effective_from >= closed_on:
        raise StandardNotBegun(
            name=standard.name,
            start=latest.effective_from,
            fields=(FieldError("last_day", "standard-not-begun"),),
        )
    await _refuse_in_use(ctx, standard, closed_on)
    standard.closed_on = closed_on
    standard.version += 1
    if latest is not None:
        latest.effective_to = closed_on
        latest.version += 1
    await audit.record(
        ctx,
        action="charging.standard.closed",
        subject_kind="charging.standard",
        subject_id=standard.id,
        org_id=standard.org_id,
        after={"closed_on": str(closed_on)},
        reason=reason,
    )
    return standard


async def copy_standards(ctx: Ctx, *, from_site_id: UUID, to_site_id: UUID) -> CopiedStandards:
    """Make the open standards of one community in another, with the prices from today on.

    Matched by code: what the other has already is left as it is and named. Raises NotFound,
    ProjectNotYours, PickAProject, CopyOntoItself.
    """
    source = await organization.get_site(ctx, from_site_id)
    target = await organization.get_site(ctx, to_site_id)
    if source.id == target.id:
        raise CopyOntoItself(fields=(FieldError("from_site_id", "copy-onto-itself"),))
    codes = select(col(Standard.code)).where(col(Standard.org_id) == target.id)
    known = set((await ctx.session.execute(codes)).scalars())
    copied, skipped = 0, list[str]()
    for standard in await open_standards(ctx, source.id):
        if standard.code in known:
            skipped.append(standard.code)
            continue
        await _copy(ctx, standard, target.id)
        copied += 1
    return CopiedStandards(
        copied=copied, skipped=len(skipped), left=ctx.say(", ").join(skipped) or "—"
    )


async def open_standards(ctx: Ctx, site_id: UUID) -> Sequence[Standard]:
    """The standards of a community that are not closed, by code; at most 500."""
    found = await ctx.session.execute(
        select(Standard)
        .where(col(Standard.org_id) == site_id, col(Standard.closed_on).is_(None))
        .order_by(col(Standard.code))
        .limit(COPIED_MAX)
    )
    return found.scalars().all()


def refuse_closed(standard: Standard, *, on: date | None = None) -> None:
    """Raises StandardClosed for one that is closed, or, with `on`, no longer holds on that day."""
    closed_on = standard.closed_on
    if closed_on is not None and (on is None or on >= closed_on):
        raise StandardClosed(name=standard.name, on=closed_on)


async def _copy(ctx: Ctx, standard: Standard, org_id: UUID) -> None:
    spec = StandardSpec(
        code=standard.code,
        name=standard.name,
        method=Method(standard.method),
        timing=Timing(standard.timing),
        cycle_months=standard.cycle_months,
        anchor_on=standard.anchor_on,
        due_days=standard.due_days,
    )
    made = await add_standard(ctx, org_id=org_id, item_id=standard.item_id, spec=spec)
    prices = await ctx.session.execute(
        select(StandardVersion)
        .where(
            col(StandardVersion.standard_id) == standard.id,
            or_(
                col(StandardVersion.effective_to).is_(None),
                col(StandardVersion.effective_to) > ctx.business_on,
            ),
        )
        .order_by(col(StandardVersion.number))
    )
    for version in prices.scalars().all():
        price = PriceSpec(
            unit_price=None if version.bands else version.unit_price,
            basis=version.basis,
            note=version.note,
            price_per=PricePer(version.price_per),
            area_basis=AreaBasis(version.area_basis),
            proration=Proration(version.proration),
            rounding_step=RoundingStep(version.rounding_step),
            rounding_mode=RoundingMode(version.rounding_mode),
            bands=bands_of(version.bands),
            band_window=BandWindow(version.band_window) if version.band_window else None,
        )
        await add_version(
            ctx, standard_id=made.id, price=price, effective_from=version.effective_from
        )
        await ctx.session.flush()  # the next version ends this one


async def _refuse_taken(ctx: Ctx, org_id: UUID, code: str) -> None:
    taken = await ctx.session.execute(
        select(col(Standard.name)).where(col(Standard.org_id) == org_id, col(Standard.code) == code)
    )
    name = taken.scalar_one_or_none()
    if name is not None:
        raise StandardCodeTaken(
            code=code, name=name, fields=(FieldError("code", "standard-code-taken"),)
        )


async def _refuse_in_use(ctx: Ctx, standard: Standard, closed_on: date) -> None:
    counted = select(func.count()).where(
        col(Binding.standard_id) == standard.id,
        or_(col(Binding.ends_on).is_(None), col(Binding.ends_on) > closed_on),
    )
    count = (await ctx.session.execute(counted)).scalar_one()
    if count:
        raise StandardInUse(
            name=standard.name,
            count=count,
            last=closed_on - ONE_DAY,
            fields=(FieldError("last_day", "standard-in-use"),),
        )


async def _latest(ctx: Ctx, standard_id: UUID) -> StandardVersion | None:
    found = await ctx.session.execute(
        select(StandardVersion)
        .where(col(StandardVersion.standard_id) == standard_id)
        .order_by(col(StandardVersion.number).desc())
        .limit(1)
    )
    return found.scalar_one_or_none()
