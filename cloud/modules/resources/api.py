"""JSON routes of buildings and rooms."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from cloud.kernel.choices import Choices, Typed
from cloud.kernel.listing import Listed, Page
from cloud.kernel.ui.language import TrialLines
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import UnitKind
from cloud.modules.resources import queries, service
from cloud.modules.resources.models import Room, RoomArea, RoomState, RoomUsage, Space
from cloud.modules.resources.permissions import AddSpaces, ChangeRooms, ReadRooms
from cloud.modules.resources.rules import NumberingRule
from cloud.modules.resources.schemas import (
    BuildingCreate,
    BuildingRead,
    RoomAreasChange,
    RoomAreasRead,
    RoomChange,
    RoomChanged,
    RoomClose,
    RoomCounts,
    RoomCreate,
    RoomRead,
    RoomRule,
    RoomsGenerated,
    RoomsPlanned,
    RoomStateChange,
    SpaceAdded,
    SpaceRename,
    SpaceRenamed,
    SpaceTakenOut,
    UnitCreate,
    UnitRead,
)
from cloud.modules.resources.service import Areas, Generation, RoomFacts

router = APIRouter(prefix="/api/v1/resources", tags=["resources"])


@router.get("/buildings", response_model=Page[BuildingRead])
async def list_buildings(ctx: ReadRooms, listing: Listed) -> dict[str, Any]:
    return await queries.list_buildings(ctx, listing)


@router.get("/rooms", response_model=Page[RoomRead])
async def list_rooms(
    ctx: ReadRooms,
    listing: Listed,
    usage: RoomUsage | None = None,
    state: RoomState | None = None,
    has_area: bool | None = None,
) -> dict[str, Any]:
    return await queries.list_rooms(ctx, listing, usage=usage, state=state, has_area=has_area)


@router.get("/units", response_model=Page[UnitRead])
async def list_units(ctx: ReadRooms, listing: Listed) -> dict[str, Any]:
    return await queries.list_units(ctx, listing)


@router.get("/room-counts", response_model=RoomCounts)
async def room_counts(ctx: ReadRooms) -> RoomCounts:
    return RoomCounts(counts=await queries.room_counts(ctx))


@router.get("/lookup/sites", response_model=Choices)
async def lookup_sites(ctx: ReadRooms, q: Typed = "") -> Choices:
    return await organization.lookup_units(ctx, q, kinds=(UnitKind.project,))


@router.get("/lookup/buildings", response_model=Choices)
async def lookup_buildings(ctx: ReadRooms, q: Typed = "", site_id: UUID | None = None) -> Choices:
    return await queries.lookup_spaces(ctx, q, kinds=queries.BUILDINGS, site_id=site_id)


@router.get("/lookup/parents", response_model=Choices)
async def lookup_parents(ctx: ReadRooms, q: Typed = "", site_id: UUID | None = None) -> Choices:
    return await queries.lookup_spaces(ctx, q, kinds=queries.PARENTS_OF_ROOMS, site_id=site_id)


@router.get("/lookup/rooms", response_model=Choices)
async def lookup_rooms(ctx: ReadRooms, q: Typed = "", site_id: UUID | None = None) -> Choices:
    return await queries.lookup_spaces(ctx, q, kinds=queries.ROOMS, site_id=site_id)


@router.post("/buildings", response_model=SpaceAdded, status_code=201)
async def add_building(ctx: AddSpaces, wanted: BuildingCreate) -> Space:
    return await service.add_building(
        ctx, site_id=wanted.site_id, code=wanted.code, name=wanted.name
    )


@router.post("/units", response_model=SpaceAdded, status_code=201)
async def add_unit(ctx: AddSpaces, wanted: UnitCreate) -> Space:
    return await service.add_unit(
        ctx, building_id=wanted.building_id, code=wanted.code, name=wanted.name
    )


@router.post("/rooms", response_model=SpaceAdded, status_code=201)
async def add_room(ctx: AddSpaces, wanted: RoomCreate) -> Space:
    return await service.add_room(
        ctx,
        parent_id=wanted.parent_id,
        code=wanted.code,
        name=wanted.name,
        facts=RoomFacts(**wanted.model_dump(exclude={"parent_id", "code", "name"})),
    )


@router.patch("/buildings/{building_id}", response_model=SpaceRenamed)
async def rename_building(ctx: ChangeRooms, building_id: UUID, wanted: SpaceRename) -> Space:
    return await service.rename_building(ctx, building_id=building_id, **wanted.model_dump())


@router.post("/buildings/{building_id}/close", response_model=SpaceAdded)
async def close_building(ctx: ChangeRooms, building_id: UUID, wanted: SpaceTakenOut) -> Space:
    return await service.close_building(ctx, building_id=building_id, reason=wanted.reason)


@router.patch("/units/{unit_id}", response_model=SpaceRenamed)
async def rename_unit(ctx: ChangeRooms, unit_id: UUID, wanted: SpaceRename) -> Space:
    return await service.rename_unit(ctx, unit_id=unit_id, **wanted.model_dump())


@router.post("/units/{unit_id}/close", response_model=SpaceAdded)
async def close_unit(ctx: ChangeRooms, unit_id: UUID, wanted: SpaceTakenOut) -> Space:
    return await service.close_unit(ctx, unit_id=unit_id, reason=wanted.reason)


@router.patch("/rooms/{room_id}", response_model=RoomChanged)
async def change_room(ctx: ChangeRooms, room_id: UUID, wanted: RoomChange) -> Room:
    return await service.change_room(ctx, room_id=room_id, **wanted.model_dump())


@router.patch("/rooms/{room_id}/areas", response_model=RoomAreasRead)
async def change_areas(ctx: ChangeRooms, room_id: UUID, wanted: RoomAreasChange) -> RoomArea:
    return await service.change_areas(
        ctx,
        room_id=room_id,
        version=wanted.version,
        areas=Areas(wanted.building_area, wanted.inner_area, wanted.chargeable_area),
        valid_from=wanted.valid_from,
        reason=wanted.reason,
    )


@router.patch("/rooms/{room_id}/state", response_model=RoomChanged)
async def change_room_state(ctx: ChangeRooms, room_id: UUID, wanted: RoomStateChange) -> Room:
    return await service.change_room_state(ctx, room_id=room_id, **wanted.model_dump())


@router.post("/rooms/{room_id}/close", response_model=RoomChanged)
async def close_room(ctx: ChangeRooms, room_id: UUID, wanted: RoomClose) -> Room:
    return await service.close_room(ctx, room_id=room_id, **wanted.model_dump())


@router.post("/rooms/{room_id}/take-out", response_model=SpaceAdded)
async def take_out_room(ctx: ChangeRooms, room_id: UUID, wanted: SpaceTakenOut) -> Space:
    return await service.take_out_room(ctx, room_id=room_id, reason=wanted.reason)


@router.post("/rooms/generation/preview", response_model=RoomsPlanned)
async def preview_rooms(ctx: AddSpaces, wanted: RoomRule) -> Generation:
    return await service.plan_rooms(ctx, building_id=wanted.building_id, rule=_rule(wanted))


@router.post("/rooms/generation/trial", response_model=TrialLines)
async def try_rooms(ctx: AddSpaces, wanted: RoomRule) -> TrialLines:
    return await service.try_rooms(ctx, building_id=wanted.building_id, rule=_rule(wanted))


@router.post("/rooms/generation", response_model=RoomsGenerated, status_code=201)
async def generate_rooms(ctx: AddSpaces, wanted: RoomRule) -> Generation:
    return await service.generate_rooms(
        ctx,
        building_id=wanted.building_id,
        rule=_rule(wanted),
        facts=RoomFacts(
            usage=wanted.usage,
            state=wanted.state,
            room_type_id=wanted.room_type_id,
            handover_on=wanted.handover_on,
        ),
    )


def _rule(wanted: RoomRule) -> NumberingRule:
    return NumberingRule(
        units=tuple(dict.fromkeys(wanted.units)),
        floors_from=wanted.floors_from,
        floors_to=wanted.floors_to,
        rooms_per_floor=wanted.rooms_per_floor,
        pattern=wanted.pattern,
        skip_floors=frozenset(wanted.skip_floors),
        skip_sequences=frozenset(wanted.skip_sequences),
        areas=tuple(wanted.areas),
    )
