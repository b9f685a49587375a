"""JSON routes of the books."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter

from cloud.kernel.choices import Choices, Typed
from cloud.kernel.listing import Listed, Page
from cloud.kernel.numbering import DocumentKind
from cloud.modules.ledger import queries, service
from cloud.modules.ledger.permissions import (
    ChangeNumberRules,
    CloseMonths,
    ReadAccounts,
    ReadEntries,
    ReadMonths,
    ReadNumberRules,
    ReopenMonths,
)
from cloud.modules.ledger.schemas import (
    AccountRead,
    EntryDetail,
    EntryRead,
    MonthClosed,
    MonthRead,
    MonthReopen,
    MonthState,
    NumberRuleChange,
    NumberRuleChanged,
    NumberRuleRead,
)

router = APIRouter(prefix="/api/v1/ledger", tags=["ledger"])


@router.get("/accounts", response_model=Page[AccountRead])
async def list_accounts(ctx: ReadAccounts, listing: Listed) -> dict[str, Any]:
    return await queries.list_accounts(ctx, listing)


@router.get("/accounts/choices", response_model=Choices)
async def account_choices(ctx: ReadAccounts, q: Typed = "") -> Choices:
    return await queries.account_choices(ctx, q)


@router.get("/entries", response_model=Page[EntryRead])
async def list_entries(ctx: ReadEntries, listing: Listed) -> dict[str, Any]:
    return await queries.list_entries(ctx, listing)


@router.get("/entries/{entry_id}", response_model=EntryDetail)
async def read_entry(ctx: ReadEntries, entry_id: UUID) -> EntryDetail:
    return await queries.read_entry(ctx, entry_id)


@router.get("/months", response_model=Page[MonthRead])
async def list_months(
    ctx: ReadMonths, listing: Listed, state: MonthState | None = None
) -> dict[str, Any]:
    return await queries.list_months(ctx, listing, state=state)


@router.post("/months/{site_id}/{month}/close", response_model=MonthClosed)
async def close_month(ctx: CloseMonths, site_id: UUID, month: date) -> MonthClosed:
    return await service.close_month(ctx, site_id=site_id, month=month)


@router.post("/months/{site_id}/{month}/reopen", response_model=MonthClosed)
async def reopen_month(
    ctx: ReopenMonths, site_id: UUID, month: date, wanted: MonthReopen
) -> MonthClosed:
    return await service.reopen_month(ctx, site_id=site_id, month=month, reason=wanted.reason)


@router.get("/number-rules", response_model=Page[NumberRuleRead])
async def list_number_rules(ctx: ReadNumberRules, listing: Listed) -> dict[str, Any]:
    return await queries.list_number_rules(ctx, listing)


@router.patch("/number-rules/{series}", response_model=NumberRuleChanged)
async def change_number_rule(
    ctx: ChangeNumberRules, series: DocumentKind, wanted: NumberRuleChange
) -> NumberRuleChanged:
    return await service.change_number_rule(ctx, series=series, **wanted.model_dump())
