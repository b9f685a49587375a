"""Bulk inserts through row security: COPY into a temporary table, then one INSERT … SELECT.

COPY into a table with row security is refused for every role that cannot bypass it; a temporary
table has none, and the INSERT checks every row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from psycopg import AsyncConnection, sql
from sqlalchemy import text

from cloud.kernel.context import Ctx

ROWS_PER_WRITE = 500

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


async def insert_rows(
    ctx: Ctx, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Insert `rows`; answers how many. A row that is there already, by any key, is left out.

    Values are texts, numbers, dates, uuids or None; JSON comes as text.
    """
    staging = f"staging_{table}"
    await ctx.session.execute(
        text(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging}"
            f" (LIKE {table} INCLUDING DEFAULTS) ON COMMIT DELETE ROWS"
        )
    )
    driver = await _driver(ctx)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    copy_in = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(staging), names)
    async with driver.cursor() as cursor, cursor.copy(copy_in) as copy:
        remaining = iter(rows)
        while lines := ["\t".join(map(_field, row)) for row in islice(remaining, ROWS_PER_WRITE)]:
            await copy.write("\n".join(lines) + "\n")
    listed = ", ".join(columns)
    inserted = await ctx.session.execute(
        text(
            f"WITH added AS (INSERT INTO {table} ({listed}) SELECT {listed} FROM {staging}"  # noqa: S608 - names from code
            " ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM added"
        )
    )
    # A test's outer transaction never commits, so the table empties itself only in production.
    await ctx.session.execute(text(f"DELETE FROM {staging}"))  # noqa: S608
    return int(inserted.scalar_one())


async def _driver(ctx: Ctx) -> AsyncConnection[Any]:
    connection = await ctx.session.connection()
    raw = await connection.get_raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, AsyncConnection)
    return driver


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    return value.translate(_ESCAPES) if isinstance(value, str) else str(value)
