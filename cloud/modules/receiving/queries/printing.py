"""What stands on a printed receipt."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.printing.sheets import Fact, Heading, Sheet, money_text
from cloud.modules.charging.models import Bill, Item
from cloud.modules.charging.queries import quantity_and_price
from cloud.modules.charging.queries.runs import closed
from cloud.modules.organization.models import LegalEntity
from cloud.modules.receiving.models import Allocation, MoveKind, Receipt, ReceiptState
from cloud.modules.receiving.queries.receipts import read_receipt
from cloud.modules.receiving.schemas import ReceiptDetail


async def receipt_sheet(ctx: Ctx, receipt_id: UUID) -> Sheet:
    """A receipt as the payer takes it home. Raises NotFound."""
    detail = await read_receipt(ctx, receipt_id)
    receipt = await ctx.get(Receipt, receipt_id)
    entity = await ctx.find(LegalEntity, receipt.legal_entity_id)
    if entity is None:
        raise NotFound
    return Sheet(
        kind="receiving.receipt",
        subject_id=receipt.id,
        org_id=receipt.org_id,
        title=ctx.say("Payment receipt"),
        number=receipt.number,
        company=entity.name,
        site=detail.site_name,
        facts=(
            Fact(ctx.say("Room"), detail.room_name),
            Fact(ctx.say("Payer"), detail.payer_name),
            Fact(ctx.say("Received at"), f"{ctx.local(receipt.created_at):%Y-%m-%d %H:%M}"),
        ),
        columns=(
            Heading(ctx.say("Charge item"), wide=True),
            Heading(ctx.say("Bill number")),
            Heading(ctx.say("Period")),
            Heading(ctx.say("Quantity"), right=True),
            Heading(ctx.say("Unit price"), right=True),
            Heading(ctx.say("Amount"), right=True),
        ),
        rows=(*await _rows(ctx, receipt_id), *_held(detail)),
        total_label=ctx.say("Total"),
        total=receipt.amount,
        foot=_foot(ctx, detail),
        paper="a5",
        note=ctx.say("Reason: {reason}", reason=receipt.reason) if receipt.reason else "",
        marks=_marks(ctx, detail),
    )


def _marks(ctx: Ctx, detail: ReceiptDetail) -> tuple[str, ...]:
    match detail.state:
        case ReceiptState.reversed:
            return (ctx.say("Reversed by {number}", number=detail.linked_number),)
        case ReceiptState.reversal:
            return (ctx.say("Reverses {number}", number=detail.linked_number),)
        case _:
            return ()


def _foot(ctx: Ctx, detail: ReceiptDetail) -> tuple[Fact, ...]:
    methods = [f"{line.method_name} {money_text(line.amount)}" for line in detail.lines]
    several = len(methods) > 1
    facts = [
        Fact(
            ctx.say("Payment method"),
            " · ".join(methods) if several else detail.method_name,
        )
    ]
    if detail.tendered is not None:
        facts += [
            Fact(ctx.say("Cash handed over"), money_text(detail.tendered)),
            Fact(ctx.say("Change given"), money_text(detail.change)),
        ]
    return (
        *facts,
        Fact(ctx.say("Cashier"), detail.cashier_name),
        Fact(ctx.say("Company seal"), ""),
    )


async def _rows(ctx: Ctx, receipt_id: UUID) -> list[tuple[str, ...]]:
    found = await ctx.session.execute(
        select(Bill, col(Item.name), col(Allocation.amount))
        .join(Allocation, col(Allocation.bill_id) == col(Bill.id))
        .join(Item, col(Item.id) == col(Bill.item_id))
        .where(col(Allocation.receipt_id) == receipt_id)
        .order_by(col(Bill.due_on), col(Item.allocation_priority), col(Bill.number))
    )
    rows: list[tuple[str, ...]] = []
    for bill, item_name, amount in found:
        period = closed(bill.period_from, bill.period_to)
        span = f"{period.first} ~ {period.last}"
        rows.append(
            (item_name, bill.number, span, *quantity_and_price(ctx, bill), money_text(amount))
        )
    return rows


def _held(detail: ReceiptDetail) -> list[tuple[str, ...]]:
    """Prepayments and deposits that were taken stand below the bills."""
    wanted = (MoveKind.received, MoveKind.reversed)
    return [
        (line.name, "", "", "", "", money_text(line.amount))
        for line in detail.held
        if line.kind in wanted
    ]
