"""JSON routes of the counter, receipts and statements."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from cloud.kernel.choices import Choices, Typed
from cloud.kernel.http import idempotent
from cloud.kernel.listing import Listed, Page
from cloud.kernel.printing.sheets import PDF
from cloud.kernel.ui.language import TrialLines
from cloud.modules.charging.service import Payment
from cloud.modules.customers.permissions import WriteParties
from cloud.modules.customers.schemas import RoomTransfer
from cloud.modules.organization import queries as organization
from cloud.modules.receiving import models, queries, service
from cloud.modules.receiving.models import (
    DepositItem,
    DepositMove,
    DepositState,
    PaymentMethod,
    Payout,
    PayoutKind,
    Receipt,
    ReceiptState,
)
from cloud.modules.receiving.permissions import (
    ChangeSetup,
    CloseShifts,
    DeductDeposits,
    ReadHeld,
    ReadReceipts,
    ReadSetup,
    ReadShifts,
    RefundHeld,
    ReverseReceipts,
    TakeReceipts,
    UseCounter,
)
from cloud.modules.receiving.queries import Lack, SearchBy
from cloud.modules.receiving.schemas import (
    BuildingGrid,
    BuildingsOnGrid,
    Changed,
    CounterRoom,
    Deducted,
    DepositDetail,
    DepositItemChange,
    DepositItemCreate,
    DepositItemRead,
    DepositRead,
    DepositUsed,
    Desk,
    HeldState,
    Hits,
    MethodChange,
    MethodCreate,
    MethodRead,
    PayoutMade,
    PayoutRead,
    PrepaidDetail,
    PrepaidRead,
    ReceiptCreate,
    ReceiptDetail,
    ReceiptRead,
    ReceiptReverse,
    ReceiptReversed,
    ReceiptTaken,
    RefundWanted,
    RoomProfile,
    RoomStatement,
    Shift,
    ShiftClose,
    ShiftClosed,
    ShiftRead,
    ShiftState,
    Switch,
)
from cloud.modules.receiving.service import DepositWanted, Prepayment, Tender
from cloud.modules.resources.models import RoomState, RoomUsage
from cloud.modules.resources.permissions import ReadRooms
from cloud.modules.resources.schemas import RoomRead

router = APIRouter(prefix="/api/v1/receiving", tags=["receiving"])


@router.get("/counter/search", response_model=Hits)
async def search_rooms(
    ctx: UseCounter,
    q: Typed = "",
    by: SearchBy = SearchBy.all,
    site_id: UUID | None = None,
) -> Hits:
    return await queries.search_rooms(ctx, q=q.strip(), by=by, site_id=site_id)


@router.get("/counter/rooms/{room_id}", response_model=CounterRoom)
async def counter_room(ctx: UseCounter, room_id: UUID) -> CounterRoom:
    return await queries.counter_room(ctx, room_id)


@router.get("/counter/desk", response_model=Desk)
async def read_desk(ctx: UseCounter) -> Desk:
    return await queries.read_desk(ctx)


@router.get("/shift", response_model=Shift)
async def read_shift(ctx: UseCounter) -> Shift:
    return await queries.read_shift(ctx)


@router.get("/shifts", response_model=Page[ShiftRead])
async def list_shifts(
    ctx: ReadShifts,
    listing: Listed,
    state: ShiftState | None = None,
    period_from: date | None = None,
    period_to: date | None = None,
) -> dict[str, Any]:
    return await queries.list_shifts(
        ctx, listing, state=state, period_from=period_from, period_to=period_to
    )


@router.post("/shifts/{shift_id}/close", response_model=ShiftClosed)
@idempotent(ShiftClosed)
async def close_shift(ctx: CloseShifts, shift_id: UUID, wanted: ShiftClose) -> models.Shift:
    return await service.close_shift(
        ctx, shift_id=shift_id, counted=wanted.counted, note=wanted.note or ""
    )


@router.get("/receipts", response_model=Page[ReceiptRead])
async def list_receipts(
    ctx: ReadReceipts,
    listing: Listed,
    method: Annotated[str | None, Query(max_length=20)] = None,
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
        lines=[Tender(**line.model_dump()) for line in wanted.lines],
        payments=[Payment(**part.model_dump()) for part in wanted.allocations],
        amount=wanted.amount,
        ahead=Prepayment(**wanted.prepay.model_dump()) if wanted.prepay else None,
        keep_rest=wanted.keep_rest,
        deposits_wanted=[DepositWanted(**one.model_dump()) for one in wanted.deposits],
        tendered=wanted.tendered,
    )


@router.get("/receipts/{receipt_id}", response_model=ReceiptDetail)
async def read_receipt(ctx: ReadReceipts, receipt_id: UUID) -> ReceiptDetail:
    return await queries.read_receipt(ctx, receipt_id)


@router.get("/receipts/{receipt_id}/print", response_class=Response, responses=PDF)
async def print_receipt(ctx: ReadReceipts, receipt_id: UUID) -> Response:
    return await service.print_receipt(ctx, receipt_id=receipt_id)


@router.post("/receipts/{receipt_id}/reverse", response_model=ReceiptReversed, status_code=201)
@idempotent(ReceiptReversed, status=201)
async def reverse_receipt(
    ctx: ReverseReceipts, receipt_id: UUID, wanted: ReceiptReverse
) -> Receipt:
    return await service.reverse_receipt(ctx, receipt_id=receipt_id, reason=wanted.reason)


@router.get("/grid", response_model=BuildingsOnGrid)
async def list_grid(ctx: ReadReceipts, site_id: UUID) -> BuildingsOnGrid:
    return await queries.list_grid(ctx, site_id=site_id)


@router.get("/grid/{building_id}", response_model=BuildingGrid)
async def read_grid(ctx: ReadReceipts, building_id: UUID) -> BuildingGrid:
    return await queries.read_grid(ctx, building_id)


@router.get("/rooms", response_model=Page[RoomRead])
async def list_rooms(
    ctx: ReadRooms,
    listing: Listed,
    usage: RoomUsage | None = None,
    state: RoomState | None = None,
    has_area: bool | None = None,
    lacks: Lack | None = None,
) -> dict[str, Any]:
    return await queries.list_rooms(
        ctx, listing, usage=usage, state=state, has_area=has_area, lacks=lacks
    )


@router.post("/rooms/{room_id}/transfer/trial", response_model=TrialLines)
async def try_transfer(ctx: WriteParties, room_id: UUID, wanted: RoomTransfer) -> TrialLines:
    return await queries.try_transfer(ctx, room_id=room_id, wanted=wanted)


@router.get("/rooms/{room_id}", response_model=RoomProfile)
async def room_profile(ctx: ReadReceipts, room_id: UUID) -> RoomProfile:
    return await queries.room_profile(ctx, room_id)


@router.get("/rooms/{room_id}/statement", response_model=RoomStatement)
async def read_statement(
    ctx: ReadReceipts,
    room_id: UUID,
    period_from: date | None = None,
    period_to: date | None = None,
) -> RoomStatement:
    return await queries.read_statement(ctx, room_id, first=period_from, last=period_to)


@router.get("/prepaid", response_model=Page[PrepaidRead])
async def list_prepaid(
    ctx: ReadHeld, listing: Listed, state: HeldState | None = None
) -> dict[str, Any]:
    return await queries.list_prepaid(ctx, listing, state=state)


@router.get("/prepaid/{account_id}", response_model=PrepaidDetail)
async def read_prepaid(ctx: ReadHeld, account_id: UUID) -> PrepaidDetail:
    return await queries.read_prepaid(ctx, account_id)


@router.post("/prepaid/{account_id}/refund", response_model=PayoutMade, status_code=201)
@idempotent(PayoutMade, status=201)
async def refund_prepaid(ctx: RefundHeld, account_id: UUID, wanted: RefundWanted) -> Payout:
    return await service.refund_prepaid(ctx, account_id=account_id, **wanted.model_dump())


@router.get("/deposits", response_model=Page[DepositRead])
async def list_deposits(
    ctx: ReadHeld,
    listing: Listed,
    state: DepositState | None = None,
    item_id: UUID | None = None,
) -> dict[str, Any]:
    return await queries.list_deposits(ctx, listing, state=state, item_id=item_id)


@router.get("/deposits/{deposit_id}", response_model=DepositDetail)
async def read_deposit(ctx: ReadHeld, deposit_id: UUID) -> DepositDetail:
    return await queries.read_deposit(ctx, deposit_id)


@router.post("/deposits/{deposit_id}/refund", response_model=PayoutMade, status_code=201)
@idempotent(PayoutMade, status=201)
async def refund_deposit(ctx: RefundHeld, deposit_id: UUID, wanted: RefundWanted) -> Payout:
    return await service.refund_deposit(ctx, deposit_id=deposit_id, **wanted.model_dump())


@router.post("/deposits/{deposit_id}/deduct", response_model=Deducted, status_code=201)
@idempotent(Deducted, status=201)
async def deduct_deposit(ctx: DeductDeposits, deposit_id: UUID, wanted: DepositUsed) -> DepositMove:
    return await service.deduct_deposit(ctx, deposit_id=deposit_id, **wanted.model_dump())


@router.post("/deposits/{deposit_id}/transfer", response_model=ReceiptTaken, status_code=201)
@idempotent(ReceiptTaken, status=201)
async def transfer_deposit(ctx: DeductDeposits, deposit_id: UUID, wanted: DepositUsed) -> Receipt:
    return await service.transfer_deposit(ctx, deposit_id=deposit_id, **wanted.model_dump())


@router.get("/payouts", response_model=Page[PayoutRead])
async def list_payouts(
    ctx: ReadHeld, listing: Listed, kind: PayoutKind | None = None
) -> dict[str, Any]:
    return await queries.list_payouts(ctx, listing, kind=kind)


@router.get("/methods", response_model=Page[MethodRead])
async def list_methods(ctx: ReadSetup, listing: Listed) -> dict[str, Any]:
    return await queries.list_methods(ctx, listing)


@router.get("/methods/choices", response_model=Choices)
async def method_choices(ctx: ReadReceipts, q: Typed = "") -> Choices:
    return await queries.method_choices(ctx, q, is_money=False)


@router.get("/methods/money", response_model=Choices)
async def money_choices(ctx: ReadHeld, q: Typed = "") -> Choices:
    return await queries.method_choices(ctx, q, is_money=True)


@router.post("/methods", response_model=Changed, status_code=201)
async def add_method(ctx: ChangeSetup, wanted: MethodCreate) -> PaymentMethod:
    return await service.add_method(ctx, **wanted.model_dump())


@router.patch("/methods/{method_id}", response_model=Changed)
async def change_method(ctx: ChangeSetup, method_id: UUID, wanted: MethodChange) -> PaymentMethod:
    return await service.change_method(ctx, method_id=method_id, **wanted.model_dump())


@router.post("/methods/{method_id}/switch", response_model=Changed)
async def switch_method(ctx: ChangeSetup, method_id: UUID, wanted: Switch) -> PaymentMethod:
    return await service.switch_method(ctx, method_id=method_id, **wanted.model_dump())


@router.get("/deposit-items", response_model=Page[DepositItemRead])
async def list_deposit_items(ctx: ReadSetup, listing: Listed) -> dict[str, Any]:
    return await queries.list_deposit_items(ctx, listing)


@router.get("/deposit-items/choices", response_model=Choices)
async def deposit_item_choices(ctx: ReadHeld, q: Typed = "") -> Choices:
    return await queries.deposit_item_choices(ctx, q)


@router.get("/deposit-items/legal-entities", response_model=Choices)
async def legal_entity_choices(ctx: ReadSetup, q: Typed = "") -> Choices:
    return await organization.legal_entity_choices(ctx, q)


@router.post("/deposit-items", response_model=Changed, status_code=201)
async def add_deposit_item(ctx: ChangeSetup, wanted: DepositItemCreate) -> DepositItem:
    return await service.add_deposit_item(ctx, **wanted.model_dump())


@router.patch("/deposit-items/{item_id}", response_model=Changed)
async def change_deposit_item(
    ctx: ChangeSetup, item_id: UUID, wanted: DepositItemChange
) -> DepositItem:
    return await service.change_deposit_item(ctx, item_id=item_id, **wanted.model_dump())


@router.post("/deposit-items/{item_id}/switch", response_model=Changed)
async def switch_deposit_item(ctx: ChangeSetup, item_id: UUID, wanted: Switch) -> DepositItem:
    return await service.switch_deposit_item(ctx, item_id=item_id, **wanted.model_dump())
