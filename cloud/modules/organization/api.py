"""JSON routes of the organization."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from cloud.kernel.listing import Listed, Page
from cloud.modules.organization import queries
from cloud.modules.organization.permissions import ReadLegalEntities, ReadUnits
from cloud.modules.organization.schemas import LegalEntityRead, UnitRead

router = APIRouter(prefix="/api/v1/organization", tags=["organization"])


@router.get("/units", response_model=Page[UnitRead])
async def list_units(ctx: ReadUnits, listing: Listed) -> dict[str, Any]:
    return await queries.list_units(ctx, listing)


@router.get("/legal-entities", response_model=Page[LegalEntityRead])
async def list_legal_entities(ctx: ReadLegalEntities, listing: Listed) -> dict[str, Any]:
    return await queries.list_legal_entities(ctx, listing)
