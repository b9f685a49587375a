"""The daily work of resources: areas that hold from today."""

from __future__ import annotations

from cloud.kernel.audit import companies
from cloud.kernel.context import system_principal
from cloud.kernel.db import Scope
from cloud.kernel.jobs import Job, Work
from cloud.modules.resources import service


async def apply_due_areas(work: Work) -> None:
    """Let rooms show the areas that were announced for today. Bills read the history anyway."""
    for company_id in await companies(work):
        scope = Scope(company_id=company_id, all=True)
        async with work.unit(system_principal(company_id, org_id=company_id, scope=scope)) as ctx:
            await service.apply_due_areas(ctx)


JOBS = (Job("resources.areas.apply", run=apply_due_areas, cron="5 0 * * *"),)
