"""Setting and changing targets."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound
from cloud.modules.headquarters.models import Target
from cloud.modules.organization.models import Unit


class TargetExists(Conflict):
    message = "{unit} already has a target from {month} on. Change that one instead."


async def set_target(
    ctx: Ctx,
    *,
    unit_id: UUID,
    month: date,
    current_rate: Decimal,
    old_rate: Decimal | None,
    combined_rate: Decimal,
) -> Target:
    """What the unit is measured against from the month of `month` on.

    Raises NotFound for a unit that is not the caller's to set, TargetExists.
    """
    unit = await ctx.get(Unit, unit_id, lock=True)
    if not ctx.principal.scope.all and unit_id not in ctx.principal.scope.write_orgs:
        raise NotFound
    first = month.replace(day=1)
    known = await ctx.session.execute(
        select(col(Target.id)).where(col(Target.org_id) == unit_id, col(Target.month) == first)
    )
    if known.first() is not None:
        raise TargetExists(
            unit=unit.name, month=f"{first:%Y-%m}", fields=(FieldError("month", "target-exists"),)
        )
    target = Target(
        **ctx.stamp(unit_id),
        month=first,
        current_rate=current_rate,
        old_rate=old_rate,
        combined_rate=combined_rate,
    )
    ctx.session.add(target)
    await _record(ctx, target, "headquarters.target.set", before=None)
    return target


async def change_target(
    ctx: Ctx,
    *,
    target_id: UUID,
    version: int,
    current_rate: Decimal,
    old_rate: Decimal | None,
    combined_rate: Decimal,
) -> Target:
    """Raises NotFound, and StaleVersion when somebody else was faster."""
    target = await ctx.get(Target, target_id, lock=True, version=version)
    if not ctx.principal.scope.all and target.org_id not in ctx.principal.scope.write_orgs:
        raise NotFound
    before = _rates(target)
    target.current_rate = current_rate
    target.old_rate = old_rate
    target.combined_rate = combined_rate
    target.version += 1
    await _record(ctx, target, "headquarters.target.changed", before=before)
    return target


def _rates(target: Target) -> dict[str, Any]:
    return {
        "current_rate": str(target.current_rate),
        "old_rate": str(target.old_rate),
        "combined_rate": str(target.combined_rate),
    }


async def _record(ctx: Ctx, target: Target, action: str, *, before: dict[str, Any] | None) -> None:
    await audit.record_on(
        ctx,
        target,
        action,
        before=before,
        after={"month": str(target.month), **_rates(target)},
    )
