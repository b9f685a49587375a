"""Reads of what we hold for others: prepaid accounts, deposits, and what was handed back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlmodel import col

from cloud.kernel.choices import Choices, fetch_choices
from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import (
    Expression,
    Listing,
    Sorting,
    Statement,
    contains,
    count,
    fetch_page,
)
from cloud.kernel.money import ZERO
from cloud.modules.accounts.models import User
from cloud.modules.charging.models import Item
from cloud.modules.customers.models import Party
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import LegalEntity, Unit
from cloud.modules.receiving.models import (
    Deposit,
    DepositItem,
    DepositMove,
    DepositState,
    Payout,
    PayoutKind,
    PrepaidAccount,
    PrepaidMove,
    Receipt,
)
from cloud.modules.receiving.queries.methods import named
from cloud.modules.receiving.schemas import (
    ActiveState,
    DepositDetail,
    DepositItemRead,
    DepositRead,
    HeldState,
    MoveLine,
    PayoutRead,
    PrepaidDetail,
    PrepaidRead,
)
from cloud.modules.resources.models import Space

MOVES_MAX = 200


def _accounts(ctx: Ctx) -> Statement:
    return (
        select(
            col(PrepaidAccount.id).label("id"),
            col(PrepaidAccount.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(PrepaidAccount.room_id).label("room_id"),
            col(Space.full_name).label("room_name"),
            col(Party.name).label("party_name"),
            func.coalesce(col(Item.name), ctx.say("Any charge")).label("item_name"),
            col(LegalEntity.name).label("legal_entity_name"),
            col(PrepaidAccount.balance).label("balance"),
            _held().label("state"),
        )
        .select_from(PrepaidAccount)
        .join(Unit, col(Unit.id) == col(PrepaidAccount.org_id))
        .join(Space, col(Space.id) == col(PrepaidAccount.room_id))
        .join(Party, col(Party.id) == col(PrepaidAccount.party_id))
        .join(LegalEntity, col(LegalEntity.id) == col(PrepaidAccount.legal_entity_id))
        .outerjoin(Item, col(Item.id) == col(PrepaidAccount.item_id))
    )


def _held() -> Expression:
    return case(
        (col(PrepaidAccount.balance) > ZERO, HeldState.held.value), else_=HeldState.empty.value
    )


async def list_prepaid(ctx: Ctx, listing: Listing, *, state: HeldState | None) -> dict[str, Any]:
    statement = _accounts(ctx)
    statement = await organization.within(
        ctx, statement, col(PrepaidAccount.org_id), listing.site_id
    )
    views = {
        "all": await count(ctx, statement),
        "held": await count(ctx, statement.where(col(PrepaidAccount.balance) > ZERO)),
    }
    if state is not None:
        statement = statement.where(_held() == state.value)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(
                col(Party.name).like(wanted),
                col(Space.full_name).like(wanted),
                col(Space.path).like(wanted),
            )
        )
    sorting = Sorting(
        by={"balance": col(PrepaidAccount.balance), "room_name": col(Space.sort_key)},
        default="-balance",
        tie=col(PrepaidAccount.id),
    )
    return await fetch_page(
        ctx,
        statement,
        listing,
        sorting=sorting,
        sums={"balance": col(PrepaidAccount.balance)},
        views=views,
        row=PrepaidRead,
    )


async def read_prepaid(ctx: Ctx, account_id: UUID) -> PrepaidDetail:
    """One account with its last moves. Raises NotFound."""
    found = await ctx.session.execute(_accounts(ctx).where(col(PrepaidAccount.id) == account_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound
    moves = await ctx.session.execute(
        select(
            col(PrepaidMove.business_on),
            col(PrepaidMove.kind),
            func.coalesce(col(Receipt.number), col(Payout.number)).label("number"),
            col(PrepaidMove.amount),
            col(PrepaidMove.balance),
            func.coalesce(col(Receipt.reason), col(Payout.reason)).label("reason"),
            func.coalesce(col(User.name), "").label("by"),
        )
        .select_from(PrepaidMove)
        .outerjoin(Receipt, col(Receipt.id) == col(PrepaidMove.receipt_id))
        .outerjoin(Payout, col(Payout.id) == col(PrepaidMove.payout_id))
        .outerjoin(User, col(User.id) == col(PrepaidMove.created_by))
        .where(col(PrepaidMove.account_id) == account_id)
        .order_by(col(PrepaidMove.id).desc())
        .limit(MOVES_MAX)
    )
    return PrepaidDetail(**row, moves=[MoveLine(**one) for one in moves.mappings()])


def _deposits() -> Statement:
    return (
        select(
            col(Deposit.id).label("id"),
            col(Deposit.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            col(Deposit.room_id).label("room_id"),
            col(Space.full_name).label("room_name"),
            col(Deposit.party_name).label("party_name"),
            col(DepositItem.name).label("item_name"),
            col(Receipt.number).label("receipt_number"),
            col(Deposit.business_on).label("business_on"),
            col(Deposit.release_on).label("release_on"),
            col(Deposit.terms).label("terms"),
            col(Deposit.amount).label("amount"),
            col(Deposit.balance).label("balance"),
            col(Deposit.state).label("state"),
        )
        .select_from(Deposit)
        .join(Unit, col(Unit.id) == col(Deposit.org_id))
        .join(Space, col(Space.id) == col(Deposit.room_id))
        .join(DepositItem, col(DepositItem.id) == col(Deposit.item_id))
        .join(Receipt, col(Receipt.id) == col(Deposit.receipt_id))
    )


async def list_deposits(
    ctx: Ctx, listing: Listing, *, state: DepositState | None, item_id: UUID | None
) -> dict[str, Any]:
    """The deposit ledger (押金台账)."""
    statement = _deposits()
    statement = await organization.within(ctx, statement, col(Deposit.org_id), listing.site_id)
    views = {
        one.value: await count(ctx, statement.where(col(Deposit.state) == one))
        for one in (DepositState.held, DepositState.partly)
    }
    views["all"] = await count(ctx, statement)
    if state is not None:
        statement = statement.where(col(Deposit.state) == state)
    if item_id is not None:
        statement = statement.where(col(Deposit.item_id) == item_id)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(
                col(Deposit.party_name).like(wanted),
                col(Space.full_name).like(wanted),
                col(Space.path).like(wanted),
                col(Receipt.number).like(wanted),
            )
        )
    sorting = Sorting(
        by={
            "business_on": col(Deposit.business_on),
            "release_on": col(Deposit.release_on),
            "balance": col(Deposit.balance),
        },
        default="-business_on",
        tie=col(Deposit.id).desc(),
    )
    return await fetch_page(
        ctx,
        statement,
        listing,
        sorting=sorting,
        sums={"amount": col(Deposit.amount), "balance": col(Deposit.balance)},
        views=views,
        row=DepositRead,
    )


async def read_deposit(ctx: Ctx, deposit_id: UUID) -> DepositDetail:
    """One deposit with all that moved it. Raises NotFound."""
    found = await ctx.session.execute(_deposits().where(col(Deposit.id) == deposit_id))
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound
    moves = await ctx.session.execute(
        select(
            col(DepositMove.business_on),
            col(DepositMove.kind),
            func.coalesce(col(Receipt.number), col(Payout.number), "").label("number"),
            col(DepositMove.amount),
            col(DepositMove.balance),
            col(DepositMove.reason),
            func.coalesce(col(User.name), "").label("by"),
        )
        .select_from(DepositMove)
        .outerjoin(Receipt, col(Receipt.id) == col(DepositMove.receipt_id))
        .outerjoin(Payout, col(Payout.id) == col(DepositMove.payout_id))
        .outerjoin(User, col(User.id) == col(DepositMove.created_by))
        .where(col(DepositMove.deposit_id) == deposit_id)
        .order_by(col(DepositMove.id).desc())
        .limit(MOVES_MAX)
    )
    return DepositDetail(**row, moves=[MoveLine(**one) for one in moves.mappings()])


async def list_payouts(ctx: Ctx, listing: Listing, *, kind: PayoutKind | None) -> dict[str, Any]:
    """Money handed back."""
    statement: Statement = (
        select(
            col(Payout.id).label("id"),
            col(Payout.number).label("number"),
            col(Unit.name).label("site_name"),
            col(Space.full_name).label("room_name"),
            col(Payout.party_name).label("party_name"),
            col(Payout.kind).label("kind"),
            named(ctx, col(Payout.method)).label("method_name"),
            col(Payout.amount).label("amount"),
            col(Payout.reason).label("reason"),
            col(Payout.business_on).label("business_on"),
            func.coalesce(col(User.name), "").label("cashier_name"),
        )
        .select_from(Payout)
        .join(Unit, col(Unit.id) == col(Payout.org_id))
        .join(Space, col(Space.id) == col(Payout.room_id))
        .outerjoin(User, col(User.id) == col(Payout.created_by))
    )
    statement = await organization.within(ctx, statement, col(Payout.org_id), listing.site_id)
    if kind is not None:
        statement = statement.where(col(Payout.kind) == kind)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(
                col(Payout.number).like(wanted),
                col(Payout.party_name).like(wanted),
                col(Space.full_name).like(wanted),
            )
        )
    sorting = Sorting(
        by={"number": col(Payout.number), "business_on": col(Payout.business_on)},
        default="-business_on",
        tie=col(Payout.id).desc(),
    )
    return await fetch_page(
        ctx,
        statement,
        listing,
        sorting=sorting,
        sums={"amount": col(Payout.amount)},
        row=PayoutRead,
    )


async def list_deposit_items(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    """The company's own, whichever of its units is asked for."""
    await organization.scope_of(ctx, listing.site_id)
    statement: Statement = (
        select(
            col(DepositItem.id).label("id"),
            col(DepositItem.version).label("version"),
            col(DepositItem.code).label("code"),
            col(DepositItem.name).label("name"),
            col(LegalEntity.name).label("legal_entity_name"),
            col(DepositItem.usual_amount).label("usual_amount"),
            case(
                (col(DepositItem.is_active), ActiveState.active.value),
                else_=ActiveState.disabled.value,
            ).label("state"),
        )
        .select_from(DepositItem)
        .join(LegalEntity, col(LegalEntity.id) == col(DepositItem.legal_entity_id))
    )
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(
            or_(col(DepositItem.name).like(wanted), col(DepositItem.code).like(wanted))
        )
    sorting = Sorting(by={"code": col(DepositItem.code)}, default="code", tie=col(DepositItem.id))
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=DepositItemRead)


async def deposit_item_choices(ctx: Ctx, q: str) -> Choices:
    return await fetch_choices(
        ctx,
        select(col(DepositItem.id), col(DepositItem.name))
        .where(col(DepositItem.name).like(contains(q)))
        .order_by(col(DepositItem.code)),
    )
