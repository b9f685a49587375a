"""Reads of shifts: what the drawer should hold, the caller's own figures, and the list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, or_, select
from sqlmodel import col

from cloud.kernel.context import Ctx
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
from cloud.modules.organization import queries as organization
from cloud.modules.organization.models import Unit
from cloud.modules.receiving.models import (
    OFFSETS,
    MethodKind,
    MethodLine,
    Payout,
    Receipt,
    Shift,
)
from cloud.modules.receiving.queries.methods import names_of_methods
from cloud.modules.receiving.queries.receipts import is_reversed
from cloud.modules.receiving.schemas import MethodTotal, ShiftRead, ShiftState
from cloud.modules.receiving.schemas import Shift as Figures


async def cash_of_shift(ctx: Ctx, shift_id: UUID) -> Decimal:
    """What its documents put into the drawer: cash received, less change and cash handed back."""
    found = await ctx.session.execute(select(_cash_in(shift_id), _cash_out(shift_id)))
    received, returned = found.one()
    return Decimal(received) - Decimal(returned)


def _cash_in(shift_id: Any) -> Expression:
    """An amount by cash is net of the change that was given."""
    return (
        select(func.coalesce(func.sum(col(MethodLine.amount)), ZERO))
        .select_from(MethodLine)
        .join(Receipt, col(Receipt.id) == col(MethodLine.receipt_id))
        .where(col(Receipt.shift_id) == shift_id, col(MethodLine.kind) == MethodKind.cash)
        .correlate(Shift)
        .scalar_subquery()
    )


def _cash_out(shift_id: Any) -> Expression:
    return (
        select(func.coalesce(func.sum(col(Payout.amount)), ZERO))
        .where(col(Payout.shift_id) == shift_id, col(Payout.method_kind) == MethodKind.cash)
        .correlate(Shift)
        .scalar_subquery()
    )


@dataclass(frozen=True)
class _Totals:
    count: int
    lines: list[tuple[str, str, Decimal, int]]
    returned: list[tuple[str, str, Decimal]]


async def read_shift(ctx: Ctx) -> Figures:
    """What the viewer received since their last count today; reversals take off again."""
    totals = await _today(ctx)
    names = await names_of_methods(ctx)
    received = sum((amount for _, kind, amount, _ in totals.lines if kind not in OFFSETS), ZERO)
    cash = sum((amount for _, kind, amount, _ in totals.lines if kind == MethodKind.cash), ZERO)
    returned = sum((amount for _, _, amount in totals.returned), ZERO)
    in_cash = sum((amount for _, kind, amount in totals.returned if kind == MethodKind.cash), ZERO)
    opened = await _open_shift(ctx)
    return Figures(
        id=opened.id if opened else None,
        opened_at=opened.opened_at if opened else None,
        count=totals.count,
        received=received,
        cash=cash - in_cash,
        returned=returned,
        methods=[
            MethodTotal(code=code, name=names.get(code, code), amount=amount, count=documents)
            for code, _, amount, documents in totals.lines
        ],
    )


async def _open_shift(ctx: Ctx) -> Shift | None:
    """None for who has not begun, or has one in several communities: each is closed in its list."""
    found = await ctx.session.execute(
        select(Shift)
        .where(
            col(Shift.cashier_id) == ctx.principal.id,
            col(Shift.business_on) == ctx.business_on,
            col(Shift.closed_at).is_(None),
        )
        .limit(2)
    )
    shifts = list(found.scalars())
    return shifts[0] if len(shifts) == 1 else None


async def _today(ctx: Ctx) -> _Totals:
    closed = select(col(Shift.id)).where(col(Shift.closed_at).is_not(None))
    mine = (
        col(Receipt.created_by) == ctx.principal.id,
        col(Receipt.business_on) == ctx.business_on,
        or_(col(Receipt.shift_id).is_(None), col(Receipt.shift_id).not_in(closed)),
    )
    kept = func.count().filter(col(Receipt.reverses_id).is_(None), ~is_reversed())
    counted = await ctx.session.execute(select(kept).select_from(Receipt).where(*mine))
    lines = await ctx.session.execute(
        select(
            col(MethodLine.code),
            col(MethodLine.kind),
            func.sum(col(MethodLine.amount)),
            func.count(),
        )
        .join(Receipt, col(Receipt.id) == col(MethodLine.receipt_id))
        .where(*mine)
        .group_by(col(MethodLine.code), col(MethodLine.kind))
        .order_by(func.sum(col(MethodLine.amount)).desc(), col(MethodLine.code))
    )
    returned = await ctx.session.execute(
        select(col(Payout.method), col(Payout.method_kind), func.sum(col(Payout.amount)))
        .where(
            col(Payout.created_by) == ctx.principal.id,
            col(Payout.business_on) == ctx.business_on,
            col(Payout.shift_id).not_in(closed),
        )
        .group_by(col(Payout.method), col(Payout.method_kind))
    )
    return _Totals(
        count=int(counted.scalar_one()),
        lines=[(code, kind, amount, number) for code, kind, amount, number in lines],
        returned=[(code, kind, amount) for code, kind, amount in returned],
    )


def _rows() -> Statement:
    documents = (
        select(func.count())
        .select_from(Receipt)
        .where(col(Receipt.shift_id) == col(Shift.id))
        .correlate(Shift)
        .scalar_subquery()
    )
    received = (
        select(func.coalesce(func.sum(col(MethodLine.amount)), ZERO))
        .select_from(MethodLine)
        .join(Receipt, col(Receipt.id) == col(MethodLine.receipt_id))
        .where(col(Receipt.shift_id) == col(Shift.id), col(MethodLine.kind).not_in(OFFSETS))
        .correlate(Shift)
        .scalar_subquery()
    )
    cash = func.coalesce(col(Shift.expected), _cash_in(col(Shift.id)) - _cash_out(col(Shift.id)))
    return (
        select(
            col(Shift.id).label("id"),
            col(Shift.org_id).label("site_id"),
            col(Unit.name).label("site_name"),
            func.coalesce(col(User.name), "").label("cashier_name"),
            col(Shift.business_on).label("business_on"),
            col(Shift.opened_at).label("opened_at"),
            col(Shift.closed_at).label("closed_at"),
            documents.label("documents"),
            received.label("received"),
            cash.label("cash"),
            col(Shift.counted).label("counted"),
            (col(Shift.counted) - col(Shift.expected)).label("difference"),
            col(Shift.note).label("note"),
            _state().label("state"),
        )
        .select_from(Shift)
        .join(Unit, col(Unit.id) == col(Shift.org_id))
        .outerjoin(User, col(User.id) == col(Shift.cashier_id))
    )


def _state() -> Expression:
    return case(
        (col(Shift.closed_at).is_(None), ShiftState.open.value),
        (col(Shift.counted) != col(Shift.expected), ShiftState.differs.value),
        else_=ShiftState.closed.value,
    )


async def list_shifts(
    ctx: Ctx,
    listing: Listing,
    *,
    state: ShiftState | None,
    period_from: date | None,
    period_to: date | None,
) -> dict[str, Any]:
    statement = _rows()
    statement = await organization.within(ctx, statement, col(Shift.org_id), listing.site_id)
    views = {
        "all": await count(ctx, statement),
        "open": await count(ctx, statement.where(col(Shift.closed_at).is_(None))),
    }
    if state is not None:
        statement = statement.where(_state() == state.value)
    if period_from is not None:
        statement = statement.where(col(Shift.business_on) >= period_from)
    if period_to is not None:
        statement = statement.where(col(Shift.business_on) <= period_to)
    if listing.q:
        statement = statement.where(col(User.name).like(contains(listing.q)))
    sorting = Sorting(
        by={"opened_at": col(Shift.opened_at), "business_on": col(Shift.business_on)},
        default="-opened_at",
        tie=col(Shift.id).desc(),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, views=views, row=ShiftRead)
