"""Figures over many rows: queried under the viewer's scope, handed over as Arrow to DuckDB.

Postgres decides what the viewer sees; DuckDB gets only what the query answered, and can reach
neither files nor network nor extensions. Rows, seconds, memory and what is kept are bounded.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import duckdb
import pyarrow as pa
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cloud.kernel.context import Ctx, Principal
from cloud.kernel.db import Sessions, is_away
from cloud.kernel.errors import Unavailable
from cloud.kernel.events import Bus
from cloud.kernel.uow import unit_of_work

ROWS_MAX = 100_000
QUERY_TIMEOUT_S = 20
MEMORY = "256MB"
KEPT_MAX = 64
KEPT_FOR = timedelta(minutes=5)

TEXT, DAY, WHOLE, FLAG, REAL = pa.string(), pa.date32(), pa.int64(), pa.bool_(), pa.float64()
AMOUNT = pa.decimal128(18, 2)
RATE = pa.decimal128(12, 4)

_SANDBOX: dict[str, str | int | float | list[str]] = {
    "memory_limit": MEMORY,
    "threads": 1,
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "lock_configuration": True,
}
_READ_ONLY = text("SET TRANSACTION READ ONLY")
_BOUNDED = text("SELECT set_config('statement_timeout', :ms, true)")
# Sums over whole tables: where statistics lag behind a run that was just published, Postgres
# expects one row, picks nested loops, and takes minutes for what a hash join does in a second.
_BY_HASH = text("SET LOCAL enable_nestloop = off")
_TIMED_OUT = "57014"

ValueT = TypeVar("ValueT")
Columns = Mapping[str, pa.DataType]


class TooManyRows(Unavailable):
    message = "This is more than can be shown at once. Choose a region or a community."


class AnalysisTimedOut(Unavailable):
    message = "The figures took too long. Choose a region or a community, or try again later."


class FiguresAway(Unavailable):
    message = "The database is not answering. The figures come back by themselves."


@dataclass(frozen=True)
class Extract:
    """A Postgres query, and the exact type of each column that it answers."""

    name: str
    sql: str
    columns: Columns


class Reading:
    """One viewer's tables, in a DuckDB of their own that ends with the block."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self._duck = duckdb.connect(":memory:", config=_SANDBOX)

    async def load(self, extract: Extract, **params: Any) -> pa.Table:
        """Run an extract as a table of its name. Raises TooManyRows and AnalysisTimedOut."""
        bounded = text(f"SELECT * FROM ({extract.sql}) AS extract LIMIT {ROWS_MAX + 1}")  # noqa: S608 - the query is a constant of the dashboards
        found = (await self.ctx.session.execute(bounded, params)).all()
        if len(found) > ROWS_MAX:
            raise TooManyRows
        table = await asyncio.to_thread(_table, found, extract.columns)
        self.register(extract.name, table)
        return table

    def register(self, name: str, table: pa.Table) -> None:
        self._duck.register(name, table)

    async def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        """What a DuckDB query over the loaded tables answers."""
        return await asyncio.to_thread(self._rows, sql, params)

    def _rows(self, sql: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        done = self._duck.execute(sql, params)
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    def close(self) -> None:
        self._duck.close()


def _table(found: Sequence[Any], columns: Columns) -> pa.Table:
    schema = pa.schema(list(columns.items()))
    if not found:
        return schema.empty_table()
    values = zip(*found, strict=True)
    arrays = [pa.array(each, kind) for each, kind in zip(values, columns.values(), strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


class Analytics:
    """The only way from a dashboard to data."""

    def __init__(self, sessions: Sessions, bus: Bus) -> None:
        self._sessions = sessions
        self._bus = bus

    @asynccontextmanager
    async def reading(self, principal: Principal) -> AsyncIterator[Reading]:
        """A read-only transaction in the principal's scope. Raises FiguresAway when the database
        is, AnalysisTimedOut when a query is not done in time."""
        with answering():
            async with unit_of_work(self._sessions, principal, bus=self._bus) as ctx:
                await ctx.session.execute(_READ_ONLY)
                await ctx.session.execute(_BOUNDED, {"ms": str(QUERY_TIMEOUT_S * 1000)})
                await ctx.session.execute(_BY_HASH)
                reading = Reading(ctx)
                try:
                    yield reading
                finally:
                    reading.close()


@contextmanager
def answering() -> Iterator[None]:
    """Raises FiguresAway for a database that is away and AnalysisTimedOut for one that is slow.
    A mistake of ours stays what it is."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if getattr(cause, "sqlstate", None) == _TIMED_OUT:
            raise AnalysisTimedOut from error
        if not is_away(error):
            raise
        raise FiguresAway from error


@dataclass
class Kept(Generic[ValueT]):
    """Answers that are asked for again, few and not for long; the oldest goes first."""

    most: int = KEPT_MAX
    age: timedelta = KEPT_FOR
    _values: OrderedDict[Any, tuple[datetime, ValueT]] = field(default_factory=OrderedDict)

    def get(self, key: Any, *, now: datetime) -> ValueT | None:
        kept = self._values.get(key)
        if kept is None or now - kept[0] > self.age:
            self._values.pop(key, None)
            return None
        self._values.move_to_end(key)
        return kept[1]

    def put(self, key: Any, value: ValueT, *, now: datetime) -> None:
        self._values[key] = (now, value)
        self._values.move_to_end(key)
        while len(self._values) > self.most:
            self._values.popitem(last=False)
