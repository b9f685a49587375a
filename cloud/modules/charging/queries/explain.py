"""How a bill was computed, told from its stored basis in the viewer's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from cloud.kernel.context import Ctx
from cloud.kernel.money import exact_decimal
from cloud.kernel.periods import ONE_DAY
from cloud.modules.charging.models import AreaBasis, Method, PricePer, Proration
from cloud.modules.charging.rules import (
    AREA_UNIT,
    HOUSEHOLD,
    Band,
    Basis,
    Readings,
    Segment,
    compute,
    from_snapshot,
    in_part,
    parts_in_bands,
    plain_number,
    prices_of,
    quantities_of,
    quantity_of,
)
from cloud.modules.charging.schemas import ExplainedLine, Explanation, Operand

MINUS = "\N{MINUS SIGN}"

AREA = {
    AreaBasis.chargeable: "Chargeable area",
    AreaBasis.building: "Building area",
    AreaBasis.inner: "Inner area",
}
PRORATION = {
    Proration.actual_month: "by days of each calendar month",
    Proration.fixed_30: "whole months count 1, other days ÷ 30",
    Proration.year_365: "by days ÷ 365 of a year",
    Proration.full_month: "any part of a month counts whole",
    Proration.half_month: "from the 16th half a month",
    Proration.next_month: "from the month after the start",
}


class Stored(Protocol):
    """What a bill keeps of its own computing."""

    @property
    def snapshot(self) -> dict[str, Any]: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def tax(self) -> Decimal: ...


def explain(ctx: Ctx, bill: Stored) -> Explanation:
    """Compute the bill again from its own basis and say whether it agrees."""
    basis = from_snapshot(bill.snapshot)
    computed = compute(basis)
    return Explanation(
        operands=_operands(ctx, basis, computed.factor),
        raw=plain_number(computed.raw),
        amount=bill.amount,
        recomputed=(computed.amount, computed.tax, quantity_of(basis))
        == (bill.amount, bill.tax, bill.quantity),
        lines=_lines(ctx, basis, bill, computed.raw),
    )


def _operands(ctx: Ctx, basis: Basis, factor: Fraction) -> list[Operand]:
    quantities = " / ".join(map(plain_number, quantities_of(basis)))
    operands = [Operand(value=quantities, unit=unit_of(ctx, basis), caption=_what(ctx, basis))]
    if basis.coefficient != 1:
        operands.append(
            Operand(value=plain_number(basis.coefficient), unit="", caption=ctx.say("Coefficient"))
        )
    operands.append(
        Operand(
            value=" / ".join(map(plain_number, prices_of(basis))),
            unit=price_unit(ctx, basis),
            caption=ctx.say("Unit price"),
        )
    )
    if basis.method is not Method.metered:
        operands.append(
            Operand(
                value=_count(factor),
                unit=cycles_of(ctx, basis, factor),
                caption=_months(basis.segments),
            )
        )
    return operands


def _lines(ctx: Ctx, basis: Basis, bill: Stored, raw: Decimal) -> list[ExplainedLine]:
    lines = _quantity_lines(ctx, basis)
    if basis.bands:
        lines += _band_lines(ctx, basis)
    else:
        lines += [_price_line(ctx, basis, segment) for segment in basis.segments]
    if basis.method is not Method.metered:
        lines.append(
            ExplainedLine(
                label=ctx.say("Period"),
                value=_duration(ctx, compute(basis).factor),
                source=_period_source(ctx, basis),
            )
        )
    if bill.tax:
        rate = plain_number(basis.tax_rate * 100)
        lines.append(
            ExplainedLine(
                label=ctx.say("Tax included"),
                value=f"{bill.tax:,.2f}",
                source=ctx.say("{rate} %, inside the price", rate=rate),
            )
        )
    lines.append(
        ExplainedLine(
            label=ctx.say("Rounding"),
            value=_signed(bill.amount - raw),
            source=ctx.say("Only the last step is rounded, half up to 0.01"),
        )
    )
    return lines


def _quantity_lines(ctx: Ctx, basis: Basis) -> list[ExplainedLine]:
    if len(quantities_of(basis)) == 1:
        parts = {plain_number(in_part(basis, basis.segments[0])): _quantity_source(ctx, basis)}
    else:
        spans: dict[str, list[str]] = {}
        for segment in basis.segments:
            spans.setdefault(plain_number(in_part(basis, segment)), []).append(_span((segment,)))
        parts = {value: "、".join(days) for value, days in spans.items()}
    return [
        ExplainedLine(
            label=_what(ctx, basis), value=f"{value} {unit_of(ctx, basis)}", source=source
        )
        for value, source in parts.items()
    ]


def _what(ctx: Ctx, basis: Basis) -> str:
    match basis.method:
        case Method.area:
            return ctx.say(AREA[basis.area_basis])
        case Method.metered:
            return ctx.say("Metered use")
        case _:
            return ctx.say("Quantity")


def _quantity_source(ctx: Ctx, basis: Basis) -> str:
    if basis.readings is not None:
        return _readings_text(ctx, basis.readings)
    if basis.method is Method.area:
        return ctx.say("From the room's record when the bill was computed")
    return ctx.say("One per room")


def _readings_text(ctx: Ctx, readings: Readings) -> str:
    zone = ZoneInfo(ctx.principal.time_zone)
    opening, closing = (
        date.fromisoformat(at[:10]) if len(at) == 10 else _local_day(at, zone)
        for at in (readings.opening_at, readings.closing_at)
    )
    text = ctx.say(
        "Meter {no}: {closing} on {closing_on} less {opening} on {opening_on}",
        no=readings.meter_no,
        closing=plain_number(readings.closing),
        closing_on=closing,
        opening=plain_number(readings.opening),
        opening_on=opening,
    )
    if readings.multiplier == 1:
        return text
    return text + ctx.say(", × {multiplier}", multiplier=plain_number(readings.multiplier))


def _local_day(at: str, zone: ZoneInfo) -> date:
    return datetime.fromisoformat(at).astimezone(zone).date()


def _price_line(ctx: Ctx, basis: Basis, segment: Segment) -> ExplainedLine:
    source = ctx.say("{standard} v{version}", standard=basis.standard, version=segment.version)
    if len(basis.segments) > 1:
        source += f" · {_span((segment,))}"
    return ExplainedLine(
        label=ctx.say("Unit price"),
        value=f"{plain_number(segment.unit_price)} {price_unit(ctx, basis)}",
        source=source,
    )


def _band_lines(ctx: Ctx, basis: Basis) -> list[ExplainedLine]:
    """What was used before, and what of this use falls into which band."""
    standard = ctx.say(
        "{standard} v{version}", standard=basis.standard, version=basis.segments[0].version
    )
    lines = [
        ExplainedLine(
            label=ctx.say("Used before"),
            value=f"{plain_number(basis.used_before)} {basis.unit}",
            source=ctx.say("Charged since {day}, when the bands began", day=basis.bands_from),
        )
    ]
    for band, part in parts_in_bands(basis):
        price = f"{plain_number(band.unit_price)} {price_unit(ctx, basis)}"
        number = basis.bands.index(band) + 1
        lines.append(
            ExplainedLine(
                label=ctx.say("Band {number}", number=number),
                value=f"{plain_number(part)} × {price}",
                source=f"{standard} · {band_text(ctx, basis.bands, number)}",
            )
        )
    return lines


def band_text(ctx: Ctx, bands: Sequence[Band], number: int) -> str:
    """Where a band lies: "to 2760", "2760 to 4800", "above 4800"."""
    upto = bands[number - 1].upto
    before = bands[number - 2].upto if number > 1 else None
    if upto is None:
        return ctx.say("above {upto}", upto=plain_number(before or Decimal(0)))
    if before is None:
        return ctx.say("to {upto}", upto=plain_number(upto))
    return ctx.say("{before} to {upto}", before=plain_number(before), upto=plain_number(upto))


def basis_text(ctx: Ctx, basis: Basis) -> str:
    """One short line for lists: 89.53 ㎡ × 2.38."""
    prices = " / ".join(map(plain_number, prices_of(basis)))
    quantities = " / ".join(map(plain_number, quantities_of(basis)))
    return f"{quantities} {unit_of(ctx, basis)} × {prices}"


def unit_of(ctx: Ctx, basis: Basis) -> str:
    """The unit of the quantity: a bill keeps the Chinese signs for a household and for area."""
    said = {HOUSEHOLD: "household", AREA_UNIT: "m²"}.get(basis.unit)
    return basis.unit if said is None else ctx.say(said)


def cycles_of(ctx: Ctx, basis: Basis, factor: Fraction) -> str:
    if basis.price_per is PricePer.month:
        return ctx.say("month") if factor == 1 else ctx.say("months")
    return ctx.say("cycle") if factor == 1 else ctx.say("cycles")


def _duration(ctx: Ctx, factor: Fraction) -> str:
    n = _count(factor)
    return ctx.say("{n} month", n=n) if factor == 1 else ctx.say("{n} months", n=n)


def price_unit(ctx: Ctx, basis: Basis) -> str:
    """What one unit price is for: yuan/m²·month."""
    yuan = ctx.say("yuan")
    per = ctx.say("month" if basis.price_per is PricePer.month else "cycle")
    match basis.method:
        case Method.metered:
            return f"{yuan}/{basis.unit}"
        case Method.area:
            return f"{yuan}/{unit_of(ctx, basis)}·{per}"
        case _:
            return f"{yuan}/{per}"


def _period_source(ctx: Ctx, basis: Basis) -> str:
    span = _span(basis.segments)
    if basis.is_whole and len(basis.segments) == 1:
        return ctx.say("{span}, a whole cycle, nothing prorated", span=span)
    return ctx.say("{span}, prorated {how}", span=span, how=ctx.say(PRORATION[basis.proration]))


def _span(segments: tuple[Segment, ...]) -> str:
    return f"{segments[0].start} ~ {segments[-1].end - ONE_DAY}"


def _months(segments: tuple[Segment, ...]) -> str:
    """Whole months as months: the strip of the formula has room for no more."""
    start, end = segments[0].start, segments[-1].end
    if start.day != 1 or end.day != 1:
        return _span(segments)
    first, last = f"{start:%Y-%m}", f"{end - ONE_DAY:%Y-%m}"
    return first if first == last else f"{first} ~ {last}"


def _count(factor: Fraction) -> str:
    if factor.denominator == 1:
        return str(factor.numerator)
    return plain_number(round(exact_decimal(factor), 4))


def _signed(difference: Decimal) -> str:
    text = plain_number(abs(difference)) if difference else "0"
    if not difference:
        return text
    return f"{MINUS if difference < 0 else '+'}{text}"
