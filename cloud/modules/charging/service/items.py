"""What is charged for: items of the company, kept by its headquarters."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, Forbidden, NotFound, Unprocessable
from cloud.modules.charging.models import Bill, Binding, Item, ItemCategory, ItemState
from cloud.modules.ledger import queries as ledger
from cloud.modules.ledger.models import Account
from cloud.modules.organization.models import LegalEntity

RECEIVABLE, REVENUE, TAX, ADVANCE, AGENCY = "1122", "6001", "2221", "2205", "2241"


class ItemsAreHeadquarters(Forbidden):
    message = "Charge items belong to the whole company. Ask headquarters to change them."


class ItemCodeTaken(Conflict):
    message = "The code {code} belongs to “{name}”. Choose another code."


class ItemHasBills(Conflict):
    message = "“{name}” has bills: its nature and tax are fixed. Make a new item instead."


class ItemInUse(Conflict):
    message = "“{name}” is still charged to rooms. End its bindings first, then disable it."


class ItemDisabled(Conflict):
    message = "“{name}” is disabled. Enable it, or choose another item."


class AgencyTaxed(Unprocessable):
    message = "What is collected for others carries no tax and no fee of ours. Choose 0 %."


@dataclass(frozen=True)
class ItemFacts:
    """What may be said of an item. Accounts that are not named are the chart's usual ones."""

    name: str
    category: ItemCategory
    is_agency: bool
    tax_rate: Decimal
    allocation_priority: int
    legal_entity_id: UUID
    receivable_id: UUID | None = None
    revenue_id: UUID | None = None


async def add_item(ctx: Ctx, *, code: str, facts: ItemFacts) -> Item:
    """An item of the company. What is collected for a utility credits its liability, untaxed.

    Raises ItemsAreHeadquarters, ItemCodeTaken, AgencyTaxed, AccountMissing, NotFound.
    """
    _refuse_unless_headquarters(ctx)
    taken = await ctx.session.execute(select(col(Item.name)).where(col(Item.code) == code))
    name = taken.scalars().first()
    if name is not None:
        raise ItemCodeTaken(code=code, name=name, fields=(FieldError("code", "item-code-taken"),))
    item = Item(
        **ctx.stamp(ctx.principal.company_id),
        code=code,
        **await _columns(ctx, facts),
    )
    ctx.session.add(item)
    await audit.record(
        ctx,
        action="charging.item.added",
        subject_kind="charging.item",
        subject_id=item.id,
        org_id=item.org_id,
        after={"code": code, "name": facts.name, "tax_rate": str(facts.tax_rate)},
    )
    return item


async def change_item(ctx: Ctx, *, item_id: UUID, version: int, facts: ItemFacts) -> Item:
    """Nature, tax and legal entity only while it has no bill.

    Raises ItemsAreHeadquarters, NotFound, StaleVersion, ItemHasBills, AgencyTaxed.
    """
    _refuse_unless_headquarters(ctx)
    item = await ctx.get(Item, item_id, lock=True, version=version)
    columns = await _columns(ctx, facts)
    fixed = {
        "category": item.category != facts.category,
        "agency": item.is_agency != facts.is_agency,
        "tax_rate": item.tax_rate != facts.tax_rate,
        "legal_entity_id": item.legal_entity_id != facts.legal_entity_id,
    }
    wrong = [key for key, differs in fixed.items() if differs]
    if wrong and await _has_bills(ctx, item):
        raise ItemHasBills(
            name=item.name, fields=tuple(FieldError(key, "item-has-bills") for key in wrong)
        )
    before = {"name": item.name, "tax_rate": str(item.tax_rate), "category": item.category}
    item.sqlmodel_update(columns)
    item.version += 1
    await audit.record(
        ctx,
        action="charging.item.changed",
        subject_kind="charging.item",
        subject_id=item.id,
        org_id=item.org_id,
        before=before,
        after={"name": item.name, "tax_rate": str(item.tax_rate), "category": item.category},
    )
    return item


async def disable_item(ctx: Ctx, *, item_id: UUID, reason: str) -> Item:
    """From now on nothing new is charged for it; its bills stay. Disabling twice is no error.

    Raises ItemsAreHeadquarters, NotFound, ItemInUse.
    """
    _refuse_unless_headquarters(ctx)
    item = await ctx.get(Item, item_id, lock=True)
    held = await ctx.session.execute(
        select(col(Binding.id))
        .where(
            col(Binding.item_id) == item.id,
            or_(col(Binding.ends_on).is_(None), col(Binding.ends_on) > ctx.business_on),
        )
        .limit(1)
    )
    if held.first() is not None:
        raise ItemInUse(name=item.name)
    return await _set_state(ctx, item, ItemState.disabled, reason)


async def enable_item(ctx: Ctx, *, item_id: UUID) -> Item:
    """Raises ItemsAreHeadquarters, NotFound."""
    _refuse_unless_headquarters(ctx)
    item = await ctx.get(Item, item_id, lock=True)
    return await _set_state(ctx, item, ItemState.active, "")


def refuse_disabled(item: Item) -> None:
    if item.state == ItemState.disabled:
        raise ItemDisabled(name=item.name)


async def _set_state(ctx: Ctx, item: Item, state: ItemState, reason: str) -> Item:
    if item.state == state:
        return item
    item.state = state
    item.version += 1
    await audit.record(
        ctx,
        action=f"charging.item.{state.value}",
        subject_kind="charging.item",
        subject_id=item.id,
        org_id=item.org_id,
        reason=reason,
    )
    return item


def _refuse_unless_headquarters(ctx: Ctx) -> None:
    """An item is the company's row: below headquarters the database would hide it from writing."""
    scope = ctx.principal.scope
    if not scope.all and ctx.principal.company_id not in scope.write_orgs:
        raise ItemsAreHeadquarters


async def _has_bills(ctx: Ctx, item: Item) -> bool:
    found = select(col(Bill.id)).where(col(Bill.item_id) == item.id).limit(1)
    return (await ctx.session.execute(found)).first() is not None


async def _columns(ctx: Ctx, facts: ItemFacts) -> dict[str, Any]:
    if facts.is_agency and facts.tax_rate != 0:
        raise AgencyTaxed(fields=(FieldError("tax_rate", "agency-taxed"),))
    usual = await ledger.account_ids(ctx, RECEIVABLE, REVENUE, TAX, ADVANCE, AGENCY)
    entity = await ctx.find(LegalEntity, facts.legal_entity_id)
    chosen = [
        await ctx.find(Account, account_id)
        for account_id in (facts.receivable_id, facts.revenue_id)
        if account_id is not None
    ]
    if entity is None or None in chosen:
        raise NotFound
    return {
        "name": facts.name,
        "category": facts.category,
        "is_agency": facts.is_agency,
        "tax_rate": facts.tax_rate,
        "allocation_priority": facts.allocation_priority,
        "legal_entity_id": facts.legal_entity_id,
        "receivable_id": facts.receivable_id or usual[RECEIVABLE],
        "revenue_id": facts.revenue_id or usual[AGENCY if facts.is_agency else REVENUE],
        "tax_id": usual[TAX],
        "advance_id": usual[AGENCY if facts.is_agency else ADVANCE],
    }
