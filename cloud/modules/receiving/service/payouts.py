"""Handing money back, and ending deposits: refunds, deductions, and transfers to bills.

Lock order: the account or the deposit, then as for receipts: shift, month, number series.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import FieldError, Unprocessable
from cloud.kernel.numbering import next_number
from cloud.modules.customers.models import Party
from cloud.modules.ledger import service as ledger
from cloud.modules.receiving.models import (
    OFFSETS,
    Deposit,
    DepositMove,
    Method,
    MethodKind,
    MoveKind,
    PaymentMethod,
    Payout,
    PayoutKind,
    PrepaidAccount,
    Receipt,
)
from cloud.modules.receiving.service import booking, deposits, prepaid, receipts, shifts, tender
from cloud.modules.receiving.service.tender import Tender

SERIES = "TK"


class MethodCannotRefund(Unprocessable):
    message = "Money cannot go back by “{method}”. Choose cash, a card or a transfer."


async def refund_prepaid(
    ctx: Ctx, *, account_id: UUID, amount: Decimal, method: str, reason: str
) -> Payout:
    """Hand back what a party paid ahead.

    Raises NotFound, RefundAboveBalance, MethodUnknown, MethodDisabled, MethodCannotRefund and
    PeriodClosed.
    """
    account = await ctx.get(PrepaidAccount, account_id, lock=True)
    way = await _way(ctx, method)
    prepaid.refuse_above(amount, account.balance)
    payout = await _payout(ctx, account, PayoutKind.prepaid, amount=amount, way=way, reason=reason)
    prepaid.refund(ctx, account, payout=payout)
    await booking.post_payout(ctx, payout, method=way)
    return payout


async def refund_deposit(
    ctx: Ctx, *, deposit_id: UUID, amount: Decimal, method: str, reason: str
) -> Payout:
    """Return a deposit or a part of it. Raises as refund_prepaid does."""
    deposit = await ctx.get(Deposit, deposit_id, lock=True)
    way = await _way(ctx, method)
    prepaid.refuse_above(amount, deposit.balance)
    payout = await _payout(ctx, deposit, PayoutKind.deposit, amount=amount, way=way, reason=reason)
    deposits.move(ctx, deposit, MoveKind.refunded, -amount, payout=payout, reason=reason)
    await booking.post_payout(ctx, payout, method=way)
    return payout


async def deduct_deposit(
    ctx: Ctx, *, deposit_id: UUID, amount: Decimal, evidence: str
) -> DepositMove:
    """Keep a part of a deposit as income, for what the evidence shows.

    Raises NotFound, RefundAboveBalance and PeriodClosed.
    """
    deposit = await ctx.get(Deposit, deposit_id, lock=True)
    prepaid.refuse_above(amount, deposit.balance)
    await ledger.check_open(ctx, site_id=deposit.org_id, business_on=ctx.business_on)
    move = deposits.move(ctx, deposit, MoveKind.deducted, -amount, reason=evidence)
    await booking.post_deduction(ctx, deposit, move)
    await audit.record_on(
        ctx,
        deposit,
        "receiving.deposit.deducted",
        after={"amount": str(amount), "balance": str(deposit.balance)},
        reason=evidence,
    )
    return move


async def transfer_deposit(
    ctx: Ctx, *, deposit_id: UUID, amount: Decimal, evidence: str
) -> Receipt:
    """Pay the room's oldest bills out of a deposit (押金转), by a receipt of its own.

    Raises NotFound, AmountAboveDebt, DepositTooLow, DepositOfAnotherRoom and PeriodClosed.
    """
    deposit = await ctx.get(Deposit, deposit_id)
    receipt = await receipts.take_receipt(
        ctx,
        room_id=deposit.room_id,
        amount=amount,
        lines=(Tender(Method.deposit.value, amount, deposit_id, note=evidence),),
    )
    await audit.record(
        ctx,
        action="receiving.deposit.transferred",
        subject_kind="receiving.deposit",
        subject_id=deposit_id,
        org_id=receipt.org_id,
        after={"amount": str(amount), "receipt": receipt.number},
        reason=evidence,
    )
    return receipt


async def _way(ctx: Ctx, code: str) -> PaymentMethod:
    method = await tender.method_of(ctx, code)
    if MethodKind(method.kind) in OFFSETS:
        params = {"method": code}
        raise MethodCannotRefund(
            fields=(FieldError("method", "method-cannot-refund", params),), **params
        )
    return method


async def _payout(
    ctx: Ctx,
    source: PrepaidAccount | Deposit,
    kind: PayoutKind,
    *,
    amount: Decimal,
    way: PaymentMethod,
    reason: str,
) -> Payout:
    party = await ctx.get(Party, source.party_id)
    shift = await shifts.current_shift(ctx, source.org_id)
    await ledger.check_open(ctx, site_id=source.org_id, business_on=ctx.business_on)
    payout = Payout(
        **ctx.stamp(source.org_id),
        number=await next_number(ctx, org_id=source.org_id, series=SERIES),
        business_on=ctx.business_on,
        kind=kind,
        room_id=source.room_id,
        party_id=party.id,
        party_name=party.name,
        legal_entity_id=source.legal_entity_id,
        method_id=way.id,
        method=way.code,
        method_kind=way.kind,
        amount=amount,
        reason=reason,
        shift_id=shift.id,
    )
    ctx.session.add(payout)
    await ctx.session.flush()  # what it moves points at it
    await audit.record_on(
        ctx,
        payout,
        f"receiving.{kind.value}.refunded",
        after={"number": payout.number, "amount": str(amount), "method": way.code},
        reason=reason,
    )
    return payout
