"""JSON routes of charging."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response

from cloud.kernel.choices import Choices, Typed
from cloud.kernel.listing import Listed, Page
from cloud.kernel.periods import ONE_DAY
from cloud.kernel.printing.sheets import PDF
from cloud.kernel.ui.language import TrialLines
from cloud.modules.charging import queries, service
from cloud.modules.charging.models import (
    Binding,
    Item,
    ItemState,
    Method,
    Run,
    RunState,
    Standard,
    StandardVersion,
)
from cloud.modules.charging.permissions import (
    GenerateRuns,
    PublishRuns,
    ReadBills,
    ReadBindings,
    ReadItems,
    ReadRuns,
    ReadStandards,
    WriteBindings,
    WriteItems,
    WriteRuns,
    WriteStandards,
)
from cloud.modules.charging.queries import BindingState, StandardState
from cloud.modules.charging.queries.bills import BillFilter
from cloud.modules.charging.schemas import (
    BillDetail,
    BillRead,
    BindingChange,
    BindingCreate,
    BindingRead,
    BindingSaved,
    BindingsEnd,
    BindingsEnded,
    BoundRooms,
    ItemChange,
    ItemCreate,
    ItemFacts,
    ItemRead,
    ItemSaved,
    LastDay,
    OverdueBySite,
    Reason,
    RunCreate,
    RunDetail,
    RunProgress,
    RunRead,
    StandardChange,
    StandardCopy,
    StandardCreate,
    StandardDetail,
    StandardRead,
    StandardSaved,
    StandardsCopied,
    StandardTrial,
    VersionCreate,
    VersionSaved,
    VersionTrial,
)
from cloud.modules.organization import queries as organization

router = APIRouter(prefix="/api/v1/charging", tags=["charging"])


@router.get("/bills", response_model=Page[BillRead])
async def list_bills(
    ctx: ReadBills,
    listing: Listed,
    state: BillFilter | None = None,
    item_id: UUID | None = None,
    period_from: date | None = None,
    period_to: date | None = None,
    issued: Literal["this_month"] | None = None,
) -> dict[str, Any]:
    return await queries.list_bills(
        ctx,
        listing,
        state=state,
        item_id=item_id,
        period_from=period_from,
        period_to=period_to,
        issued=issued,
    )


@router.get("/overdue", response_model=OverdueBySite)
async def overdue_by_site(ctx: ReadBills) -> OverdueBySite:
    return OverdueBySite(amounts=await queries.overdue_by_site(ctx))


@router.get("/bills/{bill_id}", response_model=BillDetail)
async def read_bill(ctx: ReadBills, bill_id: UUID) -> BillDetail:
    return await queries.read_bill(ctx, bill_id)


@router.get("/bills/{bill_id}/print", response_class=Response, responses=PDF)
async def print_bill(ctx: ReadBills, bill_id: UUID) -> Response:
    return await service.print_bill(ctx, bill_id=bill_id)


@router.get("/runs", response_model=Page[RunRead])
async def list_runs(
    ctx: ReadRuns, listing: Listed, state: RunState | None = None
) -> dict[str, Any]:
    return await queries.list_runs(ctx, listing, state=state)


@router.post("/runs", response_model=RunProgress, status_code=201)
async def create_run(ctx: WriteRuns, wanted: RunCreate) -> Run:
    return await service.create_run(
        ctx, site_id=wanted.site_id, item_ids=wanted.item_ids, period=wanted.period
    )


@router.get("/runs/{run_id}", response_model=RunDetail)
async def read_run(ctx: ReadRuns, run_id: UUID) -> RunDetail:
    return await queries.read_run(ctx, run_id)


@router.post("/runs/{run_id}/preview", response_model=RunProgress)
async def preview_run(ctx: WriteRuns, run_id: UUID) -> Run:
    return await service.preview_run(ctx, run_id=run_id)


@router.post("/runs/{run_id}/cancel", response_model=RunProgress)
async def cancel_run(ctx: WriteRuns, run_id: UUID) -> Run:
    return await service.cancel_run(ctx, run_id=run_id)


@router.post("/sites/{site_id}/runs/{run_id}/generate", response_model=RunProgress)
async def generate_run(door: GenerateRuns, site_id: UUID, run_id: UUID) -> dict[str, Any]:
    return await door.ask("charging.run.generate", site_id=site_id, run_id=str(run_id))


@router.post("/sites/{site_id}/runs/{run_id}/publish", response_model=RunProgress)
async def publish_run(door: PublishRuns, site_id: UUID, run_id: UUID) -> dict[str, Any]:
    return await door.ask("charging.run.publish", site_id=site_id, run_id=str(run_id))


@router.get("/items", response_model=Page[ItemRead])
async def list_items(
    ctx: ReadItems, listing: Listed, state: ItemState | None = None
) -> dict[str, Any]:
    return await queries.list_items(ctx, listing, state=state)


@router.get("/items/choices", response_model=Choices)
async def item_choices(ctx: ReadItems, q: Typed = "") -> Choices:
    return await queries.item_choices(ctx, q)


@router.get("/items/accounts", response_model=Choices)
async def account_choices(ctx: ReadItems, q: Typed = "") -> Choices:
    return await queries.account_choices(ctx, q)


@router.get("/items/legal-entities", response_model=Choices)
async def entity_choices(ctx: ReadItems, q: Typed = "") -> Choices:
    return await organization.legal_entity_choices(ctx, q)


@router.post("/items", response_model=ItemSaved, status_code=201)
async def add_item(ctx: WriteItems, wanted: ItemCreate) -> Item:
    return await service.add_item(ctx, code=wanted.code, facts=_facts(wanted))


@router.patch("/items/{item_id}", response_model=ItemSaved)
async def change_item(ctx: WriteItems, item_id: UUID, wanted: ItemChange) -> Item:
    return await service.change_item(
        ctx, item_id=item_id, version=wanted.version, facts=_facts(wanted)
    )


@router.post("/items/{item_id}/disable", response_model=ItemSaved)
async def disable_item(ctx: WriteItems, item_id: UUID, why: Reason) -> Item:
    return await service.disable_item(ctx, item_id=item_id, reason=why.reason)


@router.post("/items/{item_id}/enable", response_model=ItemSaved)
async def enable_item(ctx: WriteItems, item_id: UUID) -> Item:
    return await service.enable_item(ctx, item_id=item_id)


@router.get("/standards", response_model=Page[StandardRead])
async def list_standards(
    ctx: ReadStandards,
    listing: Listed,
    state: StandardState | None = None,
    method: Method | None = None,
    item_id: UUID | None = None,
) -> dict[str, Any]:
    return await queries.list_standards(ctx, listing, state=state, method=method, item_id=item_id)


@router.get("/standards/choices", response_model=Choices)
async def standard_choices(
    ctx: ReadStandards, q: Typed = "", site_id: UUID | None = None
) -> Choices:
    return await queries.standard_choices(ctx, q, site_id=site_id)


@router.post("/standards/trial", response_model=TrialLines)
async def try_standard(ctx: ReadStandards, wanted: StandardTrial) -> TrialLines:
    return await queries.try_standard(ctx, wanted)


@router.post("/standards/copy", response_model=StandardsCopied)
async def copy_standards(ctx: WriteStandards, wanted: StandardCopy) -> service.CopiedStandards:
    return await service.copy_standards(
        ctx, from_site_id=wanted.from_site_id, to_site_id=wanted.site_id
    )


@router.post("/standards/copy/trial", response_model=TrialLines)
async def try_copy(ctx: ReadStandards, wanted: StandardCopy) -> TrialLines:
    return await queries.try_copy(ctx, from_site_id=wanted.from_site_id, to_site_id=wanted.site_id)


@router.get("/standards/{standard_id}", response_model=StandardDetail)
async def read_standard(ctx: ReadStandards, standard_id: UUID) -> StandardDetail:
    return await queries.read_standard(ctx, standard_id)


@router.post("/standards", response_model=StandardSaved, status_code=201)
async def create_standard(ctx: WriteStandards, wanted: StandardCreate) -> Standard:
    return await service.create_standard(
        ctx,
        site_id=wanted.site_id,
        item_id=wanted.item_id,
        spec=_spec(wanted),
        price=_price(wanted),
        effective_from=wanted.effective_from,
    )


@router.patch("/standards/{standard_id}", response_model=StandardSaved)
async def change_standard(
    ctx: WriteStandards, standard_id: UUID, wanted: StandardChange
) -> Standard:
    return await service.change_standard(ctx, standard_id=standard_id, **wanted.model_dump())


@router.post("/standards/{standard_id}/versions", response_model=VersionSaved, status_code=201)
async def add_version(
    ctx: WriteStandards, standard_id: UUID, wanted: VersionCreate
) -> StandardVersion:
    return await service.add_version(
        ctx, standard_id=standard_id, price=_price(wanted), effective_from=wanted.effective_from
    )


@router.post("/standards/{standard_id}/trial", response_model=TrialLines)
async def try_version(ctx: ReadStandards, standard_id: UUID, wanted: VersionTrial) -> TrialLines:
    return await queries.try_version(ctx, standard_id=standard_id, wanted=wanted)


@router.post("/standards/{standard_id}/close", response_model=StandardSaved)
async def close_standard(ctx: WriteStandards, standard_id: UUID, end: LastDay) -> Standard:
    return await service.close_standard(
        ctx, standard_id=standard_id, closed_on=end.last_day + ONE_DAY, reason=end.reason
    )


@router.get("/bindings", response_model=Page[BindingRead])
async def list_bindings(
    ctx: ReadBindings,
    listing: Listed,
    state: BindingState | None = None,
    item_id: UUID | None = None,
    standard_id: UUID | None = None,
) -> dict[str, Any]:
    return await queries.list_bindings(
        ctx, listing, state=state, item_id=item_id, standard_id=standard_id
    )


@router.post("/bindings", response_model=BoundRooms, status_code=201)
async def bind_selected(ctx: WriteBindings, wanted: BindingCreate) -> BoundRooms:
    return await service.bind_selected(
        ctx,
        standard_id=wanted.standard_id,
        selection=_selection(wanted),
        starts_on=wanted.starts_on,
    )


@router.post("/bindings/trial", response_model=TrialLines)
async def try_binding(ctx: ReadBindings, wanted: BindingCreate) -> TrialLines:
    return await queries.try_binding(
        ctx,
        standard_id=wanted.standard_id,
        selection=_selection(wanted),
        starts_on=wanted.starts_on,
    )


@router.post("/bindings/end", response_model=BindingsEnded)
async def end_bindings(ctx: WriteBindings, end: BindingsEnd) -> BindingsEnded:
    return await service.end_bindings(
        ctx, binding_ids=end.ids, ends_on=end.last_day + ONE_DAY, reason=end.reason
    )


@router.post("/bindings/{binding_id}/end", response_model=BindingSaved)
async def end_binding(ctx: WriteBindings, binding_id: UUID, end: LastDay) -> Binding:
    return await service.end_binding(
        ctx, binding_id=binding_id, ends_on=end.last_day + ONE_DAY, reason=end.reason
    )


@router.post("/bindings/{binding_id}/change", response_model=BindingSaved)
async def change_binding(ctx: WriteBindings, binding_id: UUID, wanted: BindingChange) -> Binding:
    return await service.change_binding(
        ctx,
        binding_id=binding_id,
        standard_id=wanted.standard_id,
        starts_on=wanted.starts_on,
    )


def _facts(wanted: ItemFacts) -> service.ItemFacts:
    return service.ItemFacts(
        name=wanted.name,
        category=wanted.category,
        is_agency=wanted.agency == "agency",
        tax_rate=Decimal(wanted.tax_rate),
        allocation_priority=wanted.allocation_priority,
        legal_entity_id=wanted.legal_entity_id,
        receivable_id=wanted.receivable_id,
        revenue_id=wanted.revenue_id,
    )


def _spec(wanted: StandardCreate) -> service.StandardSpec:
    return service.StandardSpec(
        code=wanted.code,
        name=wanted.name,
        method=wanted.method,
        timing=wanted.timing,
        cycle_months=int(wanted.cycle_months),
        anchor_on=wanted.anchor_on or date(wanted.effective_from.year, 1, 1),
        due_days=wanted.due_days,
    )


def _price(wanted: VersionCreate) -> service.PriceSpec:
    return service.PriceSpec(
        unit_price=wanted.unit_price,
        basis=wanted.basis,
        note=wanted.note or "",
        price_per=wanted.price_per,
        area_basis=wanted.area_basis,
        proration=wanted.proration,
        rounding_step=wanted.rounding_step,
        rounding_mode=wanted.rounding_mode,
        bands=queries.bands_in(wanted),
        band_window=wanted.band_window if wanted.bands else None,
    )


def _selection(wanted: BindingCreate) -> queries.Selection:
    return queries.Selection(
        building_id=wanted.building_id,
        usage=wanted.usage,
        room_ids=tuple(wanted.room_ids),
    )
