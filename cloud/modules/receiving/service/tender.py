"""How a receipt is paid: its method lines, and what cash was handed over for it."""

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
from cloud.modules.receiving.models import MIXED, OFFSETS, Method, MethodKind, PaymentMethod
from cloud.modules.receiving.queries.methods import method_name


class MethodUnknown(Unprocessable):
    message = "There is no payment method “{method}”. Choose one of the list."


class MethodDisabled(Conflict):
    message = "“{method}” is no longer used. Choose another payment method."


class LinesNotSumming(Unprocessable):
    message = "The methods add up to {lines}, but {amount} is to be received. Correct one of them."


class MethodTwice(Unprocessable):
    message = "A payment method is named twice. Enter each one once."


class TenderedTooLow(Unprocessable):
    message = "{tendered} was handed over, less than the {amount} to be received."


class TenderedWithoutCash(Unprocessable):
    message = "Only cash gives change. Leave the amount handed over empty."


class OffsetAboveBills(Unprocessable):
    message = "Prepayments and deposits pay bills only: at most {amount} here."


class DepositUnnamed(Unprocessable):
    message = "Say which deposit pays: only a line of the method deposit names one."


@dataclass(frozen=True)
class Tender:
    """A part of what is paid, by a method's code; `deposit_id` where a deposit pays."""

    method: str
    amount: Decimal
    deposit_id: UUID | None = None
    note: str = ""


@dataclass(frozen=True)
class Paid:
    """A tender whose method is known."""

    method: PaymentMethod
    amount: Decimal
    deposit_id: UUID | None
    note: str

    @property
    def kind(self) -> MethodKind:
        return MethodKind(self.method.kind)


async def method_of(ctx: Ctx, code: str, *, where: str = "method") -> PaymentMethod:
    """A method that may be used now. Raises MethodUnknown and MethodDisabled."""
    return (await _methods(ctx, {code: where}))[code]


async def resolve(
    ctx: Ctx, *, method: str | None, lines: Sequence[Tender], total: Decimal
) -> list[Paid]:
    """The lines of a receipt over `total`: those given, or all of it by one `method`.

    Raises MethodUnknown, MethodDisabled, MethodTwice, LinesNotSumming and DepositUnnamed.
    """
    if not lines:
        lines = (Tender(method or Method.cash.value, total),)
        places = {lines[0].method: "method"}
    else:
        places = {line.method: f"lines.{place}.method" for place, line in enumerate(lines)}
    methods = await _methods(ctx, places)
    paid = [Paid(methods[line.method], line.amount, line.deposit_id, line.note) for line in lines]
    if len({(one.method.id, one.deposit_id) for one in paid}) < len(paid):
        raise MethodTwice(fields=(FieldError("lines", "method-twice"),))
    for place, one in enumerate(paid):
        if (one.kind is MethodKind.deposit) != (one.deposit_id is not None):
            where = f"lines.{place}.deposit_id"
            raise DepositUnnamed(fields=(FieldError(where, "deposit-unnamed"),))
    given = sum((one.amount for one in paid), ZERO)
    if given != total:
        params = {"lines": given, "amount": total}
        raise LinesNotSumming(fields=(FieldError("lines", "lines-not-summing", params),), **params)
    return paid


async def _methods(ctx: Ctx, places: dict[str, str]) -> dict[str, PaymentMethod]:
    found = await ctx.session.execute(
        select(PaymentMethod).where(col(PaymentMethod.code).in_(places))
    )
    methods = {method.code: method for method in found.scalars()}
    for code, where in places.items():
        if code not in methods:
            params = {"method": code}
            raise MethodUnknown(fields=(FieldError(where, "method-unknown", params),), **params)
        if not methods[code].is_active:
            params = {"method": method_name(ctx, methods[code].code, methods[code].name)}
            raise MethodDisabled(fields=(FieldError(where, "method-disabled", params),), **params)
    return methods


def change_of(paid: Sequence[Paid], tendered: Decimal | None) -> Decimal:
    """What to hand back. Raises TenderedWithoutCash and TenderedTooLow."""
    if tendered is None:
        return ZERO
    cash = sum((one.amount for one in paid if one.kind is MethodKind.cash), ZERO)
    if cash == 0:
        raise TenderedWithoutCash(fields=(FieldError("tendered", "tendered-without-cash"),))
    if tendered < cash:
        params = {"tendered": tendered, "amount": cash}
        raise TenderedTooLow(fields=(FieldError("tendered", "tendered-too-low", params),), **params)
    return tendered - cash


def check_offsets(paid: Sequence[Paid], bills: Decimal) -> None:
    """What we already hold pays bills, never another prepayment or deposit."""
    if sum((one.amount for one in paid if one.kind in OFFSETS), ZERO) > bills:
        raise OffsetAboveBills(
            amount=bills, fields=(FieldError("lines", "offset-above-bills", {"amount": bills}),)
        )


def code_of(paid: Sequence[Paid]) -> str:
    """What the receipt's one `method` says."""
    codes = {one.method.code for one in paid}
    return codes.pop() if len(codes) == 1 else MIXED
