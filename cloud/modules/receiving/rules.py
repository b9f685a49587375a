"""How an amount is spread over bills, where it is booked, and what its values are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from cloud.kernel.money import ZERO, split_money
from cloud.kernel.ui.language import Tone
from cloud.modules.receiving.models import (
    DepositState,
    MethodKind,
    MoveKind,
    PayoutKind,
    ReceiptState,
)
from cloud.modules.resources.models import RoomState
from cloud.modules.resources.rules import UNDELIVERED

METHOD_KIND_LABELS: dict[MethodKind, tuple[str, Tone]] = {
    MethodKind.cash: ("Cash", Tone.mute),
    MethodKind.card: ("Card terminal", Tone.mute),
    MethodKind.channel: ("Payment channel", Tone.mute),
    MethodKind.transfer: ("Bank transfer", Tone.mute),
    MethodKind.other: ("Other way", Tone.mute),
    MethodKind.prepaid: ("Out of prepaid", Tone.mute),
    MethodKind.deposit: ("Out of a deposit", Tone.mute),
}

DEPOSIT_LABELS: dict[DepositState, tuple[str, Tone]] = {
    DepositState.held: ("Held", Tone.info),
    DepositState.partly: ("Partly returned", Tone.warn),
    DepositState.returned: ("Returned", Tone.ok),
    DepositState.reversed: ("Reversed", Tone.mute),
}

MOVE_LABELS: dict[MoveKind, tuple[str, Tone]] = {
    MoveKind.received: ("Received", Tone.mute),
    MoveKind.used: ("Paid bills", Tone.mute),
    MoveKind.refunded: ("Refunded", Tone.mute),
    MoveKind.deducted: ("Deducted", Tone.mute),
    MoveKind.reversed: ("Reversed", Tone.mute),
    MoveKind.restored: ("Restored", Tone.mute),
}

PAYOUT_LABELS: dict[PayoutKind, tuple[str, Tone]] = {
    PayoutKind.prepaid: ("Prepaid", Tone.mute),
    PayoutKind.deposit: ("Deposit", Tone.mute),
}

STATE_LABELS: dict[ReceiptState, tuple[str, Tone]] = {
    ReceiptState.received: ("Received", Tone.ok),
    ReceiptState.reversed: ("Reversed", Tone.mute),
    ReceiptState.reversal: ("Reversal", Tone.bad),
}


class LineKind(StrEnum):
    """What a line of a statement comes from."""

    bill = "bill"
    receipt = "receipt"
    reversal = "reversal"
    refund = "refund"
    deduction = "deduction"


LINE_LABELS: dict[LineKind, tuple[str, Tone]] = {
    LineKind.bill: ("Bill", Tone.mute),
    LineKind.receipt: ("Receipt", Tone.mute),
    LineKind.reversal: ("Reversal", Tone.mute),
    LineKind.refund: ("Refund", Tone.mute),
    LineKind.deduction: ("Deduction", Tone.mute),
}


@dataclass(frozen=True)
class Owed:
    """What is left to pay of a bill. A lower `priority` is paid first."""

    bill_id: UUID
    open: Decimal
    due_on: date
    priority: int


@dataclass(frozen=True)
class Part:
    """What a bill gets."""

    bill_id: UUID
    amount: Decimal


def allocate(amount: Decimal, bills: Sequence[Owed]) -> tuple[list[Part], Decimal]:
    """Spread `amount` when the payer names no bills; answers the parts and what is left over.

    Oldest due date first, then the item's priority; bills alike in both share what is left in
    proportion to what they owe, with the largest remainder (spec domain 6.16). Parts are > 0.
    """
    left = amount
    parts: list[Part] = []
    ordered = sorted(bills, key=lambda bill: (bill.due_on, bill.priority, bill.bill_id))
    for _, alike in groupby(ordered, key=lambda bill: (bill.due_on, bill.priority)):
        group = list(alike)
        owed = [bill.open for bill in group]
        shares = owed if left >= sum(owed) else split_money(left, owed)
        parts += [
            Part(bill.bill_id, share)
            for bill, share in zip(group, shares, strict=True)
            if share > 0
        ]
        left -= sum(shares, ZERO)
        if left == 0:
            break
    return parts, left


class CellLook(StrEnum):
    """What a cell of the room grid shows first: arrears by their age, else the room's state."""

    over_12 = "over_12"
    over_3 = "over_3"
    overdue = "overdue"
    closed = "closed"
    undelivered = "undelivered"
    decorating = "decorating"
    vacant = "vacant"
    usual = "usual"


YEAR = 12
QUARTER = 3


def months_overdue(due_on: date | None, today: date) -> int:
    """Months begun since a bill fell due; none before that, one from the day after it on."""
    if due_on is None or due_on >= today:
        return 0
    whole = (today.year - due_on.year) * YEAR + today.month - due_on.month
    return whole + (1 if today.day > due_on.day else 0)


def look_of(state: RoomState, months: int) -> CellLook:
    if months:
        if months > YEAR:
            return CellLook.over_12
        return CellLook.over_3 if months > QUARTER else CellLook.overdue
    if state is RoomState.closed:
        return CellLook.closed
    if state in UNDELIVERED:
        return CellLook.undelivered
    if state is RoomState.decorating:
        return CellLook.decorating
    return CellLook.vacant if state is RoomState.vacant else CellLook.usual
