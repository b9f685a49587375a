"""Deposits: taken by a receipt, returned, deducted with evidence, or made to pay bills.

A deposit is never income while it is held. Lock order: deposits in id order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound
from cloud.modules.receiving.models import (
    Deposit,
    DepositItem,
    DepositMove,
    DepositState,
    MethodKind,
    MoveKind,
    Payout,
    Receipt,
)
from cloud.modules.receiving.service.prepaid import Owner
from cloud.modules.receiving.service.tender import Paid


class DepositTooLow(Conflict):
    message = "Only {balance} of this deposit is still held. Lower the amount."


class DepositOfAnotherRoom(Conflict):
    message = "This deposit belongs to another room, payer or legal entity. It cannot pay here."


class DepositMoved(Conflict):
    message = "Part of this deposit was returned or used. It can no longer be reversed."


class DepositItemDisabled(Conflict):
    message = "“{item}” is no longer taken. Choose another kind of deposit."


@dataclass(frozen=True)
class DepositWanted:
    """A deposit to take; `terms` say when it goes back."""

    item_id: UUID
    amount: Decimal
    release_on: date | None = None
    terms: str = ""


async def items_of(ctx: Ctx, wanted: Sequence[DepositWanted]) -> list[DepositItem]:
    """The kinds of the deposits that are wanted. Raises NotFound and DepositItemDisabled."""
    items = []
    for place, one in enumerate(wanted):
        item = await ctx.find(DepositItem, one.item_id)
        where = f"deposits.{place}.item_id"
        if item is None:
            raise NotFound(fields=(FieldError(where, "not-found"),))
        if not item.is_active:
            params = {"item": item.name}
            raise DepositItemDisabled(
                fields=(FieldError(where, "deposit-item-disabled", params),), **params
            )
        items.append(item)
    return items


async def take(
    ctx: Ctx, owner: Owner, wanted: DepositWanted, *, receipt: Receipt, item: DepositItem
) -> None:
    deposit = Deposit(
        **ctx.stamp(owner.site_id),
        item_id=item.id,
        receipt_id=receipt.id,
        room_id=owner.room_id,
        party_id=owner.party_id,
        party_name=receipt.payer_name,
        legal_entity_id=owner.legal_entity_id,
        business_on=ctx.business_on,
        release_on=wanted.release_on,
        terms=wanted.terms,
        amount=wanted.amount,
        balance=Decimal("0.00"),
        state=DepositState.held,
    )
    ctx.session.add(deposit)
    await ctx.session.flush()  # its first move points at it
    move(ctx, deposit, MoveKind.received, wanted.amount, receipt=receipt)


async def lock_used(ctx: Ctx, owner: Owner, paid: Sequence[Paid]) -> dict[UUID, Deposit]:
    """The deposits that pay, locked. Raises NotFound, DepositOfAnotherRoom, DepositTooLow."""
    wanted = {one.deposit_id: one.amount for one in paid if one.kind is MethodKind.deposit}
    deposits = {deposit.id: deposit for deposit in await _locked(ctx, [*wanted])}
    for place, one in enumerate(paid):
        if one.deposit_id is None:
            continue
        where = f"lines.{place}.deposit_id"
        deposit = deposits.get(one.deposit_id)
        if deposit is None:
            raise NotFound(fields=(FieldError(where, "not-found"),))
        if (deposit.room_id, deposit.party_id, deposit.legal_entity_id) != (
            owner.room_id,
            owner.party_id,
            owner.legal_entity_id,
        ):
            raise DepositOfAnotherRoom(fields=(FieldError(where, "deposit-of-another-room"),))
        if one.amount > deposit.balance:
            params = {"balance": deposit.balance}
            raise DepositTooLow(
                fields=(FieldError(f"lines.{place}.amount", "deposit-too-low", params),), **params
            )
    return deposits


def spend(ctx: Ctx, deposit: Deposit, paid: Paid, *, receipt: Receipt) -> None:
    move(ctx, deposit, MoveKind.used, -paid.amount, receipt=receipt, reason=paid.note)


async def take_back(ctx: Ctx, original: Receipt) -> list[tuple[Deposit, DepositMove]]:
    """The moves of a receipt that is reversed, with their locked deposits. Raises DepositMoved."""
    found = await ctx.session.execute(
        select(DepositMove)
        .where(col(DepositMove.receipt_id) == original.id)
        .order_by(col(DepositMove.id))
    )
    moves = list(found.scalars())
    deposits = {
        deposit.id: deposit for deposit in await _locked(ctx, [one.deposit_id for one in moves])
    }
    for one in moves:
        deposit = deposits[one.deposit_id]
        if one.kind == MoveKind.received and deposit.balance != deposit.amount:
            raise DepositMoved
    return [(deposits[one.deposit_id], one) for one in moves]


def mirror(ctx: Ctx, moves: Sequence[tuple[Deposit, DepositMove]], *, reversal: Receipt) -> None:
    for deposit, one in moves:
        kind = MoveKind.reversed if one.amount > 0 else MoveKind.restored
        move(ctx, deposit, kind, -one.amount, receipt=reversal, reason=reversal.reason)


def move(
    ctx: Ctx,
    deposit: Deposit,
    kind: MoveKind,
    amount: Decimal,
    *,
    receipt: Receipt | None = None,
    payout: Payout | None = None,
    reason: str = "",
) -> DepositMove:
    """Change what is held; `deposit` is locked or new."""
    deposit.balance += amount
    deposit.version += 1
    deposit.state = _state(deposit, kind)
    made = DepositMove(
        **ctx.stamp(deposit.org_id),
        deposit_id=deposit.id,
        kind=kind,
        amount=amount,
        balance=deposit.balance,
        business_on=ctx.business_on,
        receipt_id=receipt.id if receipt else None,
        payout_id=payout.id if payout else None,
        reason=reason,
    )
    ctx.session.add(made)
    return made


def _state(deposit: Deposit, kind: MoveKind) -> DepositState:
    if kind is MoveKind.reversed:
        return DepositState.reversed
    if deposit.balance == 0:
        return DepositState.returned
    return DepositState.held if deposit.balance == deposit.amount else DepositState.partly


async def _locked(ctx: Ctx, deposit_ids: Sequence[UUID | None]) -> list[Deposit]:
    if not deposit_ids:
        return []
    found = await ctx.session.execute(
        select(Deposit)
        .where(col(Deposit.id).in_(deposit_ids))
        .order_by(col(Deposit.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(found.scalars())
