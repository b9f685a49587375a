"""Who acts, and the one ambient thing that every service function takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kernel.db import Record, Scope, bind_scope
from cloud.kernel.errors import NotFound, PasswordDue, PermissionMissing, StaleVersion
from cloud.kernel.events import Bus
from cloud.kernel.i18n import CHINESE, Texts

RecordT = TypeVar("RecordT", bound=Record)

_TAKE = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


@cache
def _by_id(model: type[RecordT], *, lock: bool) -> Select[RecordT]:
    """Built once a model: what is built anew for each call costs as much as running it."""
    statement = select(model).where(model.id == bindparam("record_id"))  # type: ignore[arg-type]
    if lock:
        return statement.with_for_update().execution_options(populate_existing=True)
    return statement


class ActorKind(StrEnum):
    staff = "staff"
    system = "system"
    device = "device"


@dataclass(frozen=True)
class Holding:
    """What somebody may do in one part of the company."""

    scope: Scope
    permissions: frozenset[str]


@dataclass(frozen=True)
class Principal:
    """Who acts: their company, the rows they may see and write, and what they may do.

    Somebody who holds different roles in different units has `holdings`: `scope` and `permissions`
    are then all of them together, and `acting` says where one permission holds.
    """

    company_id: UUID
    org_id: UUID
    scope: Scope
    permissions: frozenset[str] = frozenset()
    id: UUID | None = None
    kind: ActorKind = ActorKind.staff
    name: str = ""
    locale: str = "zh-CN"
    time_zone: str = "Asia/Shanghai"
    password_due: bool = False  # logged in with a password that somebody else chose
    holdings: tuple[Holding, ...] = ()

    def require(self, permission: str) -> None:
        """Raises PermissionMissing, and PasswordDue until the first password is replaced."""
        if self.password_due:
            raise PasswordDue
        if permission not in self.permissions:
            raise PermissionMissing(permission=str(permission))

    def acting(self, permission: str) -> Principal:
        """The same person only where they hold `permission`, with what they hold in all of that.

        Raises as `require` does.
        """
        self.require(permission)
        if not self.holdings:
            return self
        there = [held for held in self.holdings if permission in held.permissions]
        everywhere = frozenset(
            each
            for each in self.permissions
            if all(self._covers(each, held.scope) for held in there)
        )
        scope = Scope.together([held.scope for held in there])
        return replace(self, scope=scope, permissions=everywhere)

    def _covers(self, permission: str, scope: Scope) -> bool:
        return any(
            permission in held.permissions and held.scope.covers(scope) for held in self.holdings
        )

    def narrowed(self, site_id: UUID, ancestors: tuple[UUID, ...]) -> Principal:
        """The same person inside one site. Raises NotFound when the site is not theirs to write."""
        if not self.scope.all and site_id not in self.scope.write_orgs:
            raise NotFound
        scope = Scope(
            company_id=self.company_id,
            read_orgs=(*ancestors, site_id),
            write_orgs=(site_id,),
        )
        return replace(self, scope=scope, holdings=())


def system_principal(
    company_id: UUID, *, org_id: UUID, scope: Scope, permissions: frozenset[str] = frozenset()
) -> Principal:
    """A job or a device at work: an explicit scope, never a bypass."""
    return Principal(
        company_id=company_id,
        org_id=org_id,
        scope=scope,
        permissions=permissions,
        kind=ActorKind.system,
        name="系统",
    )


@dataclass(frozen=True)
class Door:
    """What came with the request and matters below: the idempotency key and the body's digest."""

    route: str = ""
    key: str | None = None
    digest: bytes = b""
    address: str = ""
    locale: str = CHINESE


@dataclass(frozen=True)
class Ctx:
    """One transaction: its session, who acts in it, and when it happens."""

    session: AsyncSession
    principal: Principal
    now: datetime
    request_id: str
    bus: Bus
    door: Door = field(default_factory=Door)
    texts: Texts = field(default_factory=Texts)

    def say(self, key: str, **params: Any) -> str:
        """The text of an English key in the caller's language, with its parameters filled in."""
        return self.texts.label(key, self.door.locale).format_map(params)

    @property
    def business_on(self) -> date:
        """The local calendar day that this transaction's documents carry."""
        return self.local(self.now).date()

    def local(self, at: datetime) -> datetime:
        """An instant as the clock on the wall shows it where the caller works."""
        return at.astimezone(ZoneInfo(self.principal.time_zone))

    async def announce(self, event: object) -> None:
        """Run the handlers of `event` in manifest order, in this transaction."""
        await self.bus.publish(self, event)

    async def take(self, key: str) -> None:
        """Wait until no other transaction has taken `key`; it is given back when this one ends.

        For what has no row to lock, or one that nobody may change.
        """
        await self.session.execute(_TAKE, {"key": key})

    async def acting(self, permission: str) -> Ctx:
        """The transaction, bound from here on to where the caller holds `permission`.

        Raises PermissionMissing and PasswordDue.
        """
        principal = self.principal.acting(permission)
        if self.principal.holdings:
            await bind_scope(self.session, principal.scope)
        return replace(self, principal=principal)

    @asynccontextmanager
    async def holding(self, permission: str) -> AsyncIterator[Ctx]:
        """The same for a block, after which the transaction is bound as it was."""
        yield await self.acting(permission)
        if self.principal.holdings:
            await bind_scope(self.session, self.principal.scope)

    def stamp(self, org_id: UUID) -> dict[str, Any]:
        """The columns of Record that every new row takes from the transaction."""
        return {
            "company_id": self.principal.company_id,
            "org_id": org_id,
            "created_at": self.now,
            "created_by": self.principal.id,
        }

    async def find(
        self, model: type[RecordT], record_id: UUID, *, lock: bool = False
    ) -> RecordT | None:
        found = await self.session.execute(_by_id(model, lock=lock), {"record_id": record_id})
        record: RecordT | None = found.scalar_one_or_none()
        return record

    async def get(
        self,
        model: type[RecordT],
        record_id: UUID,
        *,
        lock: bool = False,
        version: int | None = None,
    ) -> RecordT:
        """Raises NotFound, also for what is out of scope; StaleVersion when `version` is old."""
        record = await self.find(model, record_id, lock=lock)
        if record is None:
            raise NotFound
        if version is not None and record.version != version:
            raise StaleVersion
        return record
