"""Two small companies to test in: alpha with two communities, beta with one, and people in them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from cloud.kernel.context import ActorKind, Ctx, Principal
from cloud.kernel.db import Scope, Sessions, uuid7
from cloud.kernel.events import Bus
from cloud.kernel.uow import unit_of_work
from cloud.main import MODULES, vocabulary
from cloud.modules.organization import service as organization
from cloud.modules.organization.models import UnitKind

NOW = datetime(2026, 11, 24, 1, 32, 7, tzinfo=UTC)  # 09:32 in Shanghai


@dataclass
class Company:
    id: UUID
    region_id: UUID
    site_id: UUID
    other_site_id: UUID
    entity_id: UUID


@dataclass
class World:
    """`now` is the clock of every unit of work; `alpha` and `beta` never see each other."""

    sessions: Sessions
    alpha: Company
    beta: Company
    now: datetime = NOW
    bus: Bus = field(default_factory=Bus)

    def headquarters(self, company: Company | None = None) -> Principal:
        company = company or self.alpha
        return person(company, Scope(company_id=company.id, all=True), company.id)

    def at_site(
        self, company: Company | None = None, *, permissions: Iterable[str] | None = None
    ) -> Principal:
        """Somebody of one community: reads HQ's and the region's rows, writes their own."""
        company = company or self.alpha
        scope = Scope(
            company_id=company.id,
            read_orgs=(company.id, company.region_id, company.site_id),
            write_orgs=(company.site_id,),
        )
        return person(company, scope, company.site_id, permissions)

    def at_other_site(self) -> Principal:
        """Somebody of alpha's second community."""
        scope = Scope(
            company_id=self.alpha.id,
            read_orgs=(self.alpha.id, self.alpha.region_id, self.alpha.other_site_id),
            write_orgs=(self.alpha.other_site_id,),
        )
        return person(self.alpha, scope, self.alpha.other_site_id)

    def unit(
        self, principal: Principal | None = None, *, now: datetime | None = None
    ) -> AbstractAsyncContextManager[Ctx]:
        return unit_of_work(
            self.sessions,
            principal or self.at_site(),
            bus=self.bus,
            now=now or self.now,
        )


def person(
    company: Company, scope: Scope, org_id: UUID, permissions: Iterable[str] | None = None
) -> Principal:
    granted = vocabulary() if permissions is None else frozenset(permissions)
    return Principal(
        id=uuid7(),
        company_id=company.id,
        org_id=org_id,
        scope=scope,
        permissions=granted,
        kind=ActorKind.staff,
        name="测试员",
    )


async def build_world(sessions: Sessions) -> World:
    alpha, beta = _company(), _company()
    bus = Bus(pair for module in MODULES for pair in module.handlers)
    world = World(sessions=sessions, alpha=alpha, beta=beta, bus=bus)
    for code, company in (("A", alpha), ("B", beta)):
        async with world.unit(world.headquarters(company)) as ctx:
            await _found(ctx, company, code)
    return world


def _company() -> Company:
    return Company(
        id=uuid7(), region_id=uuid7(), site_id=uuid7(), other_site_id=uuid7(), entity_id=uuid7()
    )


async def _found(ctx: Ctx, company: Company, code: str) -> None:
    await organization.found_company(ctx, code=code, name=f"公司{code}")
    entity = await organization.add_legal_entity(
        ctx, name=f"公司{code}物业", tax_number=f"91330000MA2TEST{code}0X"
    )
    company.entity_id = entity.id
    places = (
        (company.region_id, company.id, UnitKind.region, "R"),
        (company.site_id, company.region_id, UnitKind.project, "S1"),
        (company.other_site_id, company.region_id, UnitKind.project, "S2"),
    )
    for unit_id, parent_id, kind, name in places:
        await organization.add_unit(
            ctx,
            unit_id=unit_id,
            parent_id=parent_id,
            kind=kind,
            code=f"{code}{name}",
            name=f"{code}{name}",
            city="",
        )
