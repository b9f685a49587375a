"""Jobs of devices."""

from __future__ import annotations

from cloud.kernel.audit import companies
from cloud.kernel.context import system_principal
from cloud.kernel.db import Scope
from cloud.kernel.jobs import Job, Work
from cloud.modules.devices import service


async def extend_partitions(work: Work) -> None:
    company_ids = await companies(work)
    if not company_ids:
        return
    scope = Scope(company_id=company_ids[0])
    principal = system_principal(company_ids[0], org_id=company_ids[0], scope=scope)
    async with work.unit(principal) as ctx:
        await service.extend_partitions(ctx)


async def mark_silent(work: Work) -> None:
    for company_id in await companies(work):
        scope = Scope(company_id=company_id, all=True)
        async with work.unit(system_principal(company_id, org_id=company_id, scope=scope)) as ctx:
            await service.mark_silent(ctx)


JOBS = (
    Job("devices.partitions.extend", run=extend_partitions, cron="20 3 * * *"),
    Job("devices.gateways.mark_silent", run=mark_silent, cron="*/2 * * * *"),
)
