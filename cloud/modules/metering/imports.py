"""Meters, and readings by meter number, out of a workbook."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Unprocessable
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Choice, Import, ImportColumn
from cloud.modules.metering import queries, service
from cloud.modules.metering.models import MeterKind, ReadingSource
from cloud.modules.metering.permissions import MeteringPermission
from cloud.modules.metering.service import MeterSpec
from cloud.modules.organization import queries as organization
from cloud.modules.resources import queries as resources

_KINDS = (
    Choice(MeterKind.electricity, "Electricity"),
    Choice(MeterKind.water, "Water"),
    Choice(MeterKind.gas, "Gas"),
    Choice(MeterKind.heat, "Heat"),
)
_DIGITS = range(3, 10)


class MeterExists(Conflict):
    message = "There is a meter {no} already. Check the number."


class MeterUnknown(Unprocessable):
    message = "There is no meter {no} in this community. Check the number."


class MeterRoomUnknown(Unprocessable):
    message = "There is no room {path} in this community. Leave it empty for a shared meter."


class DigitsUnfit(Unprocessable):
    message = "A register has between 3 and 9 digits before the decimal point."


@dataclass
class _Site:
    site_id: UUID
    rooms: dict[str, UUID]
    meters: dict[str, UUID]


async def _prepare_meters(
    ctx: Ctx, *, site_id: UUID, rows: list[dict[str, Any]], options: frozenset[str]
) -> _Site:
    del options
    site = await organization.get_site(ctx, site_id)
    rooms = {row["room"] for row in rows if row["room"]}
    return _Site(
        site_id=site.id,
        rooms=await resources.rooms_by_path(ctx, site.id, rooms),
        meters=await queries.meters_by_no(ctx, site.id, {row["no"] for row in rows}),
    )


async def _add_meter(ctx: Ctx, row: dict[str, Any], site: _Site) -> None:
    if row["no"] in site.meters:
        raise MeterExists(no=row["no"], fields=(FieldError("no", "meter-exists"),))
    room_id = site.rooms.get(row["room"]) if row["room"] else None
    if row["room"] and room_id is None:
        raise MeterRoomUnknown(path=row["room"], fields=(FieldError("room", "meter-room-unknown"),))
    digits = row["digits"] or 6
    if digits not in _DIGITS:
        raise DigitsUnfit(fields=(FieldError("digits", "digits-unfit"),))
    spec = MeterSpec(
        no=row["no"],
        kind=row["kind"],
        initial_value=row["initial_value"],
        installed_on=row["installed_on"],
        room_id=room_id,
        multiplier=row["multiplier"] or Decimal(1),
        digits=digits,
    )
    meter = await service.add_meter(ctx, site_id=site.site_id, spec=spec)
    site.meters[row["no"]] = meter.id


async def _prepare_readings(
    ctx: Ctx, *, site_id: UUID, rows: list[dict[str, Any]], options: frozenset[str]
) -> _Site:
    del options
    site = await organization.get_site(ctx, site_id)
    numbers = {row["no"] for row in rows}
    return _Site(site.id, {}, await queries.meters_by_no(ctx, site.id, numbers))


async def _add_reading(ctx: Ctx, row: dict[str, Any], site: _Site) -> None:
    meter_id = site.meters.get(row["no"])
    if meter_id is None:
        raise MeterUnknown(no=row["no"], fields=(FieldError("no", "meter-unknown"),))
    await service.record_reading(
        ctx,
        meter_id=meter_id,
        value=row["value"],
        read_on=row["read_on"],
        source=ReadingSource.imported,
    )


METERS = Import(
    title="Import meters",
    note="A meter number that is there already is refused; nothing is overwritten.",
    permission=MeteringPermission.meter_change,
    columns=(
        ImportColumn("no", "Meter number", required=True, example="E-LT-110101", length=40),
        ImportColumn("kind", "Kind", Kind.tag, required=True, choices=_KINDS),
        ImportColumn("room", "Room number", example="3-1-1202"),
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
    prepare=_prepare_meters,
    add=_add_meter,
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
    prepare=_prepare_readings,
    add=_add_reading,
)
