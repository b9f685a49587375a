"""JSON routes of the counter, receipts and statements."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from cloud.kernel.http import idempotent
from cloud.kernel.listing import Listed, Page
from cloud.modules.charging.service import Payment
from cloud.modules.receiving import queries, service
from cloud.modules.receiving.models import Method, Receipt, ReceiptState
from cloud.modules.receiving.permissions import (
    ReadReceipts,
    RevealPhones,
    ReverseReceipts,
    TakeReceipts,
    UseCounter,
)
from cloud.modules.receiving.queries import SearchBy
from cloud.modules.receiving.schemas import (
    CounterRoom,
    Hits,
    ReceiptCreate,
    ReceiptDetail,
    ReceiptRead,
    ReceiptReverse,
    ReceiptReversed,
    ReceiptTaken,
    RevealedPhone,
    RoomStatement,
    Shift,
)

router = APIRouter(prefix="/api/v1/receiving", tags=["receiving"])


@router.get("/counter/search", response_model=Hits)
async def search_rooms(
    ctx: UseCounter,
    q: Annotated[str, Query(max_length=100)] = "",
    by: SearchBy = SearchBy.all,
    site_id: UUID | None = None,
) -> Hits:
    return await queries.search_rooms(ctx, q=q.strip(), by=by, site_id=site_id)


@router.get("/counter/rooms/{room_id}", response_model=CounterRoom)
async def counter_room(ctx: UseCounter, room_id: UUID) -> CounterRoom:
    return await queries.counter_room(ctx, room_id)


@router.get("/shift", response_model=Shift)
async def read_shift(ctx: UseCounter) -> Shift:
    return await queries.read_shift(ctx)


@router.post("/parties/{party_id}/phone", response_model=RevealedPhone)
async def reveal_phone(ctx: RevealPhones, party_id: UUID) -> RevealedPhone:
    return await service.reveal_phone(ctx, party_id=party_id)


@router.get("/receipts", response_model=Page[ReceiptRead])
async def list_receipts(
    ctx: ReadReceipts,
    listing: Listed,
    method: Method | None = None,
    state: ReceiptState | None = None,
    period_from: date | None = None,
    period_to: date | None = None,
) -> dict[str, Any]:
    return await queries.list_receipts(
        ctx,
        listing,
        method=method,
        state=state,
        period_from=period_from,
        period_to=period_to,
    )


@router.post("/receipts", response_model=ReceiptTaken, status_code=201)
@idempotent(ReceiptTaken, status=201)
async def take_receipt(ctx: TakeReceipts, wanted: ReceiptCreate) -> Receipt:
    return await service.take_receipt(
        ctx,
        room_id=wanted.room_id,
        method=wanted.method,
        payments=[Payment(**part.model_dump()) for part in wanted.allocations],
        amount=wanted.amount,
        tendered=wanted.tendered,
    )


@router.get("/receipts/{receipt_id}", response_model=ReceiptDetail)
async def read_receipt(ctx: ReadReceipts, receipt_id: UUID) -> ReceiptDetail:
    return await queries.read_receipt(ctx, receipt_id)


@router.get("/receipts/{receipt_id}/print", response_class=Response)
async def print_receipt(ctx: ReadReceipts, receipt_id: UUID) -> Response:
    return await service.print_receipt(ctx, receipt_id=receipt_id)


@router.post("/receipts/{receipt_id}/reverse", response_model=ReceiptReversed, status_code=201)
@idempotent(ReceiptReversed, status=201)
async def reverse_receipt(
    ctx: ReverseReceipts, receipt_id: UUID, wanted: ReceiptReverse
) -> Receipt:
    return await service.reverse_receipt(ctx, receipt_id=receipt_id, reason=wanted.reason)


@router.get("/rooms/{room_id}/statement", response_model=RoomStatement)
async def read_statement(
    ctx: ReadReceipts,
    room_id: UUID,
    period_from: date | None = None,
    period_to: date | None = None,
) -> RoomStatement:
    return await queries.read_statement(ctx, room_id, first=period_from, last=period_to)
