"""Meters, and readings by meter number, out of a workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.kernel.errors import AppError, FieldError, Unprocessable
from cloud.kernel.imports.rows import good, reasons, then, tried
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Choice, Import, ImportColumn
from cloud.modules.metering import queries, service
from cloud.modules.metering.models import MeterKind, ReadingSource
from cloud.modules.metering.permissions import MeteringPermission
from cloud.modules.metering.service import MeterSpec, TakenOff
from cloud.modules.organization import queries as organization
from cloud.modules.resources import queries as resources

_KINDS = (
    Choice(MeterKind.electricity, "Electricity"),
    Choice(MeterKind.water, "Water"),
    Choice(MeterKind.gas, "Gas"),
    Choice(MeterKind.heat, "Heat"),
)
_DIGITS = range(3, 10)


class MeterUnknown(Unprocessable):
    message = "There is no meter {no} in this community. Check the number."


class PlaceUnknown(Unprocessable):
    message = "There is no room, unit or building {path} in this community."


class DigitsUnfit(Unprocessable):
    message = "A register has between 3 and 9 digits before the decimal point."


async def _add_meters(
    ctx: Ctx, *, site_id: UUID, rows: Sequence[dict[str, Any]], options: frozenset[str]
) -> list[AppError | None]:
    del options
    site = await organization.get_site(ctx, site_id)
    rooms = await resources.rooms_by_path(ctx, site.id, {row["place"] for row in rows})
    shared = await resources.parents_by_path(ctx, site.id)
    specs = tried(rows, partial(_spec, rooms=rooms, shared=shared))
    told = await service.put_up_meters(ctx, site_id=site.id, specs=good(specs))
    return reasons(then(specs, told))


def _spec(
    row: dict[str, Any], *, rooms: Mapping[str, UUID], shared: Mapping[str, UUID]
) -> MeterSpec:
    """`shared` are buildings and units."""
    room_id, space_id = rooms.get(row["place"]), shared.get(row["place"])
    if room_id is None and space_id is None:
        raise PlaceUnknown(path=row["place"], fields=(FieldError("place", "place-unknown"),))
    digits = row["digits"] or 6
    if digits not in _DIGITS:
        raise DigitsUnfit(fields=(FieldError("digits", "digits-unfit"),))
    return MeterSpec(
        no=row["no"],
        kind=row["kind"],
        initial_value=row["initial_value"],
        installed_on=row["installed_on"],
        room_id=room_id,
        space_id=space_id,
        multiplier=row["multiplier"] or Decimal(1),
        digits=digits,
    )


async def _add_readings(
    ctx: Ctx, *, site_id: UUID, rows: Sequence[dict[str, Any]], options: frozenset[str]
) -> list[AppError | None]:
    del options
    site = await organization.get_site(ctx, site_id)
    meters = await queries.meters_by_no(ctx, site.id, {row["no"] for row in rows})
    read = tried(rows, partial(_taken_off, meters=meters))
    told = await service.record_readings(ctx, readings=good(read), source=ReadingSource.imported)
    return reasons(then(read, told))


def _taken_off(row: dict[str, Any], *, meters: Mapping[str, UUID]) -> TakenOff:
    meter_id = meters.get(row["no"])
    if meter_id is None:
        raise MeterUnknown(no=row["no"], fields=(FieldError("no", "meter-unknown"),))
    return TakenOff(meter_id, row["value"], row["read_on"])


METERS = Import(
    title="Import meters",
    note="A meter number that is there already is refused; nothing is overwritten.",
    permission=MeteringPermission.meter_write,
    columns=(
        ImportColumn("no", "Meter number", required=True, example="E-LT-110101", length=40),
        ImportColumn("kind", "Kind", Kind.tag, required=True, choices=_KINDS),
        ImportColumn(
            "place",
            "Place",
            required=True,
            example="3-1-1202",
            help="A room's number, or of a shared meter the building or unit: 3 or 3-1.",
        ),
        ImportColumn(
            "multiplier", "Multiplier", Kind.quantity, example="1", least=Decimal("0.0001")
        ),
        ImportColumn("digits", "Digits of the register", Kind.whole, example="6"),
        ImportColumn(
            "initial_value",
            "First reading",
            Kind.quantity,
            required=True,
            example="0",
            least=Decimal(0),
        ),
        ImportColumn(
            "installed_on", "Installed on", Kind.date, required=True, example="2024-06-30"
        ),
    ),
    add=_add_meters,
)

READINGS = Import(
    title="Import readings",
    note="By meter number. A reading that looks too high waits for review, as one typed in.",
    permission=MeteringPermission.reading_create,
    columns=(
        ImportColumn("no", "Meter number", required=True, example="E-LT-110101", length=40),
        ImportColumn("read_on", "Read on", Kind.date, required=True, example="2026-10-31"),
        ImportColumn(
            "value", "Reading", Kind.quantity, required=True, example="1234.56", least=Decimal(0)
        ),
    ),
    add=_add_readings,
)
