"""Lists: pages that do not overlap, sums of the whole filter, and LIKE patterns that match text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text

from cloud.kernel.context import Ctx
from cloud.kernel.db import ExactNumeric
from cloud.kernel.listing import (
    Listing,
    Sorting,
    SortUnknown,
    Statement,
    contains,
    count,
    fetch_page,
    starts,
)
from tests.kit.world import World

ROWS = Table(
    "probe_row",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String),
    Column("paid", ExactNumeric("amount")),
    prefixes=["TEMPORARY"],
)
SORTING = Sorting(by={"name": ROWS.c.name, "paid": ROWS.c.paid}, default="name", tie=ROWS.c.id)


class Row(BaseModel):
    id: int
    name: str
    paid: Decimal


def listing(*, page: int = 1, size: int = 2, sort: str | None = None) -> Listing:
    return Listing(page=page, size=size, sort=sort, q="", site_id=None)


async def fill(ctx: Ctx) -> Statement:
    await ctx.session.execute(
        text("CREATE TEMPORARY TABLE probe_row (id integer, name text, paid amount) ON COMMIT DROP")
    )
    await ctx.session.execute(
        insert(ROWS),
        [{"id": index, "name": "same", "paid": Decimal(index)} for index in range(1, 6)],
    )
    return select(ROWS.c.id, ROWS.c.name, ROWS.c.paid)


class TestFetchPage:
    async def test_pages_cover_equal_rows_once(self, world: World) -> None:
        async with world.unit() as ctx:
            statement = await fill(ctx)
            pages = [
                await fetch_page(ctx, statement, listing(page=page), sorting=SORTING, row=Row)
                for page in (1, 2, 3)
            ]

        assert [[row.id for row in page["items"]] for page in pages] == [[1, 2], [3, 4], [5]]
        assert [page["total"] for page in pages] == [5, 5, 5]
        assert pages[0]["as_of"] == world.now

    async def test_sums_are_of_the_whole_filter(self, world: World) -> None:
        async with world.unit() as ctx:
            statement = (await fill(ctx)).where(ROWS.c.id > 2)
            page = await fetch_page(
                ctx,
                statement,
                listing(size=1),
                sorting=SORTING,
                sums={"paid": ROWS.c.paid},
                views={"all": 3},
            )

        assert (page["total"], page["sums"], page["views"]) == (3, {"paid": "12"}, {"all": 3})

    async def test_an_empty_list_sums_to_nothing(self, world: World) -> None:
        async with world.unit() as ctx:
            statement = (await fill(ctx)).where(ROWS.c.id > 99)
            page = await fetch_page(
                ctx, statement, listing(), sorting=SORTING, sums={"paid": ROWS.c.paid}
            )

        assert (page["items"], page["total"], page["sums"]) == ([], 0, {"paid": "0"})

    async def test_sorts_downward(self, world: World) -> None:
        async with world.unit() as ctx:
            statement = await fill(ctx)
            page = await fetch_page(ctx, statement, listing(sort="-paid"), sorting=SORTING)

        assert [row["id"] for row in page["items"]] == [5, 4]

    @pytest.mark.parametrize("sort", ["id", "--paid", "paid;", "-"])
    def test_refuses_an_order_that_is_not_offered(self, sort: str) -> None:
        with pytest.raises(SortUnknown):
            SORTING.order(sort)

    async def test_counts(self, world: World) -> None:
        async with world.unit() as ctx:
            assert await count(ctx, (await fill(ctx)).order_by(ROWS.c.id)) == 5


class TestPatterns:
    @given(
        st.text(alphabet="ab%_\\", min_size=1, max_size=6), st.text(alphabet="ab%_\\", max_size=8)
    )
    def test_match_the_text_and_nothing_else(self, wanted: str, value: str) -> None:
        assert like(contains(wanted), value) == (wanted in value)
        assert like(starts(wanted), value) == value.startswith(wanted)


def like(pattern: str, value: str) -> bool:
    """LIKE as the standard says it, with backslash as its escape."""
    if not pattern:
        return not value
    head, rest = pattern[0], pattern[1:]
    if head == "%":
        return any(like(rest, value[at:]) for at in range(len(value) + 1))
    if head == "\\":
        head, rest = rest[0], rest[1:]
        return value[:1] == head and like(rest, value[1:])
    return bool(value) and head in {"_", value[0]} and like(rest, value[1:])
