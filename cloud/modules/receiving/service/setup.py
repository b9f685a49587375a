"""The company's payment methods and kinds of deposits: added, changed, disabled, never deleted."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Unprocessable
from cloud.modules.ledger import queries as ledger
from cloud.modules.organization.models import LegalEntity
from cloud.modules.receiving.models import OFFSETS, DepositItem, Method, MethodKind, PaymentMethod
from cloud.modules.receiving.queries.methods import STANDARD_NAMES, method_name
from cloud.modules.receiving.schemas import ActiveState

# code → (kind, account, rank): cash, bank, and what a channel still owes us (spec domain 1.4).
STANDARD = {
    Method.cash: (MethodKind.cash, "1001", 10),
    Method.card: (MethodKind.card, "1002", 20),
    Method.wechat: (MethodKind.channel, "1012", 30),
    Method.alipay: (MethodKind.channel, "1012", 40),
    Method.scan: (MethodKind.channel, "1012", 50),
    Method.transfer: (MethodKind.transfer, "1002", 60),
    Method.prepaid: (MethodKind.prepaid, "220501", 90),
    Method.deposit: (MethodKind.deposit, "224101", 95),
}


class MethodReserved(Unprocessable):
    message = "Prepayments and deposits have their own method already. Choose another kind."


class MethodNeeded(Conflict):
    message = "“{method}” cannot be disabled: what is held is booked on its account."


async def add_standard_methods(ctx: Ctx) -> list[PaymentMethod]:
    """The methods that every company begins with. Raises AccountMissing."""
    accounts = await ledger.account_ids(ctx, *{account for _, account, _ in STANDARD.values()})
    methods = [
        PaymentMethod(
            **ctx.stamp(ctx.principal.company_id),
            code=code.value,
            kind=kind,
            account_id=accounts[account],
            rank=rank,
        )
        for code, (kind, account, rank) in STANDARD.items()
    ]
    ctx.session.add_all(methods)
    return methods


async def add_method(
    ctx: Ctx, *, code: str, name: str, kind: MethodKind, account: str, rank: int
) -> PaymentMethod:
    """A code that is taken answers 409. Raises MethodReserved and AccountMissing."""
    if kind in OFFSETS:
        raise MethodReserved(fields=(FieldError("kind", "method-reserved"),))
    accounts = await ledger.account_ids(ctx, account)
    method = PaymentMethod(
        **ctx.stamp(ctx.principal.company_id),
        code=code,
        name=name,
        kind=kind,
        account_id=accounts[account],
        rank=rank,
    )
    ctx.session.add(method)
    await _record(ctx, "receiving.method.added", method, {}, _facts(method, account))
    return method


async def change_method(
    ctx: Ctx, *, method_id: UUID, version: int, name: str, account: str, rank: int
) -> PaymentMethod:
    """Its code and kind stay: they stand on receipts. A new account holds for new receipts only.

    Raises NotFound, StaleVersion and AccountMissing.
    """
    method = await ctx.get(PaymentMethod, method_id, lock=True, version=version)
    before = {"name": method.name, "rank": method.rank, "account_id": str(method.account_id)}
    standard = STANDARD_NAMES.get(method.code)
    method.name = "" if standard is not None and name == ctx.say(standard) else name
    if MethodKind(method.kind) not in OFFSETS:
        method.account_id = (await ledger.account_ids(ctx, account))[account]
    method.rank = rank
    method.version += 1
    await _record(ctx, "receiving.method.changed", method, before, _facts(method, account))
    return method


async def switch_method(
    ctx: Ctx, *, method_id: UUID, state: ActiveState, reason: str
) -> PaymentMethod:
    """Disable a method, or enable it again. Raises NotFound and MethodNeeded."""
    method = await ctx.get(PaymentMethod, method_id, lock=True)
    if MethodKind(method.kind) in OFFSETS:
        raise MethodNeeded(method=method_name(ctx, method.code, method.name))
    await _switch(ctx, "receiving.method.switched", method, state, reason)
    return method


async def add_deposit_item(
    ctx: Ctx, *, code: str, name: str, legal_entity_id: UUID, usual_amount: Decimal | None
) -> DepositItem:
    """A code that is taken answers 409. Raises NotFound for a legal entity out of scope."""
    entity = await ctx.get(LegalEntity, legal_entity_id)
    item = DepositItem(
        **ctx.stamp(ctx.principal.company_id),
        code=code,
        name=name,
        legal_entity_id=entity.id,
        usual_amount=usual_amount,
    )
    ctx.session.add(item)
    await _record(ctx, "receiving.deposit_item.added", item, {}, {"code": code, "name": name})
    return item


async def change_deposit_item(
    ctx: Ctx, *, item_id: UUID, version: int, name: str, usual_amount: Decimal | None
) -> DepositItem:
    """Its legal entity stays: deposits are held for it. Raises NotFound and StaleVersion."""
    item = await ctx.get(DepositItem, item_id, lock=True, version=version)
    before = {"name": item.name, "usual_amount": str(item.usual_amount)}
    item.name = name
    item.usual_amount = usual_amount
    item.version += 1
    after = {"name": name, "usual_amount": str(usual_amount)}
    await _record(ctx, "receiving.deposit_item.changed", item, before, after)
    return item


async def switch_deposit_item(
    ctx: Ctx, *, item_id: UUID, state: ActiveState, reason: str
) -> DepositItem:
    """Stop taking a kind of deposit, or take it again. Raises NotFound."""
    item = await ctx.get(DepositItem, item_id, lock=True)
    await _switch(ctx, "receiving.deposit_item.switched", item, state, reason)
    return item


async def _switch(
    ctx: Ctx, action: str, subject: PaymentMethod | DepositItem, state: ActiveState, reason: str
) -> None:
    """Nothing happens to what is in the state already."""
    before, wanted = subject.is_active, state is ActiveState.active
    if before == wanted:
        return
    subject.is_active = wanted
    subject.version += 1
    await _record(ctx, action, subject, {"is_active": before}, {"is_active": wanted}, reason=reason)


def _facts(method: PaymentMethod, account: str) -> dict[str, object]:
    return {"code": method.code, "name": method.name, "rank": method.rank, "account": account}


async def _record(
    ctx: Ctx,
    action: str,
    subject: PaymentMethod | DepositItem,
    before: Mapping[str, object],
    after: Mapping[str, object],
    *,
    reason: str = "",
) -> None:
    await audit.record(
        ctx,
        action=action,
        subject_kind=action.rpartition(".")[0],
        subject_id=subject.id,
        org_id=subject.org_id,
        before=dict(before) or None,
        after=dict(after),
        reason=reason,
    )
