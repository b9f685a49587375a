"""Taking receipts at the counter and reversing them.

Lock order: the receipt that is reversed (by advisory lock: nobody may change its row), the bills'
settlements, the prepaid accounts and the deposits, each in id order, the cashier's shift, the month
of the community, the number series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Unprocessable
from cloud.kernel.money import ZERO
from cloud.kernel.numbering import next_number
from cloud.modules.charging import queries as charging_queries
from cloud.modules.charging import service as charging
from cloud.modules.charging.service import Payment, SettledBill
from cloud.modules.customers.models import Party
from cloud.modules.ledger import service as ledger
from cloud.modules.ledger.rules import Occasion
from cloud.modules.receiving.models import (
    Allocation,
    Deposit,
    DepositItem,
    MethodKind,
    MethodLine,
    MoveKind,
    PrepaidAccount,
    Receipt,
)
from cloud.modules.receiving.queries.counter import PayerAndEntity, payer_and_entity
from cloud.modules.receiving.rules import Owed, allocate
from cloud.modules.receiving.service import booking, deposits, prepaid, shifts, tender
from cloud.modules.receiving.service.deposits import DepositWanted
from cloud.modules.receiving.service.prepaid import Owner, Prepayment
from cloud.modules.receiving.service.tender import Paid, Tender
from cloud.modules.resources import queries as resources

SERIES = "SK"


class NothingToPay(Unprocessable):
    message = "Choose at least one bill, or enter an amount, not both."


class BillTwice(Unprocessable):
    message = "A bill is named twice. Enter each bill once."


class AmountNotPositive(Unprocessable):
    message = "An amount must be more than 0."


class AmountAboveDebt(Conflict):
    message = "The room owes {open} only. Lower the amount, or agree to keep the rest as prepaid."


class BillOfAnotherRoom(Conflict):
    message = "Bill {number} belongs to another room. Open that room to receive it."


class LegalEntitiesMixed(Conflict):
    message = "The bills belong to different legal entities. Take one receipt for each of them."


class PayerUnknown(Conflict):
    message = "Nobody pays for this room. Enter its owner before taking money ahead."


class LegalEntityUnclear(Conflict):
    message = "It is not clear which legal entity the money is for. Choose the charge item it pays."


class ReceiptAlreadyReversed(Conflict):
    message = "Receipt {number} was already reversed by {by}."


class ReceiptIsReversal(Conflict):
    message = "{number} is itself a reversal. Receive the amount again instead."


@dataclass(frozen=True)
class _Purpose:
    """What a receipt is for: bills, a prepayment, deposits."""

    payments: Sequence[Payment]
    ahead: Prepayment | None
    deposits: Sequence[DepositWanted]

    @property
    def bills(self) -> Decimal:
        return sum((payment.amount for payment in self.payments), ZERO)

    @property
    def total(self) -> Decimal:
        ahead = self.ahead.amount if self.ahead else ZERO
        return self.bills + ahead + sum((one.amount for one in self.deposits), ZERO)


async def take_receipt(
    ctx: Ctx,
    *,
    room_id: UUID,
    method: str | None = None,
    lines: Sequence[Tender] = (),
    payments: Sequence[Payment] = (),
    amount: Decimal | None = None,
    ahead: Prepayment | None = None,
    keep_rest: bool = False,
    deposits_wanted: Sequence[DepositWanted] = (),
    tendered: Decimal | None = None,
) -> Receipt:
    """Book money of one room, all or none, on today's business date.

    It pays bills (designated by `payments`, or an `amount` that goes to the oldest first and whose
    rest, with consent, is kept as prepaid), a prepayment, and deposits; it comes by one `method` or
    by several `lines`. Raises NotFound for what is out of scope, the refusals of
    charging.apply_payments, tender, prepaid and deposits, PeriodClosed, and those above.
    """
    room = await resources.get_room(ctx, room_id)
    purpose = await _purpose(
        ctx, room_id, payments, amount, ahead, keep_rest=keep_rest, taken=deposits_wanted
    )
    paid = await tender.resolve(ctx, method=method, lines=lines, total=purpose.total)
    change = tender.change_of(paid, tendered)
    tender.check_offsets(paid, purpose.bills)
    items = await deposits.items_of(ctx, purpose.deposits)
    settled = await charging.apply_payments(ctx, purpose.payments)
    _check_bills(room_id, settled)
    payer, entity_id = await _owner(ctx, room.id, room.site_id, settled, purpose, items)
    owner = Owner(room.site_id, room.id, payer.id, entity_id)
    spent = await _spent(ctx, owner, paid, settled)
    shift = await shifts.current_shift(ctx, room.site_id)
    receipt = Receipt(
        **ctx.stamp(room.site_id),
        number=await _number(ctx, room.site_id),
        business_on=ctx.business_on,
        room_id=room.id,
        payer_id=payer.id,
        payer_name=payer.name,
        legal_entity_id=entity_id,
        method=tender.code_of(paid),
        amount=purpose.total,
        tendered=tendered,
        change=change,
        shift_id=shift.id,
    )
    parts = [_line(ctx, receipt, place, one) for place, one in enumerate(paid, start=1)]
    await _write(ctx, receipt, settled, parts)
    await _move_held(ctx, receipt, owner, purpose, paid, spent=spent, items=items)
    await booking.post_receipt(
        ctx,
        receipt,
        settled,
        parts,
        summary=Occasion.receipt.about(receipt.number),
        cashier_id=ctx.principal.id,
        ahead=purpose.ahead.amount if purpose.ahead else ZERO,
        held=sum((one.amount for one in purpose.deposits), ZERO),
    )
    return receipt


async def reverse_receipt(ctx: Ctx, *, receipt_id: UUID, reason: str) -> Receipt:
    """The linked opposite of a receipt (冲红), dated today: bills, prepayments and deposits are as
    before it.

    Raises NotFound, ReceiptIsReversal, ReceiptAlreadyReversed, PrepaidSpent, DepositMoved and
    PeriodClosed.
    """
    await ctx.take(f"receipt:{receipt_id}")
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
    owner = Owner(original.org_id, original.room_id, original.payer_id, original.legal_entity_id)
    prepaid_moves = await prepaid.take_back(ctx, owner, original)
    deposit_moves = await deposits.take_back(ctx, original)
    shift = await shifts.current_shift(ctx, original.org_id)
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
        shift_id=shift.id,
    )
    parts = await _opposite_lines(ctx, original, reversal)
    await _write(ctx, reversal, settled, parts)
    prepaid.mirror(ctx, prepaid_moves, reversal=reversal)
    deposits.mirror(ctx, deposit_moves, reversal=reversal)
    received = MoveKind.received
    await booking.post_receipt(
        ctx,
        reversal,
        settled,
        parts,
        summary=Occasion.reversal.about(original.number),
        cashier_id=original.created_by,
        ahead=-sum((move.amount for _, move in prepaid_moves if move.kind == received), ZERO),
        held=-sum((move.amount for _, move in deposit_moves if move.kind == received), ZERO),
    )
    return reversal


async def _purpose(
    ctx: Ctx,
    room_id: UUID,
    payments: Sequence[Payment],
    amount: Decimal | None,
    ahead: Prepayment | None,
    *,
    keep_rest: bool,
    taken: Sequence[DepositWanted],
) -> _Purpose:
    if payments and amount is not None:
        raise NothingToPay(fields=(FieldError("allocations", "nothing-to-pay"),))
    if not payments and amount is None and ahead is None and not taken:
        raise NothingToPay(fields=(FieldError("allocations", "nothing-to-pay"),))
    _check_amounts(payments, amount, ahead, taken)
    if amount is not None:
        payments, rest = await _by_default_order(ctx, room_id, amount)
        if rest and (not keep_rest or ahead is not None):
            raise AmountAboveDebt(
                open=amount - rest, fields=(FieldError("amount", "amount-above-debt"),)
            )
        if rest:
            ahead = Prepayment(rest)
    return _Purpose(payments, ahead, taken)


def _check_amounts(
    payments: Sequence[Payment],
    amount: Decimal | None,
    ahead: Prepayment | None,
    taken: Sequence[DepositWanted],
) -> None:
    given = [(f"allocations.{place}.amount", one.amount) for place, one in enumerate(payments)]
    given += [(f"deposits.{place}.amount", one.amount) for place, one in enumerate(taken)]
    given += [("amount", amount)] if amount is not None else []
    given += [("prepay.amount", ahead.amount)] if ahead is not None else []
    wrong = tuple(FieldError(where, "amount-not-positive") for where, value in given if value <= 0)
    if wrong:
        raise AmountNotPositive(fields=wrong)
    if len({payment.bill_id for payment in payments}) < len(payments):
        raise BillTwice(fields=(FieldError("allocations", "bill-twice"),))


async def _by_default_order(
    ctx: Ctx, room_id: UUID, amount: Decimal
) -> tuple[list[Payment], Decimal]:
    """The versions go along: a bill that is paid meanwhile is refused, not paid twice."""
    bills = await charging_queries.open_bills_of_room(ctx, room_id)
    versions = {bill.id: bill.version for bill in bills}
    parts, left = allocate(
        amount, [Owed(bill.id, bill.open, bill.due_on, bill.priority) for bill in bills]
    )
    return [Payment(part.bill_id, part.amount, versions[part.bill_id]) for part in parts], left


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


@dataclass(frozen=True)
class _Spent:
    """What we hold already and a receipt uses, locked."""

    accounts: list[tuple[PrepaidAccount, Decimal]]
    deposits: dict[UUID, Deposit]


async def _spent(
    ctx: Ctx, owner: Owner, paid: Sequence[Paid], settled: Sequence[SettledBill]
) -> _Spent:
    from_prepaid = sum((one.amount for one in paid if one.kind is MethodKind.prepaid), ZERO)
    accounts = await prepaid.plan_use(ctx, owner, from_prepaid, settled) if from_prepaid else []
    return _Spent(accounts, await deposits.lock_used(ctx, owner, paid))


async def _owner(
    ctx: Ctx,
    room_id: UUID,
    site_id: UUID,
    settled: Sequence[SettledBill],
    purpose: _Purpose,
    items: Sequence[DepositItem],
) -> tuple[Party, UUID]:
    """Who pays, and whose money it is: the bills say both; else the room's payer of today.

    Raises PayerUnknown, LegalEntityUnclear and LegalEntitiesMixed.
    """
    entities = {bill.legal_entity_id for bill in settled} | {one.legal_entity_id for one in items}
    item_id = purpose.ahead.item_id if purpose.ahead else None
    if settled and item_id is None:
        known = PayerAndEntity(settled[0].payer_id, settled[0].legal_entity_id)
    else:
        known = await payer_and_entity(ctx, room_id=room_id, site_id=site_id, item_id=item_id)
    if item_id is not None or not entities:
        if known.legal_entity_id is None:
            raise LegalEntityUnclear(fields=(FieldError("prepay.item_id", "legal-entity-unclear"),))
        entities.add(known.legal_entity_id)
    if len(entities) > 1:
        raise LegalEntitiesMixed(fields=(FieldError("allocations", "legal-entities-mixed"),))
    payer_id = settled[0].payer_id if settled else known.payer_id
    if payer_id is None:
        raise PayerUnknown
    return await ctx.get(Party, payer_id), entities.pop()


def _line(ctx: Ctx, receipt: Receipt, place: int, one: Paid) -> MethodLine:
    return MethodLine(
        **ctx.stamp(receipt.org_id),
        receipt_id=receipt.id,
        place=place,
        method_id=one.method.id,
        code=one.method.code,
        kind=one.kind,
        account_id=one.method.account_id,
        amount=one.amount,
        deposit_id=one.deposit_id,
    )


async def _opposite_lines(ctx: Ctx, original: Receipt, reversal: Receipt) -> list[MethodLine]:
    found = await ctx.session.execute(
        select(MethodLine)
        .where(col(MethodLine.receipt_id) == original.id)
        .order_by(col(MethodLine.place))
    )
    return [
        MethodLine(
            **ctx.stamp(reversal.org_id),
            receipt_id=reversal.id,
            place=line.place,
            method_id=line.method_id,
            code=line.code,
            kind=line.kind,
            account_id=line.account_id,
            amount=-line.amount,
            deposit_id=line.deposit_id,
        )
        for line in found.scalars()
    ]


async def _move_held(
    ctx: Ctx,
    receipt: Receipt,
    owner: Owner,
    purpose: _Purpose,
    paid: Sequence[Paid],
    *,
    spent: _Spent,
    items: Sequence[DepositItem],
) -> None:
    """Use what pays, then keep what is paid ahead and the deposits."""
    prepaid.use(ctx, spent.accounts, receipt=receipt)
    for one in paid:
        if one.deposit_id is not None:
            deposits.spend(ctx, spent.deposits[one.deposit_id], one, receipt=receipt)
    if purpose.ahead is not None:
        await prepaid.add(ctx, owner, purpose.ahead, receipt=receipt)
    for wanted, item in zip(purpose.deposits, items, strict=True):
        await deposits.take(ctx, owner, wanted, receipt=receipt, item=item)


async def _write(
    ctx: Ctx,
    receipt: Receipt,
    settled: Sequence[SettledBill],
    lines: Sequence[MethodLine],
) -> None:
    ctx.session.add(receipt)
    await ctx.session.flush()  # its parts point at it
    stamp = ctx.stamp(receipt.org_id)
    ctx.session.add_all(lines)
    ctx.session.add_all(
        Allocation(**stamp, receipt_id=receipt.id, bill_id=bill.bill_id, amount=bill.amount)
        for bill in settled
    )


async def _number(ctx: Ctx, site_id: UUID) -> str:
    # The month first: who holds a number must not wait for a month that is being closed.
    await ledger.check_open(ctx, site_id=site_id, business_on=ctx.business_on)
    return await next_number(ctx, org_id=site_id, series=SERIES)
