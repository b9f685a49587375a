"""The search over everything: what each module's source is asked, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel

from cloud.kernel.ui.language import Tone

if TYPE_CHECKING:
    from cloud.kernel.context import Ctx

QUERY_LENGTH_MAX = 50
HITS_PER_SOURCE = 6
# One Chinese character narrows a search; one letter or digit of a million names does not.
_TOO_SHORT = re.compile(r"[\x00-\x7f]")
_INITIALS = re.compile(r"[A-Za-z]{2,}")
_NUMBER = re.compile(r"[A-Za-z]{0,4}[0-9][0-9-]*")


@dataclass(frozen=True)
class Wanted:
    """What was typed. `orgs` are the units to search in, None for everything in scope."""

    text: str
    orgs: Sequence[UUID] | None
    limit: int = HITS_PER_SOURCE

    @property
    def too_short(self) -> bool:
        return not self.text or _TOO_SHORT.fullmatch(self.text) is not None

    @property
    def initials(self) -> str | None:
        """The text when it may be the initials of a name."""
        return self.text.lower() if _INITIALS.fullmatch(self.text) else None

    @property
    def number(self) -> str | None:
        """The text when it may be the beginning of a document's number."""
        return self.text.upper() if _NUMBER.fullmatch(self.text) else None


class SearchTag(BaseModel):
    label: str
    tone: Tone


class SearchHit(BaseModel):
    """`path` is where the office opens it."""

    key: str
    title: str
    note: str
    path: str
    tag: SearchTag | None = None


class SearchGroup(BaseModel):
    code: str
    label: str
    icon: str
    hits: list[SearchHit]


class SearchAnswer(BaseModel):
    """`hint` says what to do when nothing was searched."""

    groups: list[SearchGroup]
    hint: str | None


@dataclass(frozen=True)
class Source:
    """What a module lets people find. `find` runs in the caller's scope, for who may read it;
    the lowest `rank` is shown first."""

    code: str
    title: str
    icon: str
    permission: StrEnum
    find: Callable[[Ctx, Wanted], Awaitable[list[SearchHit]]]
    rank: int
