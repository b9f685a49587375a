"""Adding, changing and closing vehicles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound, Unprocessable
from cloud.modules.customers.models import Party
from cloud.modules.organization import queries as organization
from cloud.modules.resources.models import Room
from cloud.modules.vehicles.models import PlateType, Vehicle
from cloud.modules.vehicles.rules import EXAMPLES, folded, is_plate, plate_of


class PlateMalformed(Unprocessable):
    message = (
        "“{plate}” is no plate of this kind: one looks like {example}. Correct it, or choose"
        " another kind."
    )


class PlateWithoutNeed(Unprocessable):
    message = "A vehicle without a plate has none. Leave the plate empty, or choose another kind."


class PlateTaken(Conflict):
    message = "{plate} is in use in this community already. Change that vehicle, or close it."


class VehicleClosed(Conflict):
    message = "{plate} is disabled since {on}. Add the vehicle anew."


@dataclass(frozen=True)
class VehicleFacts:
    """What is known of a vehicle; the plate as it was typed."""

    plate_type: PlateType
    plate: str = ""
    room_id: UUID | None = None
    party_id: UUID | None = None
    brand: str = ""
    color: str = ""
    note: str = ""


async def add_vehicle(ctx: Ctx, *, site_id: UUID, facts: VehicleFacts) -> Vehicle:
    """Raises NotFound, also for a room or a party of another community, ProjectNotYours,
    PickAProject, PlateMalformed, PlateWithoutNeed and PlateTaken."""
    site = await organization.get_site(ctx, site_id)
    vehicle = Vehicle(**ctx.stamp(site.id), plate_type=facts.plate_type)
    await _set(ctx, vehicle, facts)
    ctx.session.add(vehicle)
    await audit.record_on(ctx, vehicle, "vehicles.vehicle.added", after=_told(vehicle))
    return vehicle


async def change_vehicle(
    ctx: Ctx, *, vehicle_id: UUID, version: int, facts: VehicleFacts
) -> Vehicle:
    """Raises VehicleClosed, StaleVersion and what add_vehicle raises."""
    vehicle = await _open(ctx, vehicle_id, version=version)
    before = _told(vehicle)
    await _set(ctx, vehicle, facts)
    vehicle.version += 1
    await audit.record_on(
        ctx, vehicle, "vehicles.vehicle.changed", before=before, after=_told(vehicle)
    )
    return vehicle


async def close_vehicle(ctx: Ctx, *, vehicle_id: UUID, reason: str) -> Vehicle:
    """Out of use from today on; its plate may be added again. Raises NotFound, VehicleClosed."""
    vehicle = await _open(ctx, vehicle_id)
    vehicle.closed_on = ctx.business_on
    vehicle.version += 1
    await audit.record_on(ctx, vehicle, "vehicles.vehicle.closed", reason=reason)
    return vehicle


async def _open(ctx: Ctx, vehicle_id: UUID, *, version: int | None = None) -> Vehicle:
    vehicle = await ctx.get(Vehicle, vehicle_id, lock=True, version=version)
    if vehicle.closed_on is not None:
        raise VehicleClosed(plate=vehicle.plate or "–", on=vehicle.closed_on)
    return vehicle


async def _set(ctx: Ctx, vehicle: Vehicle, facts: VehicleFacts) -> None:
    vehicle.plate = await _free_plate(ctx, vehicle, facts)
    vehicle.plate_type = facts.plate_type
    for key, model in (("room_id", Room), ("party_id", Party)):
        wanted = getattr(facts, key)
        if wanted is not None and (await ctx.get(model, wanted)).org_id != vehicle.org_id:
            raise NotFound(fields=(FieldError(key, "not-found"),))
    vehicle.room_id, vehicle.party_id = facts.room_id, facts.party_id
    vehicle.brand, vehicle.color, vehicle.note = facts.brand, facts.color, facts.note


async def _free_plate(ctx: Ctx, vehicle: Vehicle, facts: VehicleFacts) -> str:
    plate = plate_of(facts.plate, facts.plate_type)
    if facts.plate_type is PlateType.unlicensed:
        if plate:
            raise PlateWithoutNeed(fields=(FieldError("plate", "plate-without-need"),))
        return plate
    if not is_plate(plate, facts.plate_type):
        params = {"plate": facts.plate, "example": EXAMPLES[facts.plate_type]}
        raise PlateMalformed(fields=(FieldError("plate", "plate-malformed", params),), **params)
    found = await ctx.session.execute(
        select(col(Vehicle.id)).where(
            col(Vehicle.org_id) == vehicle.org_id,
            col(Vehicle.plate_key) == folded(plate),
            col(Vehicle.closed_on).is_(None),
            col(Vehicle.id) != vehicle.id,
        )
    )
    if found.first() is not None:
        raise PlateTaken(plate=plate, fields=(FieldError("plate", "plate-taken"),))
    return plate


def _told(vehicle: Vehicle) -> dict[str, Any]:
    return {
        "plate": vehicle.plate,
        "plate_type": str(vehicle.plate_type),
        "room_id": vehicle.room_id and str(vehicle.room_id),
        "party_id": vehicle.party_id and str(vehicle.party_id),
    }
