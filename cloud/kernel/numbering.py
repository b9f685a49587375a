"""Document numbers: gap-free per series, unit and month, allocated in the business transaction."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from cloud.kernel.context import Ctx

DIGITS = 6

_RESERVE = text("""
    INSERT INTO kernel_number_series AS series (company_id, org_id, series, period, next_number)
    VALUES (:company_id, :org_id, :series, :period, 1 + :count)
    ON CONFLICT (company_id, org_id, series, period)
    DO UPDATE SET next_number = series.next_number + :count
    RETURNING next_number - :count
""")


async def reserve_numbers(ctx: Ctx, *, org_id: UUID, series: str, count: int) -> list[str]:
    """`count` numbers in a row, like SK2611-001203, by the month of the business date.

    The series row stays locked until the transaction ends, so a roll-back returns the numbers.
    More than six digits widen the number, they never wrap (spec domain M11.5).
    """
    prefix, first = await reserve_block(ctx, org_id=org_id, series=series, count=count)
    return [f"{prefix}{number:0{DIGITS}d}" for number in range(first, first + count)]


async def reserve_block(ctx: Ctx, *, org_id: UUID, series: str, count: int) -> tuple[str, int]:
    """The prefix and the first number of a block, for numbering in one statement of SQL."""
    assert count > 0
    period = f"{ctx.business_on:%y%m}"
    result = await ctx.session.execute(
        _RESERVE,
        {
            "company_id": ctx.principal.company_id,
            "org_id": org_id,
            "series": series,
            "period": period,
            "count": count,
        },
    )
    first: int = result.scalar_one()
    return f"{series}{period}-", first


async def next_number(ctx: Ctx, *, org_id: UUID, series: str) -> str:
    return (await reserve_numbers(ctx, org_id=org_id, series=series, count=1))[0]
