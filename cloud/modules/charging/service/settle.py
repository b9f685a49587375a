"""Settling bills: the only place where what is paid of a bill changes.

Lock order: settlements in id order, then whatever the caller posts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select, text
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound
from cloud.kernel.hot import Hot, id_array
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


@dataclass
class _Owed:
    """A bill and its settlement, locked; `paid` and `version` move on with each payment."""

    bill_id: UUID
    amount: Decimal
    paid: Decimal
    version: int
    number: str
    room_id: UUID
    payer_id: UUID
    item_id: UUID
    legal_entity_id: UUID
    receivable_id: UUID

    @property
    def open(self) -> Decimal:
        return self.amount - self.paid


_LOCKED = Hot(
    select(
        col(Settlement.id),
        col(Settlement.amount),
        col(Settlement.paid),
        col(Settlement.version),
        col(Bill.number),
        col(Bill.room_id),
        col(Bill.payer_id),
        col(Bill.item_id),
        col(Bill.legal_entity_id),
        col(Item.receivable_id),
    )
    .join(Bill, col(Bill.id) == col(Settlement.id))
    .join(Item, col(Item.id) == col(Bill.item_id))
    .where(col(Settlement.id) == any_(bindparam("bill_ids", type_=ARRAY(Uuid()))))
    .order_by(col(Settlement.id))
    .with_for_update(of=Settlement),
    _Owed,
)
_MOVED = text("""
    UPDATE charging_settlement AS settlement SET paid = moved.paid, version = moved.version
    FROM unnest(CAST(:ids AS uuid[]), CAST(:paid AS numeric[]), CAST(:versions AS integer[]))
      AS moved (id, paid, version)
    WHERE settlement.id = moved.id
""")


async def apply_payments(ctx: Ctx, payments: Sequence[Payment]) -> list[SettledBill]:
    """Move what is paid of each bill, all or none, in the order of `payments`.

    Raises NotFound for a bill out of scope, BillChanged when somebody was faster, AmountAboveOpen
    and AmountBelowPaid; `fields` name the payment by its place.
    """
    bill_ids = id_array(payment.bill_id for payment in payments)
    locked = {owed.bill_id: owed for owed in await _LOCKED.all(ctx.session, bill_ids=bill_ids)}
    settled = []
    for place, payment in enumerate(payments):
        owed = locked.get(payment.bill_id)
        if owed is None:
            raise NotFound(fields=(FieldError(f"allocations.{place}.bill_id", "not-found"),))
        _check(owed, payment, place)
        owed.paid += payment.amount
        owed.version += 1
        settled.append(
            SettledBill(
                bill_id=owed.bill_id,
                number=owed.number,
                room_id=owed.room_id,
                payer_id=owed.payer_id,
                item_id=owed.item_id,
                legal_entity_id=owed.legal_entity_id,
                receivable_id=owed.receivable_id,
                amount=payment.amount,
                open=owed.open,
            )
        )
    await _keep(ctx, list(locked.values()))
    return settled


def _check(owed: _Owed, payment: Payment, place: int) -> None:
    where = f"allocations.{place}.amount"
    if payment.version is not None and payment.version != owed.version:
        raise BillChanged(number=owed.number, fields=(FieldError(where, "bill-changed"),))
    if payment.amount > owed.open:
        raise AmountAboveOpen(
            number=owed.number, open=owed.open, fields=(FieldError(where, "amount-above-open"),)
        )
    if owed.paid + payment.amount < 0:
        raise AmountBelowPaid(
            number=owed.number, paid=owed.paid, fields=(FieldError(where, "amount-below-paid"),)
        )


async def _keep(ctx: Ctx, moved: Sequence[_Owed]) -> None:
    if not moved:
        return
    await ctx.session.execute(
        _MOVED,
        {
            "ids": id_array(owed.bill_id for owed in moved),
            "paid": [owed.paid for owed in moved],
            "versions": [owed.version for owed in moved],
        },
    )
