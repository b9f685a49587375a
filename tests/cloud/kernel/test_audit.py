"""The audit trail: appended, sealed, and broken by nothing but a change."""

from __future__ import annotations

import asyncio
import itertools

import psycopg
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.db import uuid7
from cloud.kernel.jobs import Work
from cloud.kernel.records import AuditRow, AuditSeal
from cloud.modules.accounts.queries import AccountsAuthenticator
from tests.kit.database import TestDatabase
from tests.kit.world import Company, World


async def note(world: World, action: str = "sample.bill.voided") -> None:
    async with world.unit() as ctx:
        await audit.record(
            ctx,
            action=action,
            subject_kind="sample.bill",
            subject_id=uuid7(),
            org_id=world.alpha.site_id,
            before={"amount": "12.30"},
            after={"amount": "0.00"},
            reason="录入错误",
        )


async def seal(world: World) -> int:
    async with world.unit(world.headquarters()) as ctx:
        return await audit.seal_company(ctx)


async def unsealed(world: World, company: Company | None = None) -> int:
    async with world.unit(world.headquarters(company)) as ctx:
        sealed = select(func.coalesce(func.max(AuditSeal.last_xact), 0)).scalar_subquery()
        waiting = select(func.count()).where(col(AuditRow.xact) > sealed)
        return int((await ctx.session.execute(waiting)).scalar_one())


async def seal_everything(world: World) -> int:
    """Answers how many rows. Any transaction of the server holds a seal back, so it may wait."""
    rows = 0
    async with asyncio.timeout(60):
        while await unsealed(world):
            rows += await seal(world)
            await asyncio.sleep(0.05)
    return rows


async def seals(world: World) -> list[AuditSeal]:
    async with world.unit(world.headquarters()) as ctx:
        statement = select(AuditSeal).order_by(col(AuditSeal.number))
        return list((await ctx.session.execute(statement)).scalars())


async def verify(world: World) -> int:
    async with world.unit(world.headquarters()) as ctx:
        return await audit.verify_company(ctx)


@pytest.fixture
async def sealed(committed: World) -> World:
    """At least three seals over the rows of five transactions, besides those of the world."""
    for count in (3, 1, 1):
        for _ in range(count):
            await note(committed)
        await seal_everything(committed)
    return committed


class TestRecord:
    async def test_says_who_did_what_when_and_why(self, world: World) -> None:
        principal = world.at_site()
        async with world.unit(principal) as ctx:
            await audit.record(
                ctx,
                action="sample.bill.voided",
                subject_kind="sample.bill",
                subject_id=None,
                org_id=world.alpha.site_id,
                reason="录入错误",
            )
        async with world.unit(principal) as ctx:
            statement = select(AuditRow).where(col(AuditRow.action) == "sample.bill.voided")
            row = (await ctx.session.execute(statement)).scalar_one()

        assert (row.actor_id, row.actor_kind, row.at) == (principal.id, "staff", world.now)
        assert (row.reason, row.company_id) == ("录入错误", world.alpha.id)
        assert row.request_id

    @pytest.mark.parametrize(
        "change", ["UPDATE kernel_audit_row SET reason = ''", "DELETE FROM kernel_audit_row"]
    )
    async def test_cannot_be_changed_by_the_platform(self, world: World, change: str) -> None:
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with world.unit() as ctx:
                await ctx.session.execute(text(change))

    async def test_hides_another_companys(self, world: World) -> None:
        await note(world)
        async with world.unit(world.headquarters(world.beta)) as ctx:
            seen = await ctx.session.execute(select(col(AuditRow.company_id)).distinct())

        assert set(seen.scalars()) == {world.beta.id}


class TestSeals:
    async def test_hold_when_nothing_was_changed(self, sealed: World) -> None:
        assert await verify(sealed) == len(await seals(sealed)) >= 3

    async def test_cover_every_row_once(self, sealed: World) -> None:
        async with sealed.unit(sealed.headquarters()) as ctx:
            rows = (await ctx.session.execute(select(func.count(col(AuditRow.id))))).scalar_one()
        chain = await seals(sealed)

        assert sum(each.row_count for each in chain) == rows
        assert [each.number for each in chain] == list(range(1, len(chain) + 1))
        assert all(one.last_xact < two.first_xact for one, two in itertools.pairwise(chain))

    async def test_nothing_new_is_not_sealed(self, sealed: World) -> None:
        before = len(await seals(sealed))

        assert await seal(sealed) == 0
        assert len(await seals(sealed)) == before

    async def test_leave_a_running_transaction_for_later(self, sealed: World) -> None:
        async with sealed.unit() as late:
            await audit.record(
                late,
                action="sample.bill.late",
                subject_kind="sample.bill",
                subject_id=None,
                org_id=sealed.alpha.site_id,
            )
            await late.session.flush()
            await note(sealed)
            early = await seal(sealed)
        after = await seal_everything(sealed)

        assert (early, after) == (0, 2)
        assert await verify(sealed) == len(await seals(sealed))

    async def test_are_made_for_every_company_by_the_job(self, committed: World) -> None:
        work = Work(committed.sessions, committed.bus, AccountsAuthenticator(committed.sessions))

        async with asyncio.timeout(60):
            while await unsealed(committed) or await unsealed(committed, committed.beta):
                await audit.seal_all(work)
                await asyncio.sleep(0.05)

        held = []
        for company in (committed.alpha, committed.beta):
            async with committed.unit(committed.headquarters(company)) as ctx:
                held.append(await audit.verify_company(ctx))
        assert all(held)

    @pytest.mark.parametrize(
        "tampering",
        [
            "UPDATE kernel_audit_row SET reason = 'nothing' WHERE action = 'sample.bill.voided'",
            "UPDATE kernel_audit_row SET at = at - interval '1 hour'",
            "UPDATE kernel_audit_row SET before = NULL WHERE action = 'sample.bill.voided'",
            "DELETE FROM kernel_audit_row WHERE id = (SELECT max(id) FROM kernel_audit_row)",
            "UPDATE kernel_audit_seal SET digest = 'x' WHERE number = 2",
            "DELETE FROM kernel_audit_seal WHERE number = 2",
        ],
    )
    async def test_break_when_somebody_changes_the_trail(
        self, sealed: World, own_database: TestDatabase, tampering: str
    ) -> None:
        with psycopg.connect(own_database.owner_url) as owner:
            owner.execute("SELECT set_config('app.company', %s, false)", (str(sealed.alpha.id),))
            owner.execute(tampering.encode())

        with pytest.raises(audit.TrailBroken):
            await verify(sealed)


class TestAfterRestoringADump:
    async def test_sealing_goes_on_where_it_was(
        self, sealed: World, own_database: TestDatabase
    ) -> None:
        """The dump of a cluster that was a million transactions further."""
        with psycopg.connect(own_database.owner_url) as owner:
            owner.execute("UPDATE kernel_cluster SET identifier = 1, base = 1000000")
        await note(sealed)
        await seal_everything(sealed)
        before = len(await seals(sealed))
        with psycopg.connect(own_database.owner_url) as owner:
            owner.execute("UPDATE kernel_cluster SET base = 0")
            owner.execute("SELECT kernel_rebase()")

        await note(sealed)

        assert await seal_everything(sealed) == 1
        assert await verify(sealed) == before + 1
