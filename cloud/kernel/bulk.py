"""Bulk inserts through row security: COPY into a temporary table, then one INSERT … SELECT.

COPY into a table with row security is refused for every role that cannot bypass it; a temporary
table has none, and the INSERT checks every row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from operator import attrgetter
from types import NoneType
from typing import Any
from uuid import UUID

from psycopg import sql
from sqlalchemy import inspect, text

from cloud.kernel.context import Ctx
from cloud.kernel.db import Record
from cloud.kernel.hot import driver_of

ROWS_PER_WRITE = 500


async def insert_rows(
    ctx: Ctx,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    skip_known: bool = True,
) -> int:
    """Insert `rows`; answers how many. A row that is there already, by any key, is left out, or
    else raises the database's IntegrityError.

    Values are texts, numbers, dates, uuids or None; JSON comes as text.
    """
    remaining = iter(rows)
    first = list(islice(remaining, ROWS_PER_WRITE))
    if not first:
        return 0
    staging = f"staging_{table}"
    await ctx.session.execute(
        text(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging}"
            f" (LIKE {table} INCLUDING DEFAULTS INCLUDING IDENTITY) ON COMMIT DELETE ROWS"
        )
    )
    driver = await driver_of(ctx.session)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    copy_in = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(staging), names)
    async with driver.cursor() as cursor, cursor.copy(copy_in) as copy:
        written = first
        while written:
            await copy.write("".join(map(_line, written)))
            written = list(islice(remaining, ROWS_PER_WRITE))
    listed = ", ".join(columns)
    inserted: Any = await ctx.session.execute(
        text(
            f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {staging}"  # noqa: S608 - names from code
            + (" ON CONFLICT DO NOTHING" if skip_known else "")
        )
    )
    # A test's outer transaction never commits, so the table empties itself only in production.
    await ctx.session.execute(text(f"DELETE FROM {staging}"))  # noqa: S608
    return int(inserted.rowcount)


async def insert_records(ctx: Ctx, records: Sequence[Record]) -> None:
    """Insert records of one table, which the session does not come to know. One that is there
    already raises the database's IntegrityError."""
    if not records:
        return
    table = inspect(type(records[0])).local_table
    names = [column.name for column in table.columns]
    await insert_rows(ctx, table.name, names, map(attrgetter(*names), records), skip_known=False)


def _line(row: Sequence[Any]) -> str:
    return "\t".join([_WRITERS.get(type(value), str)(value) for value in row]) + "\n"


def _escaped(value: str) -> str:
    for plain, escaped in _ESCAPES:
        if plain in value:
            value = value.replace(plain, escaped)
    return value


# The backslash first: what the others add must not be escaped again.
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))

_WRITERS: dict[type, Callable[[Any], str]] = {
    str: _escaped,
    NoneType: lambda _: "\\N",
    # Without its dashes an id is written in a third of the time.
    UUID: lambda value: f"{value.int:032x}",
}
