"""A cashier's shift: opened by the first money of a business day, ended by counting the drawer.

The shift's row is locked by whoever moves money in it, so that a count misses nothing.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.kernel.errors import Conflict, FieldError, Forbidden, Unprocessable
from cloud.kernel.periods import add_months
from cloud.modules.ledger.events import MonthClosing
from cloud.modules.receiving.models import Shift
from cloud.modules.receiving.queries.shifts import cash_of_shift


class ShiftNotYours(Forbidden):
    message = "A shift is closed by its own cashier. Ask them to count the drawer."


class ShiftAlreadyClosed(Conflict):
    message = "This shift is already closed. The next receipt opens a new one."


class DifferenceUnexplained(Unprocessable):
    message = "{counted} was counted, {expected} should be there. Explain the difference of {by}."


class ShiftsUncounted(Conflict):
    message = (
        "{count} shifts of {month} or before are not handed over, the first of {day}. Count their"
        " drawers first."
    )


async def refuse_uncounted_shifts(ctx: Ctx, event: MonthClosing) -> None:
    """A month is closed with its cash counted. Raises ShiftsUncounted."""
    open_shifts = select(func.count(), func.min(col(Shift.business_on))).where(
        col(Shift.org_id) == event.site_id,
        col(Shift.business_on) < add_months(event.month, 1),
        col(Shift.closed_at).is_(None),
    )
    count, day = (await ctx.session.execute(open_shifts)).one()
    if count:
        raise ShiftsUncounted(count=count, day=day, month=f"{event.month:%Y-%m}")


async def current_shift(ctx: Ctx, site_id: UUID) -> Shift:
    """The caller's open shift of today in a community, opened when there is none; locked."""
    if ctx.principal.id is None:
        return await _opened(ctx, site_id, ctx.principal.company_id)
    return await _opened(ctx, site_id, ctx.principal.id)


async def _opened(ctx: Ctx, site_id: UUID, cashier_id: UUID) -> Shift:
    wanted = select(Shift).where(
        col(Shift.org_id) == site_id,
        col(Shift.cashier_id) == cashier_id,
        col(Shift.business_on) == ctx.business_on,
        col(Shift.closed_at).is_(None),
    )
    locked = wanted.with_for_update().execution_options(populate_existing=True)
    shift: Shift | None = (await ctx.session.execute(locked)).scalar_one_or_none()
    if shift is not None:
        return shift
    await ctx.session.execute(
        insert(Shift)
        .values(
            **ctx.stamp(site_id),
            id=uuid7(),
            version=1,
            cashier_id=cashier_id,
            business_on=ctx.business_on,
            opened_at=ctx.now,
            note="",
        )
        .on_conflict_do_nothing()
    )
    opened: Shift = (await ctx.session.execute(locked)).scalar_one()
    return opened


async def close_shift(ctx: Ctx, *, shift_id: UUID, counted: Decimal, note: str) -> Shift:
    """End one's own shift with the cash counted in the drawer.

    Raises NotFound, ShiftNotYours, ShiftAlreadyClosed, and DifferenceUnexplained when the count is
    not what the shift's documents add up to and no note says why.
    """
    shift = await ctx.get(Shift, shift_id, lock=True)
    if shift.cashier_id != ctx.principal.id:
        raise ShiftNotYours
    if shift.closed_at is not None:
        raise ShiftAlreadyClosed
    expected = await cash_of_shift(ctx, shift.id)
    if counted != expected and not note:
        params = {"counted": counted, "expected": expected, "by": counted - expected}
        raise DifferenceUnexplained(
            fields=(FieldError("note", "difference-unexplained", params),), **params
        )
    shift.closed_at = ctx.now
    shift.expected = expected
    shift.counted = counted
    shift.note = note
    shift.version += 1
    await audit.record_on(
        ctx,
        shift,
        "receiving.shift.closed",
        after={"expected": str(expected), "counted": str(counted)},
        reason=note,
    )
    return shift
