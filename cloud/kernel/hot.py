"""Reads that run for every bill or every request: compiled once, run by the driver itself.

The session's own work (cache keys, greenlets, result metadata) costs several times what Postgres
and the driver take for a small read (docs/benchmarks.md). What a `Hot` reads is plain values inside
the same transaction and scope; entities, locks and writes stay with the session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import args_row
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kernel.db import UtcDateTime

RowT = TypeVar("RowT")

_DIALECT: Any = PGDialect_psycopg()  # type: ignore[no-untyped-call]


async def driver_of(session: AsyncSession) -> AsyncConnection[Any]:
    """The driver's connection in the session's transaction, with all that was added written."""
    if session.new or session.dirty or session.deleted:
        await session.flush()  # as the session does before each of its own reads
    if "driver" not in session.info:
        await session.connection()
    driver: AsyncConnection[Any] = session.info["driver"]
    return driver


def id_array(ids: Iterable[UUID]) -> str:
    """What Postgres reads as an array of ids, in a third of the time that the driver takes."""
    return f"{{{','.join([f'{each.int:032x}' for each in ids])}}}"


class Hot(Generic[RowT]):
    """One statement; `row` takes its columns in order. Parameters are the named bindparams.

    A list of ids is `= ANY(…)` of an `id_array`: an IN would be another statement each time.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]], row: Callable[..., RowT]) -> None:
        self._statement = statement
        self._made = args_row(_converted([each.type for each in statement.selected_columns], row))

    @cached_property
    def _compiled(self) -> tuple[str, dict[str, Any]]:
        """At the first use, when every model is known: the text and what it always gives."""
        compiled = self._statement.compile(dialect=_DIALECT)
        return str(compiled), dict(compiled.params)

    async def all(self, session: AsyncSession, **params: Any) -> list[RowT]:
        driver = await driver_of(session)
        statement, given = self._compiled
        async with driver.cursor(row_factory=self._made) as cursor:
            await cursor.execute(statement, {**given, **params})
            return await cursor.fetchall()

    async def one_or_none(self, session: AsyncSession, **params: Any) -> RowT | None:
        """The first row."""
        rows = await self.all(session, **params)
        return rows[0] if rows else None


def _converted(types: list[Any], row: Callable[..., RowT]) -> Callable[..., RowT]:
    """`row` with its instants in UTC: the driver answers them in the connection's time zone."""
    instants = [place for place, kind in enumerate(types) if isinstance(kind, UtcDateTime)]
    if not instants:
        return row

    def convert(*values: Any) -> RowT:
        plain = list(values)
        for place in instants:
            if plain[place] is not None:
                plain[place] = plain[place].astimezone(UTC)
        return row(*plain)

    return convert
