"""Row by row in memory: what each row becomes, or why it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from cloud.kernel.errors import AppError

RowT = TypeVar("RowT")
MadeT = TypeVar("MadeT")
LaterT = TypeVar("LaterT")


def tried(rows: Iterable[RowT], take: Callable[[RowT], MadeT]) -> list[MadeT | AppError]:
    """What `take` makes of each row, or what it raises; it keeps nothing of one that it refuses."""
    told: list[MadeT | AppError] = []
    for row in rows:
        try:
            told.append(take(row))
        except AppError as error:
            told.append(error)
    return told


def good(told: Iterable[MadeT | AppError]) -> list[MadeT]:
    return [one for one in told if not isinstance(one, AppError)]


def then(told: Iterable[Any | AppError], later: Iterable[LaterT]) -> list[LaterT | AppError]:
    """The refusals in their places, and `later` in the places of the good ones."""
    following = iter(later)
    return [one if isinstance(one, AppError) else next(following) for one in told]


def reasons(told: Sequence[Any | AppError]) -> list[AppError | None]:
    return [one if isinstance(one, AppError) else None for one in told]
