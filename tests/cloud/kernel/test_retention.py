"""What the kernel forgets, and what it does not."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.jobs import Work
from cloud.kernel.records import IdempotencyKey
from cloud.kernel.retention import KEPT, forget_all, forget_keys
from cloud.modules.accounts.queries import AccountsAuthenticator
from tests.kit.world import NOW, Company, World


async def keep(world: World, company: Company, name: str, age: timedelta) -> None:
    async with world.unit(world.headquarters(company)) as ctx:
        ctx.session.add(
            IdempotencyKey(
                company_id=company.id,
                principal_id=company.id,
                key=name,
                route="POST /x",
                digest=b"",
                created_at=NOW - age,
            )
        )


async def names(world: World, company: Company) -> set[str]:
    async with world.unit(world.headquarters(company)) as ctx:
        return set((await ctx.session.execute(select(col(IdempotencyKey.key)))).scalars())


async def test_answers_older_than_a_month_are_forgotten(world: World) -> None:
    await keep(world, world.alpha, "old", KEPT + timedelta(seconds=1))
    await keep(world, world.alpha, "young", KEPT)
    await keep(world, world.beta, "of another company", KEPT * 2)

    async with world.unit(world.headquarters()) as ctx:
        await forget_keys(ctx)

    assert await names(world, world.alpha) == {"young"}
    assert await names(world, world.beta) == {"of another company"}


async def test_the_job_forgets_for_every_company(world: World) -> None:
    work = Work(world.sessions, world.bus, AccountsAuthenticator(world.sessions))
    for company in (world.alpha, world.beta):
        await keep(world, company, "old", timedelta(days=9_000))

    await forget_all(work)

    assert await names(world, world.alpha) | await names(world, world.beta) == set()
