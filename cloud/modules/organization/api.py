"""JSON routes of the organization."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request

from cloud.kernel.choices import Choices, Typed
from cloud.kernel.db import uuid7
from cloud.kernel.http import AnyoneLoggedIn
from cloud.kernel.listing import Listed, Page
from cloud.kernel.search import QUERY_LENGTH_MAX, SearchAnswer
from cloud.modules.organization import queries, service
from cloud.modules.organization.models import (
    Department,
    LegalEntity,
    Unit,
    UnitKind,
    UnitState,
)
from cloud.modules.organization.permissions import (
    ReadDepartments,
    ReadLegalEntities,
    ReadUnits,
    WriteDepartments,
    WriteLegalEntities,
    WriteUnits,
)
from cloud.modules.organization.schemas import (
    CloseWithReason,
    DepartmentChange,
    DepartmentCreate,
    DepartmentRead,
    LegalEntityChange,
    LegalEntityCreate,
    LegalEntityRead,
    RecordKept,
    UnitChange,
    UnitClose,
    UnitCreate,
    UnitDetail,
    UnitMove,
    UnitOpen,
    UnitRead,
)

router = APIRouter(prefix="/api/v1/organization", tags=["organization"])

# The search over everything is the platform's, not one module's.
search_router = APIRouter(prefix="/api/v1", tags=["organization"])

Searched = Annotated[str, Query(max_length=QUERY_LENGTH_MAX)]


@search_router.get("/search", response_model=SearchAnswer)
async def search(
    ctx: AnyoneLoggedIn, request: Request, q: Searched = "", site_id: UUID | None = None
) -> SearchAnswer:
    return await queries.search(
        ctx,
        q=q.strip(),
        site_id=site_id,
        pages=request.app.state.runtime.pages,
        sources=request.app.state.runtime.searches,
    )


@router.get("/units", response_model=Page[UnitRead])
async def list_units(
    ctx: ReadUnits,
    listing: Listed,
    kind: UnitKind | None = None,
    state: UnitState | None = None,
) -> dict[str, Any]:
    return await queries.list_units(ctx, listing, kind=kind, state=state)


@router.post("/units", response_model=RecordKept, status_code=201)
async def create_unit(ctx: WriteUnits, wanted: UnitCreate) -> Unit:
    return await service.add_unit(
        ctx,
        unit_id=uuid7(),
        parent_id=wanted.parent_id,
        kind=UnitKind(wanted.kind),
        code=wanted.code,
        name=wanted.name,
        city=wanted.city or "",
        state=UnitState.preparing if wanted.kind == UnitKind.project else UnitState.active,
    )


@router.get("/units/{unit_id}", response_model=UnitDetail)
async def read_unit(ctx: ReadUnits, unit_id: UUID) -> dict[str, Any]:
    return await queries.read_unit(ctx, unit_id)


@router.patch("/units/{unit_id}", response_model=RecordKept)
async def change_unit(ctx: WriteUnits, unit_id: UUID, wanted: UnitChange) -> Unit:
    return await service.change_unit(
        ctx,
        unit_id=unit_id,
        version=wanted.version,
        name=wanted.name,
        city=wanted.city or "",
    )


@router.post("/units/{unit_id}/move", response_model=RecordKept)
async def move_unit(ctx: WriteUnits, unit_id: UUID, wanted: UnitMove) -> Unit:
    return await service.move_unit(ctx, unit_id=unit_id, parent_id=wanted.parent_id)


@router.post("/units/{unit_id}/open", response_model=RecordKept)
async def open_unit(ctx: WriteUnits, unit_id: UUID, wanted: UnitOpen) -> Unit:
    return await service.open_unit(ctx, unit_id=unit_id, on=wanted.on)


@router.post("/units/{unit_id}/close", response_model=RecordKept)
async def close_unit(ctx: WriteUnits, unit_id: UUID, wanted: UnitClose) -> Unit:
    return await service.close_unit(ctx, unit_id=unit_id, on=wanted.on, reason=wanted.reason)


@router.get("/lookup/units", response_model=Choices)
async def lookup_units(ctx: ReadUnits, q: Typed = "") -> Choices:
    return await queries.lookup_units(ctx, q)


@router.get("/lookup/parents", response_model=Choices)
async def lookup_parents(ctx: ReadUnits, q: Typed = "") -> Choices:
    return await queries.lookup_units(ctx, q, kinds=(UnitKind.company, UnitKind.region))


@router.get("/lookup/departments", response_model=Choices)
async def lookup_departments(ctx: ReadDepartments, q: Typed = "") -> Choices:
    return await queries.lookup_departments(ctx, q)


@router.get("/departments", response_model=Page[DepartmentRead])
async def list_departments(ctx: ReadDepartments, listing: Listed) -> dict[str, Any]:
    return await queries.list_departments(ctx, listing)


@router.post("/departments", response_model=RecordKept, status_code=201)
async def create_department(ctx: WriteDepartments, wanted: DepartmentCreate) -> Department:
    return await service.add_department(
        ctx,
        unit_id=wanted.unit_id,
        code=wanted.code,
        name=wanted.name,
        leader=wanted.leader or "",
    )


@router.patch("/departments/{department_id}", response_model=RecordKept)
async def change_department(
    ctx: WriteDepartments, department_id: UUID, wanted: DepartmentChange
) -> Department:
    return await service.change_department(
        ctx,
        department_id=department_id,
        version=wanted.version,
        name=wanted.name,
        leader=wanted.leader or "",
    )


@router.post("/departments/{department_id}/close", response_model=RecordKept)
async def close_department(
    ctx: WriteDepartments, department_id: UUID, wanted: CloseWithReason
) -> Department:
    return await service.close_department(ctx, department_id=department_id, reason=wanted.reason)


@router.get("/legal-entities", response_model=Page[LegalEntityRead])
async def list_legal_entities(ctx: ReadLegalEntities, listing: Listed) -> dict[str, Any]:
    return await queries.list_legal_entities(ctx, listing)


@router.post("/legal-entities", response_model=RecordKept, status_code=201)
async def create_legal_entity(ctx: WriteLegalEntities, wanted: LegalEntityCreate) -> LegalEntity:
    return await service.add_legal_entity(ctx, **wanted.model_dump())


@router.patch("/legal-entities/{entity_id}", response_model=RecordKept)
async def change_legal_entity(
    ctx: WriteLegalEntities, entity_id: UUID, wanted: LegalEntityChange
) -> LegalEntity:
    return await service.change_legal_entity(ctx, entity_id=entity_id, **wanted.model_dump())
