"""Lists: paging, sorting, search and sums, asked in one shape and answered in one shape.

An export takes the same list whole: see `Drain`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import (
    ARRAY,
    Select,
    SQLColumnExpression,
    UnaryExpression,
    and_,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncMappingResult
from sqlalchemy.sql.operators import custom_op

from cloud.kernel.context import Ctx
from cloud.kernel.errors import FieldError, Unprocessable

ItemT = TypeVar("ItemT")

Statement = Select[*tuple[Any, ...]]
Expression = SQLColumnExpression[Any]

SIZE_MAX = 200
PAGE_MAX = 100_000


class SortUnknown(Unprocessable):
    message = "This list cannot be sorted by “{sort}”. Choose one of {allowed}."


class Page(BaseModel, Generic[ItemT]):
    """One page of a list. `sums` are of the whole filter, not of the page."""

    model_config = ConfigDict(from_attributes=True)

    items: list[ItemT]
    total: int
    sums: dict[str, str]
    views: dict[str, int]
    as_of: datetime


@dataclass(frozen=True)
class Listing:
    page: int
    size: int
    sort: str | None
    q: str
    site_id: UUID | None


def listed(
    page: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 1,
    size: Annotated[int, Query(ge=1, le=SIZE_MAX)] = 50,
    sort: Annotated[str | None, Query(max_length=60)] = None,
    q: Annotated[str, Query(max_length=100)] = "",
    site_id: UUID | None = None,
) -> Listing:
    return Listing(page=page, size=size, sort=sort, q=q.strip(), site_id=site_id)


def _shared_listing(
    page: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 1,
    size: Annotated[int, Query(ge=1, le=SIZE_MAX)] = 50,
    sort: Annotated[str | None, Query(max_length=60)] = None,
    q: Annotated[str, Query(max_length=100)] = "",
) -> Listing:
    return Listing(page=page, size=size, sort=sort, q=q.strip(), site_id=None)


Listed = Annotated[Listing, Depends(listed)]
# A list that every community of the viewer shares: it is not narrowed to one.
ListedShared = Annotated[Listing, Depends(_shared_listing)]


@dataclass(frozen=True)
class Sorting:
    """What a list may be sorted by. `tie` makes the order total, so that pages do not overlap."""

    by: Mapping[str, Expression]
    default: str
    tie: Expression

    def order(self, sort: str | None) -> list[Expression]:
        """Raises SortUnknown."""
        wanted = sort or self.default
        column = self.by.get(wanted.removeprefix("-"))
        if column is None:
            raise SortUnknown(
                sort=wanted,
                allowed=", ".join(self.by),
                fields=(FieldError("sort", "sort-unknown"),),
            )
        return [column.desc() if wanted.startswith("-") else column.asc(), self.tie]


class Drain:
    """A list taken whole: the module's own query over one cursor, `size` rows with each call.

    While it is open, `fetch_page` answers the next rows and nothing is counted.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._rows: AsyncMappingResult | None = None

    @contextmanager
    def over(self, ctx: Ctx) -> Iterator[None]:
        ctx.session.info[_DRAIN] = self
        try:
            yield
        finally:
            del ctx.session.info[_DRAIN]

    async def take(self, ctx: Ctx, statement: Statement) -> Sequence[Any]:
        if self._rows is None:
            found = await ctx.session.stream(statement, execution_options={"yield_per": self.size})
            self._rows = found.mappings()
        return await self._rows.fetchmany(self.size)


_DRAIN = "drain"


def _drain(ctx: Ctx) -> Drain | None:
    return ctx.session.info.get(_DRAIN)


async def fetch_page(
    ctx: Ctx,
    statement: Statement,
    listing: Listing,
    *,
    sorting: Sorting,
    sums: Mapping[str, Expression] | None = None,
    views: Mapping[str, int] | None = None,
    row: type[BaseModel] | None = None,
) -> dict[str, Any]:
    """Run `statement` for one page: two queries. Rows come as mappings of the selected labels."""
    ordered = statement.order_by(*sorting.order(listing.sort))
    drain = _drain(ctx)
    if drain is not None:
        items = await drain.take(ctx, ordered)
        return {
            "items": [row.model_validate(dict(item)) for item in items] if row else items,
            "total": 0,
            "sums": {},
            "views": {},
            "as_of": ctx.now,
        }
    totals = await ctx.session.execute(
        statement.with_only_columns(
            func.count().label("total"),
            *(
                func.coalesce(func.sum(column), 0).label(key)
                for key, column in (sums or {}).items()
            ),
            maintain_column_froms=True,
        ).order_by(None)
    )
    total, *values = totals.one()
    rows = await ctx.session.execute(
        ordered.limit(listing.size).offset((listing.page - 1) * listing.size)
    )
    items = rows.mappings().all()
    return {
        "items": [row.model_validate(dict(item)) for item in items] if row else items,
        "total": total,
        "sums": {key: str(Decimal(value)) for key, value in zip(sums or {}, values, strict=True)},
        "views": dict(views or {}),
        "as_of": ctx.now,
    }


async def count(ctx: Ctx, statement: Statement) -> int:
    if _drain(ctx) is not None:
        return 0
    counted = select(func.count()).select_from(statement.order_by(None).subquery())
    return int((await ctx.session.execute(counted)).scalar_one())


async def count_views(
    ctx: Ctx, statement: Statement, views: Mapping[str, Expression | None]
) -> dict[str, int]:
    """How many rows each view has, in one statement; None is all of them."""
    if _drain(ctx) is not None:
        return dict.fromkeys(views, 0)
    counted = [
        (func.count() if shown is None else func.count().filter(shown)).label(code)
        for code, shown in views.items()
    ]
    found = await ctx.session.execute(
        statement.with_only_columns(*counted, maintain_column_froms=True).order_by(None)
    )
    return dict(zip(views, found.one(), strict=True))


def contains(text: str) -> str:
    """A LIKE pattern for `text` anywhere, with its own wildcards escaped."""
    return f"%{_escaped(text)}%"


def among(column: Any, values: Collection[Any]) -> Expression:
    """Whether the column is one of `values`, which are one parameter however many they are."""
    found: Expression = column == any_(literal(list(values), ARRAY(column.type)))
    return found


def starts(text: str) -> str:
    return f"{_escaped(text)}%"


def begins(column: Expression, text: str) -> Expression:
    """Whether `column` begins with `text`, in a form that an index can answer below row security:
    LIKE is not leakproof, so that Postgres looks at every row first."""
    # Comparisons by bytes, which indexes with varchar_pattern_ops are made of.
    from_here, to_there = column.op("~>=~")(text), column.op("~<~")(text + "\U0010ffff")
    return and_(from_here, to_there)


def backwards(column: Any) -> UnaryExpression[Any]:
    """Descending by bytes: the order of the indexes that `begins` reads, so that the last few of
    very many rows are found without sorting them all."""
    return UnaryExpression(column, modifier=custom_op("USING ~>~"))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
