"""Taking receipts at the counter and reversing them.

Lock order: the receipt that is reversed (by advisory lock: nobody may change its row), the bills'
settlements in id order, the month of the community, the number series.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from fastapi import Response
from sqlalchemy import Uuid, cast, func, literal, null, select, text, union_all
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Unprocessable
from cloud.kernel.listing import Expression, Statement
from cloud.kernel.money import ZERO
from cloud.kernel.numbering import next_number
from cloud.kernel.printing.sheets import print_sheet
from cloud.modules.charging import queries as charging_queries
from cloud.modules.charging import service as charging
from cloud.modules.charging.models import Bill, Item
from cloud.modules.charging.service import Payment, SettledBill
from cloud.modules.customers import service as customers
from cloud.modules.customers.models import Party
from cloud.modules.ledger import queries as ledger_queries
from cloud.modules.ledger import service as ledger
from cloud.modules.ledger.service import Source
from cloud.modules.receiving import queries
from cloud.modules.receiving.models import Allocation, Method, Receipt
from cloud.modules.receiving.rules import ACCOUNT_OF, Owed, allocate
from cloud.modules.receiving.schemas import RevealedPhone
from cloud.modules.resources import queries as resources

SERIES = "SK"
SOURCE = "receiving.receipt"

_TAKE_RECEIPT = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


class NothingToPay(Unprocessable):
    message = "Choose at least one bill, or enter an amount, not both."


class BillTwice(Unprocessable):
    message = "A bill is named twice. Enter each bill once."


class AmountNotPositive(Unprocessable):
    message = "An amount must be more than 0."


class TenderedTooLow(Unprocessable):
    message = "{tendered} was handed over, less than the {amount} to be received."


class TenderedWithoutCash(Unprocessable):
    message = "Only cash gives change. Leave the amount handed over empty."


class AmountAboveDebt(Conflict):
    message = "The room owes {open} only. Lower the amount: prepayments are not taken here."


class BillOfAnotherRoom(Conflict):
    message = "Bill {number} belongs to another room. Open that room to receive it."


class LegalEntitiesMixed(Conflict):
    message = "The bills belong to different legal entities. Take one receipt for each of them."


class ReceiptAlreadyReversed(Conflict):
    message = "Receipt {number} was already reversed by {by}."


class ReceiptIsReversal(Conflict):
    message = "{number} is itself a reversal. Receive the amount again instead."


async def take_receipt(
    ctx: Ctx,
    *,
    room_id: UUID,
    method: Method,
    payments: Sequence[Payment] = (),
    amount: Decimal | None = None,
    tendered: Decimal | None = None,
) -> Receipt:
    """Book money against bills of one room, all or none, on today's business date.

    The payer designates bills by `payments`, or gives an `amount` that goes to the oldest first.
    Raises NotFound for a room or a bill out of scope, the refusals of charging.apply_payments
    (BillChanged, AmountAboveOpen), PeriodClosed, and those above.
    """
    room = await resources.get_room(ctx, room_id)
    payments = await _wanted(ctx, room_id, payments, amount)
    total = sum((payment.amount for payment in payments), ZERO)
    _check_tendered(method, tendered, total)
    settled = await charging.apply_payments(ctx, payments)
    _check_bills(room_id, settled)
    payer = await ctx.get(Party, settled[0].payer_id)
    receipt = Receipt(
        **ctx.stamp(room.site_id),
        number=await _number(ctx, room.site_id),
        business_on=ctx.business_on,
        room_id=room.id,
        payer_id=payer.id,
        payer_name=payer.name,
        legal_entity_id=settled[0].legal_entity_id,
        method=method,
        amount=total,
        tendered=tendered,
    )
    await _book(
        ctx, receipt, settled, summary=f"收款 {receipt.number}", cashier_id=ctx.principal.id
    )
    return receipt


async def reverse_receipt(ctx: Ctx, *, receipt_id: UUID, reason: str) -> Receipt:
    """The linked opposite of a receipt (冲红), dated today; its bills are open again.

    Raises NotFound, ReceiptIsReversal, ReceiptAlreadyReversed and PeriodClosed.
    """
    await ctx.session.execute(_TAKE_RECEIPT, {"key": f"receipt:{receipt_id}"})
    original = await ctx.get(Receipt, receipt_id)
    if original.reverses_id is not None:
        raise ReceiptIsReversal(number=original.number)
    await _refuse_reversed(ctx, original)
    allocations = await ctx.session.execute(
        select(Allocation).where(col(Allocation.receipt_id) == original.id)
    )
    settled = await charging.apply_payments(
        ctx,
        [Payment(bill_id=part.bill_id, amount=-part.amount) for part in allocations.scalars()],
    )
    reversal = Receipt(
        **ctx.stamp(original.org_id),
        number=await _number(ctx, original.org_id),
        business_on=ctx.business_on,
        room_id=original.room_id,
        payer_id=original.payer_id,
        payer_name=original.payer_name,
        legal_entity_id=original.legal_entity_id,
        method=original.method,
        amount=-original.amount,
        reverses_id=original.id,
        reason=reason,
    )
    summary = f"冲红 {original.number}"
    await _book(ctx, reversal, settled, summary=summary, cashier_id=original.created_by)
    return reversal


async def print_receipt(ctx: Ctx, *, receipt_id: UUID) -> Response:
    """The receipt as PDF; each copy is counted. Raises NotFound, PrintingBusy, PrintingFailed."""
    return await print_sheet(ctx, await queries.receipt_sheet(ctx, receipt_id))


async def reveal_phone(ctx: Ctx, *, party_id: UUID) -> RevealedPhone:
    """The whole number, for who may see it; the look is recorded. Raises NotFound."""
    return RevealedPhone(phone=await customers.reveal_phone(ctx, party_id=party_id))


async def _wanted(
    ctx: Ctx, room_id: UUID, payments: Sequence[Payment], amount: Decimal | None
) -> Sequence[Payment]:
    if bool(payments) == (amount is not None):
        raise NothingToPay(fields=(FieldError("allocations", "nothing-to-pay"),))
    if amount is not None:
        return await _by_default_order(ctx, room_id, amount)
    wrong = tuple(
        FieldError(f"allocations.{place}.amount", "amount-not-positive")
        for place, payment in enumerate(payments)
        if payment.amount <= 0
    )
    if wrong:
        raise AmountNotPositive(fields=wrong)
    if len({payment.bill_id for payment in payments}) < len(payments):
        raise BillTwice(fields=(FieldError("allocations", "bill-twice"),))
    return payments


async def _by_default_order(ctx: Ctx, room_id: UUID, amount: Decimal) -> list[Payment]:
    """The versions go along: a bill that is paid meanwhile is refused, not paid twice."""
    if amount <= 0:
        raise AmountNotPositive(fields=(FieldError("amount", "amount-not-positive"),))
    bills = await charging_queries.open_bills_of_room(ctx, room_id)
    versions = {bill.id: bill.version for bill in bills}
    parts, left = allocate(
        amount, [Owed(bill.id, bill.open, bill.due_on, bill.priority) for bill in bills]
    )
    if left:
        raise AmountAboveDebt(
            open=amount - left, fields=(FieldError("amount", "amount-above-debt"),)
        )
    return [Payment(part.bill_id, part.amount, versions[part.bill_id]) for part in parts]


def _check_tendered(method: Method, tendered: Decimal | None, total: Decimal) -> None:
    if tendered is None:
        return
    if method is not Method.cash:
        raise TenderedWithoutCash(fields=(FieldError("tendered", "tendered-without-cash"),))
    if tendered < total:
        params = {"tendered": tendered, "amount": total}
        raise TenderedTooLow(fields=(FieldError("tendered", "tendered-too-low", params),), **params)


def _check_bills(room_id: UUID, settled: Sequence[SettledBill]) -> None:
    for place, bill in enumerate(settled):
        if bill.room_id != room_id:
            where = f"allocations.{place}.bill_id"
            params = {"number": bill.number}
            raise BillOfAnotherRoom(
                fields=(FieldError(where, "bill-of-another-room", params),), **params
            )
    if len({bill.legal_entity_id for bill in settled}) > 1:
        raise LegalEntitiesMixed(fields=(FieldError("allocations", "legal-entities-mixed"),))


async def _refuse_reversed(ctx: Ctx, original: Receipt) -> None:
    found = await ctx.session.execute(
        select(col(Receipt.number)).where(col(Receipt.reverses_id) == original.id)
    )
    by = found.scalar_one_or_none()
    if by is not None:
        raise ReceiptAlreadyReversed(number=original.number, by=by)


async def _number(ctx: Ctx, site_id: UUID) -> str:
    # The month first: who holds a number must not wait for a month that is being closed.
    await ledger.check_open(ctx, site_id=site_id, business_on=ctx.business_on)
    return await next_number(ctx, org_id=site_id, series=SERIES)


async def _book(
    ctx: Ctx,
    receipt: Receipt,
    settled: Sequence[SettledBill],
    *,
    summary: str,
    cashier_id: UUID | None,
) -> None:
    """Write the receipt, its allocations and its entry. A reversal posts the mirror image."""
    ctx.session.add(receipt)
    await ctx.session.flush()  # the allocations and the entry point at the receipt
    for bill in settled:
        ctx.session.add(
            Allocation(
                **ctx.stamp(receipt.org_id),
                receipt_id=receipt.id,
                bill_id=bill.bill_id,
                amount=bill.amount,
            )
        )
    await ctx.session.flush()  # the lines are read off the allocations
    await ledger.post_set(
        ctx,
        site_id=receipt.org_id,
        business_on=receipt.business_on,
        summary=summary,
        source=Source(SOURCE, receipt.id),
        lines=await _lines(ctx, receipt, cashier_id),
    )


async def _lines(ctx: Ctx, receipt: Receipt, cashier_id: UUID | None) -> Statement:
    """The money against each bill's receivable; the amounts of a reversal change sides."""
    code = ACCOUNT_OF[Method(receipt.method)]
    money_id = (await ledger_queries.account_ids(ctx, code))[code]
    by = (
        cast(literal(cashier_id), Uuid()).label("cashier_id"),
        literal(receipt.method).label("channel"),
    )
    money: Statement = select(
        literal(money_id).label("account_id"),
        col(Receipt.legal_entity_id),
        *_sides(col(Receipt.amount)),
        col(Receipt.room_id),
        col(Receipt.payer_id).label("party_id"),
        cast(null(), Uuid()).label("item_id"),
        cast(null(), Uuid()).label("bill_id"),
        *by,
    ).where(col(Receipt.id) == receipt.id)
    bills: Statement = (
        select(
            col(Item.receivable_id),
            col(Bill.legal_entity_id),
            *_sides(-col(Allocation.amount)),
            col(Bill.room_id),
            col(Bill.payer_id),
            col(Bill.item_id),
            col(Bill.id),
            *by,
        )
        .select_from(Allocation)
        .join(Bill, col(Bill.id) == col(Allocation.bill_id))
        .join(Item, col(Item.id) == col(Bill.item_id))
        .where(col(Allocation.receipt_id) == receipt.id)
    )
    return select(union_all(money, bills).subquery())


def _sides(amount: Expression) -> tuple[Expression, Expression]:
    """A positive amount stands in the debit, a negative one in the credit."""
    return func.greatest(amount, ZERO).label("debit"), func.greatest(-amount, ZERO).label("credit")
