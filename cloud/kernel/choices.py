"""What a form's field or a filter offers to choose from, as its `source` answers it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import Select

from cloud.kernel.context import Ctx

CHOICES_MAX = 200

Typed = Annotated[str, Query(max_length=100)]


class Choice(BaseModel):
    value: str
    label: str


class Choices(BaseModel):
    items: list[Choice]


async def fetch_choices(ctx: Ctx, statement: Select[Any, str]) -> Choices:
    """The first 200 rows of a statement that selects values with their labels."""
    found = await ctx.session.execute(statement.limit(CHOICES_MAX))
    return Choices(items=[Choice(value=str(value), label=label) for value, label in found])
