"""JSON routes of buildings and rooms."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from cloud.kernel.listing import Listed, Page
from cloud.modules.resources import queries, service
from cloud.modules.resources.models import RoomState, RoomUsage, Space
from cloud.modules.resources.permissions import AddSpaces, ReadRooms
from cloud.modules.resources.schemas import (
    BuildingCreate,
    BuildingRead,
    Lookup,
    RoomCounts,
    RoomCreate,
    RoomRead,
    SpaceAdded,
    UnitCreate,
)
from cloud.modules.resources.service import RoomFacts

router = APIRouter(prefix="/api/v1/resources", tags=["resources"])

Wanted = Annotated[str, Query(max_length=100)]


@router.get("/buildings", response_model=Page[BuildingRead])
async def list_buildings(ctx: ReadRooms, listing: Listed) -> dict[str, Any]:
    return await queries.list_buildings(ctx, listing)


@router.get("/rooms", response_model=Page[RoomRead])
async def list_rooms(
    ctx: ReadRooms,
    listing: Listed,
    usage: RoomUsage | None = None,
    state: RoomState | None = None,
) -> dict[str, Any]:
    return await queries.list_rooms(ctx, listing, usage=usage, state=state)


@router.get("/room-counts", response_model=RoomCounts)
async def room_counts(ctx: ReadRooms) -> RoomCounts:
    return RoomCounts(counts=await queries.room_counts(ctx))


@router.get("/lookup/sites", response_model=Lookup)
async def lookup_sites(ctx: ReadRooms, q: Wanted = "") -> dict[str, Any]:
    return await queries.lookup_sites(ctx, q)


@router.get("/lookup/buildings", response_model=Lookup)
async def lookup_buildings(ctx: ReadRooms, q: Wanted = "") -> dict[str, Any]:
    return await queries.lookup_spaces(ctx, q, kinds=queries.BUILDINGS)


@router.get("/lookup/parents", response_model=Lookup)
async def lookup_parents(ctx: ReadRooms, q: Wanted = "") -> dict[str, Any]:
    return await queries.lookup_spaces(ctx, q, kinds=queries.PARENTS_OF_ROOMS)


@router.get("/lookup/rooms", response_model=Lookup)
async def lookup_rooms(ctx: ReadRooms, q: Wanted = "") -> dict[str, Any]:
    return await queries.lookup_spaces(ctx, q, kinds=queries.ROOMS)


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
