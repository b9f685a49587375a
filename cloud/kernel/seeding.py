"""Seeding: what a module's `seed` gets to make demo data with, through services only."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from cloud.kernel.context import Ctx, Principal
from cloud.kernel.jobs import Work
from cloud.kernel.uow import unit_of_work


@dataclass
class Seeding:
    """`community` is demo/community.yaml as read. `ids` carries what one module made to the next:
    keys like "site:LT", "room:LT/1-1-101", "point:E-LT-110101/energy"."""

    work: Work
    principal: Principal
    community: dict[str, Any]
    now: datetime
    password: str
    vocabulary: frozenset[str]
    ids: dict[str, UUID] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)
    accounts: list[dict[str, str]] = field(default_factory=list)

    def unit(self, *, now: datetime | None = None) -> AbstractAsyncContextManager[Ctx]:
        """A transaction of the seeding person; `now` backdates it to seed history honestly."""
        return unit_of_work(
            self.work.sessions, self.principal, bus=self.work.bus, now=now or self.now
        )

    def become(self, principal: Principal) -> None:
        self.principal = replace(principal)
