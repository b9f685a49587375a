"""A declared list taken whole: its own route's query, with the filter that the office sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel

from cloud.kernel.context import Ctx
from cloud.kernel.listing import Drain, listed
from cloud.kernel.ui.render import Source, permission_of

ROWS_PER_BATCH = 1_000
Query = Mapping[str, str]


async def first_of(ctx: Ctx, source: Source, query: Query) -> dict[str, Any]:
    """The list asked for one row: its total and its sums. Raises what the list's route raises."""
    answer: dict[str, Any] = await _call(ctx, source.route, query)
    return answer


async def all_of(ctx: Ctx, source: Source, query: Query) -> AsyncIterator[list[dict[str, Any]]]:
    """Every row of the list in its order, in batches, as they would go over the wire."""
    drain = Drain(ROWS_PER_BATCH)
    with drain.over(ctx):
        while True:
            page = await _call(ctx, source.route, query)
            rows = [_plain(source.row, item) for item in page["items"]]
            if rows:
                yield rows
            if len(rows) < ROWS_PER_BATCH:
                return


async def shown_choice(ctx: Ctx, route: APIRoute, value: str) -> str | None:
    """The label of a filter's value, where its list of choices has it."""
    answer = await _call(ctx, route, {})
    items = answer["items"] if isinstance(answer, dict) else answer.items
    for item in items:
        if str(item.value) == value:
            return str(item.label)
    return None


async def _call(ctx: Ctx, route: APIRoute, query: Query) -> Any:
    permission = permission_of(route.dependant)
    assert permission is not None
    async with ctx.holding(permission) as there:
        return await route.endpoint(**_arguments(there, route, query))


def _arguments(ctx: Ctx, route: APIRoute, query: Query) -> dict[str, Any]:
    values, errors = request_params_to_args(route.dependant.query_params, query)
    for child in route.dependant.dependencies:
        assert child.name is not None
        if child.call is listed:
            asked, wrong = request_params_to_args(child.query_params, {**query, "size": "1"})
            errors += wrong
            if not wrong:
                values[child.name] = listed(**asked)
        else:
            assert getattr(child.call, "permission", None), f"{route.path} is no plain list"
            values[child.name] = ctx
    if errors:
        raise RequestValidationError(errors)
    return values


def _plain(row: type[BaseModel], item: Any) -> dict[str, Any]:
    read = item if isinstance(item, row) else row.model_validate(dict(item))
    return read.model_dump(by_alias=True)
