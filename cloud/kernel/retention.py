"""What the kernel forgets: answers kept for repeated requests, after a month."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col

from cloud.kernel.audit import companies
from cloud.kernel.context import Ctx, system_principal
from cloud.kernel.db import Scope
from cloud.kernel.jobs import Job, Work
from cloud.kernel.records import IdempotencyKey

KEPT = timedelta(days=30)  # no client retries for longer; what it wrote stays for ever


async def forget_keys(ctx: Ctx) -> None:
    """Drop the company's answers that are older than a month."""
    await ctx.session.execute(
        delete(IdempotencyKey).where(col(IdempotencyKey.created_at) < ctx.now - KEPT)
    )


async def forget_all(work: Work) -> None:
    """Every company's, each in its own transaction and scope."""
    for company_id in await companies(work):
        scope = Scope(company_id=company_id)
        async with work.unit(system_principal(company_id, org_id=company_id, scope=scope)) as ctx:
            await forget_keys(ctx)


FORGET = Job("kernel.keys.forget", run=forget_all, cron="20 3 * * *")
