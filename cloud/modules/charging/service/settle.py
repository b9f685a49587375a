"""Settling bills: the only place where what is paid of a bill changes.

Lock order: settlements in id order, then whatever the caller posts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound
from cloud.modules.charging.models import Bill, Item, Settlement


class BillChanged(Conflict):
    message = "Bill {number} was paid or changed in the meantime. It is reloaded; check it again."


class AmountAboveOpen(Conflict):
    message = "Only {open} of bill {number} is still open. Lower the amount."


class AmountBelowPaid(Conflict):
    message = "Only {paid} of bill {number} was paid: more than that cannot be taken back."


@dataclass(frozen=True)
class Payment:
    """An amount towards a bill; a reversal is negative. `version` is what the payer saw."""

    bill_id: UUID
    amount: Decimal
    version: int | None = None


@dataclass(frozen=True)
class SettledBill:
    """A bill after the payment, with the dimensions that its receipt posts."""

    bill_id: UUID
    number: str
    room_id: UUID
    payer_id: UUID
    item_id: UUID
    legal_entity_id: UUID
    receivable_id: UUID
    amount: Decimal
    open: Decimal


async def apply_payments(ctx: Ctx, payments: Sequence[Payment]) -> list[SettledBill]:
    """Move what is paid of each bill, all or none, in the order of `payments`.

    Raises NotFound for a bill out of scope, BillChanged when somebody was faster, AmountAboveOpen
    and AmountBelowPaid; `fields` name the payment by its place.
    """
    settlements = await _locked(ctx, [payment.bill_id for payment in payments])
    bills = await _bills(ctx, list(settlements))
    settled = []
    for place, payment in enumerate(payments):
        settlement = settlements.get(payment.bill_id)
        if settlement is None:
            raise NotFound(fields=(FieldError(f"allocations.{place}.bill_id", "not-found"),))
        bill, receivable_id = bills[payment.bill_id]
        _check(settlement, payment, bill.number, place)
        settlement.paid += payment.amount
        settlement.version += 1
        settled.append(
            SettledBill(
                bill_id=bill.id,
                number=bill.number,
                room_id=bill.room_id,
                payer_id=bill.payer_id,
                item_id=bill.item_id,
                legal_entity_id=bill.legal_entity_id,
                receivable_id=receivable_id,
                amount=payment.amount,
                open=settlement.amount - settlement.paid,
            )
        )
    return settled


def _check(settlement: Settlement, payment: Payment, number: str, place: int) -> None:
    open_amount = settlement.amount - settlement.paid
    where = f"allocations.{place}.amount"
    if payment.version is not None and payment.version != settlement.version:
        raise BillChanged(number=number, fields=(FieldError(where, "bill-changed"),))
    if payment.amount > open_amount:
        raise AmountAboveOpen(
            number=number, open=open_amount, fields=(FieldError(where, "amount-above-open"),)
        )
    if settlement.paid + payment.amount < 0:
        raise AmountBelowPaid(
            number=number, paid=settlement.paid, fields=(FieldError(where, "amount-below-paid"),)
        )


async def _locked(ctx: Ctx, bill_ids: Sequence[UUID]) -> dict[UUID, Settlement]:
    found = await ctx.session.execute(
        select(Settlement)
        .where(col(Settlement.id).in_(bill_ids))
        .order_by(col(Settlement.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {settlement.id: settlement for settlement in found.scalars()}


async def _bills(ctx: Ctx, bill_ids: Sequence[UUID]) -> dict[UUID, tuple[Bill, UUID]]:
    found = await ctx.session.execute(
        select(Bill, col(Item.receivable_id))
        .join(Item, col(Item.id) == col(Bill.item_id))
        .where(col(Bill.id).in_(bill_ids))
    )
    return {bill.id: (bill, receivable_id) for bill, receivable_id in found.all()}
