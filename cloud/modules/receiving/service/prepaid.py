"""Prepaid accounts: what a party paid ahead for a room, what of it paid bills, what went back.

Lock order: the accounts of one party and room, in id order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.kernel.errors import Conflict, FieldError
from cloud.kernel.money import ZERO
from cloud.modules.charging.service import SettledBill
from cloud.modules.receiving.models import MoveKind, Payout, PrepaidAccount, PrepaidMove, Receipt


class PrepaidTooLow(Conflict):
    message = "Only {balance} of the prepayments can pay these bills. Lower the amount."


class PrepaidSpent(Conflict):
    message = "{balance} of this prepayment is left, the rest is spent. Reverse what it paid first."


class RefundAboveBalance(Conflict):
    message = "Only {balance} is left to refund. Lower the amount."


@dataclass(frozen=True)
class Prepayment:
    """An amount paid ahead; for one item only when `item_id` says so."""

    amount: Decimal
    item_id: UUID | None = None


@dataclass(frozen=True)
class Owner:
    """Whose accounts: never across legal entities, rooms or parties."""

    site_id: UUID
    room_id: UUID
    party_id: UUID
    legal_entity_id: UUID


async def add(ctx: Ctx, owner: Owner, paid: Prepayment, *, receipt: Receipt) -> None:
    await ctx.session.execute(
        insert(PrepaidAccount)
        .values(
            **ctx.stamp(owner.site_id),
            id=uuid7(),
            version=1,
            room_id=owner.room_id,
            party_id=owner.party_id,
            legal_entity_id=owner.legal_entity_id,
            item_id=paid.item_id,
            balance=ZERO,
        )
        .on_conflict_do_nothing()
    )
    accounts = await _locked(ctx, owner)
    account = next(one for one in accounts if one.item_id == paid.item_id)
    _move(ctx, account, MoveKind.received, paid.amount, receipt=receipt)


async def plan_use(
    ctx: Ctx, owner: Owner, amount: Decimal, bills: Sequence[SettledBill]
) -> list[tuple[PrepaidAccount, Decimal]]:
    """Which accounts give `amount` towards `bills`: those kept for an item first. Locks them.

    Raises PrepaidTooLow.
    """
    needed: dict[UUID, Decimal] = {}
    for bill in bills:
        needed[bill.item_id] = needed.get(bill.item_id, ZERO) + bill.amount
    accounts = await _locked(ctx, owner)
    left = amount
    taken: list[tuple[PrepaidAccount, Decimal]] = []
    for account in sorted(accounts, key=lambda one: one.item_id is None):
        usable = account.balance
        if account.item_id is not None:
            usable = min(usable, needed.get(account.item_id, ZERO))
        part = min(left, usable)
        if part > 0:
            taken.append((account, part))
            left -= part
    if left > 0:
        params = {"balance": amount - left}
        raise PrepaidTooLow(fields=(FieldError("lines", "prepaid-too-low", params),), **params)
    return taken


def use(ctx: Ctx, taken: Sequence[tuple[PrepaidAccount, Decimal]], *, receipt: Receipt) -> None:
    for account, part in taken:
        _move(ctx, account, MoveKind.used, -part, receipt=receipt)


async def take_back(
    ctx: Ctx, owner: Owner, original: Receipt
) -> list[tuple[PrepaidAccount, PrepaidMove]]:
    """The moves of a receipt that is reversed, with their locked accounts.

    Raises PrepaidSpent when what it paid in is no longer there.
    """
    accounts = {account.id: account for account in await _locked(ctx, owner)}
    found = await ctx.session.execute(
        select(PrepaidMove)
        .where(col(PrepaidMove.receipt_id) == original.id)
        .order_by(col(PrepaidMove.id))
    )
    moves = [(accounts[move.account_id], move) for move in found.scalars()]
    for account, move in moves:
        if account.balance < move.amount:
            raise PrepaidSpent(balance=account.balance)
    return moves


def mirror(
    ctx: Ctx, moves: Sequence[tuple[PrepaidAccount, PrepaidMove]], *, reversal: Receipt
) -> None:
    for account, move in moves:
        kind = MoveKind.reversed if move.amount > 0 else MoveKind.restored
        _move(ctx, account, kind, -move.amount, receipt=reversal)


def refund(ctx: Ctx, account: PrepaidAccount, *, payout: Payout) -> None:
    """`account` is locked. Raises RefundAboveBalance."""
    refuse_above(payout.amount, account.balance)
    _move(ctx, account, MoveKind.refunded, -payout.amount, payout=payout)


def refuse_above(amount: Decimal, balance: Decimal) -> None:
    if amount > balance:
        params = {"balance": balance}
        raise RefundAboveBalance(
            fields=(FieldError("amount", "refund-above-balance", params),), **params
        )


def _move(
    ctx: Ctx,
    account: PrepaidAccount,
    kind: MoveKind,
    amount: Decimal,
    *,
    receipt: Receipt | None = None,
    payout: Payout | None = None,
) -> None:
    account.balance += amount
    account.version += 1
    ctx.session.add(
        PrepaidMove(
            **ctx.stamp(account.org_id),
            account_id=account.id,
            kind=kind,
            amount=amount,
            balance=account.balance,
            business_on=ctx.business_on,
            receipt_id=receipt.id if receipt else None,
            payout_id=payout.id if payout else None,
        )
    )


async def _locked(ctx: Ctx, owner: Owner) -> list[PrepaidAccount]:
    found = await ctx.session.execute(
        select(PrepaidAccount)
        .where(
            col(PrepaidAccount.org_id) == owner.site_id,
            col(PrepaidAccount.room_id) == owner.room_id,
            col(PrepaidAccount.party_id) == owner.party_id,
            col(PrepaidAccount.legal_entity_id) == owner.legal_entity_id,
        )
        .order_by(col(PrepaidAccount.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(found.scalars())
