"""What receipts, refunds and deductions post (spec domain 1.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.money import ZERO
from cloud.modules.charging.service import SettledBill
from cloud.modules.ledger import queries as ledger_queries
from cloud.modules.ledger import service as ledger
from cloud.modules.ledger.rules import Occasion
from cloud.modules.ledger.service import Posting, Source
from cloud.modules.receiving.models import (
    Deposit,
    DepositMove,
    Method,
    MethodLine,
    PaymentMethod,
    Payout,
    Receipt,
)

RECEIPT, PAYOUT, DEDUCTION = "receiving.receipt", "receiving.payout", "receiving.deduction"
FORFEITED = "6301"


def line(of: Posting, account_id: UUID, amount: Decimal) -> Posting:
    """A positive amount stands in the debit, a negative one in the credit."""
    return replace(of, account_id=account_id, debit=max(amount, ZERO), credit=max(-amount, ZERO))


async def held_on(ctx: Ctx, method: Method) -> UUID:
    """The account of what we hold for others: that of the method which spends it."""
    found = await ctx.session.execute(
        select(col(PaymentMethod.account_id)).where(col(PaymentMethod.code) == method.value)
    )
    return UUID(str(found.scalar_one()))


async def post_receipt(
    ctx: Ctx,
    receipt: Receipt,
    settled: Sequence[SettledBill],
    lines: Sequence[MethodLine],
    *,
    summary: str,
    cashier_id: UUID | None,
    ahead: Decimal,
    held: Decimal,
) -> None:
    """The method lines against the bills' receivables, the prepayment and the deposits.

    The amounts of a reversal are negative and change sides.
    """
    base = Posting(
        account_id=receipt.id,
        legal_entity_id=receipt.legal_entity_id,
        room_id=receipt.room_id,
        party_id=receipt.payer_id,
        cashier_id=cashier_id,
        channel=receipt.method,
    )
    postings = [line(replace(base, channel=one.code), one.account_id, one.amount) for one in lines]
    for bill in settled:
        of_bill = replace(
            base,
            legal_entity_id=bill.legal_entity_id,
            party_id=bill.payer_id,
            item_id=bill.item_id,
            bill_id=bill.bill_id,
        )
        postings.append(line(of_bill, bill.receivable_id, -bill.amount))
    for amount, method in ((ahead, Method.prepaid), (held, Method.deposit)):
        if amount:
            postings.append(line(base, await held_on(ctx, method), -amount))
    await ledger.post_entry(
        ctx,
        site_id=receipt.org_id,
        business_on=receipt.business_on,
        summary=summary,
        source=Source(RECEIPT, receipt.id),
        postings=postings,
    )


async def post_payout(ctx: Ctx, payout: Payout, *, method: PaymentMethod) -> None:
    held = await held_on(ctx, Method(payout.kind))
    base = Posting(
        account_id=held,
        legal_entity_id=payout.legal_entity_id,
        room_id=payout.room_id,
        party_id=payout.party_id,
        cashier_id=payout.created_by,
        channel=payout.method,
    )
    await ledger.post_entry(
        ctx,
        site_id=payout.org_id,
        business_on=payout.business_on,
        summary=Occasion.refund.about(payout.number),
        source=Source(PAYOUT, payout.id),
        postings=[
            line(base, held, payout.amount),
            line(base, method.account_id, -payout.amount),
        ],
    )


async def post_deduction(ctx: Ctx, deposit: Deposit, move: DepositMove) -> None:
    """What is kept of a deposit becomes other income."""
    income = (await ledger_queries.account_ids(ctx, FORFEITED))[FORFEITED]
    held = await held_on(ctx, Method.deposit)
    base = Posting(
        account_id=held,
        legal_entity_id=deposit.legal_entity_id,
        room_id=deposit.room_id,
        party_id=deposit.party_id,
        cashier_id=move.created_by,
    )
    await ledger.post_entry(
        ctx,
        site_id=deposit.org_id,
        business_on=move.business_on,
        summary=Occasion.deduction,
        source=Source(DEDUCTION, move.id),
        postings=[line(base, held, -move.amount), line(base, income, move.amount)],
    )
