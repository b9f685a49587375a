"""Reads of payment methods: what they are called, the list, and what may be chosen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text, case, cast, literal, or_, select
from sqlmodel import col

from cloud.kernel.choices import Choice, Choices
from cloud.kernel.context import Ctx
from cloud.kernel.listing import Expression, Listing, Sorting, Statement, contains, fetch_page
from cloud.modules.ledger.models import Account
from cloud.modules.organization import queries as organization
from cloud.modules.receiving.models import MIXED, OFFSETS, Method, PaymentMethod
from cloud.modules.receiving.schemas import ActiveState, MethodRead

STANDARD_NAMES: dict[str, str] = {
    Method.cash.value: "Cash",
    Method.card.value: "Card",
    Method.wechat.value: "WeChat Pay",
    Method.alipay.value: "Alipay",
    Method.scan.value: "Scan to pay",
    Method.transfer.value: "Bank transfer",
    Method.prepaid.value: "Out of prepaid",
    Method.deposit.value: "Out of a deposit",
    MIXED: "Several methods",
}


def method_name(ctx: Ctx, code: str, name: str = "") -> str:
    """The company's own name of a method, else the standard one in the reader's language."""
    return name or ctx.say(STANDARD_NAMES.get(code, code))


def named(ctx: Ctx, code: Expression) -> Expression:
    """The same in SQL, for the column of a document that holds a code."""
    own = (
        select(col(PaymentMethod.name))
        .where(col(PaymentMethod.code) == code, col(PaymentMethod.name) != "")
        .limit(1)
        .scalar_subquery()
    )
    return case((own.is_not(None), own), else_=_standard(ctx, code))


def _standard(ctx: Ctx, code: Expression) -> Expression:
    said = {key: literal(ctx.say(label)) for key, label in STANDARD_NAMES.items()}
    return case(said, value=code, else_=cast(code, Text()))


async def names_of_methods(ctx: Ctx) -> dict[str, str]:
    """Every method's name by its code, also of those that are no longer used."""
    found = await ctx.session.execute(select(col(PaymentMethod.code), col(PaymentMethod.name)))
    names = {code: method_name(ctx, code, name) for code, name in found}
    return {code: method_name(ctx, code) for code in STANDARD_NAMES} | names


async def methods_at_counter(ctx: Ctx) -> list[PaymentMethod]:
    """What the counter offers, in the company's order: money only."""
    found = await ctx.session.execute(
        select(PaymentMethod)
        .where(col(PaymentMethod.is_active), col(PaymentMethod.kind).not_in(OFFSETS))
        .order_by(col(PaymentMethod.rank), col(PaymentMethod.code))
    )
    return list(found.scalars())


async def method_choices(ctx: Ctx, q: str, *, is_money: bool) -> Choices:
    """For filters and forms. `is_money` leaves out what spends a prepayment or a deposit."""
    found = await ctx.session.execute(
        select(PaymentMethod).order_by(col(PaymentMethod.rank), col(PaymentMethod.code))
    )
    items = [
        Choice(value=method.code, label=method_name(ctx, method.code, method.name))
        for method in found.scalars()
        if not is_money or (method.is_active and method.kind not in OFFSETS)
    ]
    return Choices(items=[one for one in items if q in one.label])


async def list_methods(ctx: Ctx, listing: Listing) -> dict[str, Any]:
    """The company's own, whichever of its units is asked for."""
    await organization.scope_of(ctx, listing.site_id)
    name = case(
        (col(PaymentMethod.name) != "", col(PaymentMethod.name)),
        else_=_standard(ctx, col(PaymentMethod.code)),
    )
    statement: Statement = (
        select(
            col(PaymentMethod.id).label("id"),
            col(PaymentMethod.version).label("version"),
            col(PaymentMethod.code).label("code"),
            name.label("name"),
            col(PaymentMethod.kind).label("kind"),
            col(Account.code).label("account"),
            col(Account.name).label("account_name"),
            col(PaymentMethod.rank).label("rank"),
            case(
                (col(PaymentMethod.is_active), ActiveState.active.value),
                else_=ActiveState.disabled.value,
            ).label("state"),
        )
        .select_from(PaymentMethod)
        .join(Account, col(Account.id) == col(PaymentMethod.account_id))
    )
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(or_(name.like(wanted), col(PaymentMethod.code).like(wanted)))
    sorting = Sorting(
        by={"rank": col(PaymentMethod.rank), "code": col(PaymentMethod.code)},
        default="rank",
        tie=col(PaymentMethod.code),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=MethodRead)
