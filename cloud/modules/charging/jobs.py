"""The work of a run that was accepted: chunk by chunk, then the turn that records its end."""

from __future__ import annotations

from uuid import UUID

from cloud.kernel.db import uuid7
from cloud.kernel.errors import AppError
from cloud.kernel.jobs import Job, Work
from cloud.kernel.sites import Ask
from cloud.modules.charging import service


async def generate_run(
    work: Work, *, company_id: str, site_id: str, run_id: str, user_id: str
) -> None:
    """Write the drafts. A retry begins again from an empty list of drafts."""
    failure = ""
    company, site, run = UUID(company_id), UUID(site_id), UUID(run_id)
    try:
        async with work.site(company_id=company, site_id=site) as ctx:
            await service.begin_drafts(ctx, run_id=run)
        after: UUID | None = None
        while True:
            async with work.site(company_id=company, site_id=site) as ctx:
                after = await service.generate_chunk(ctx, run_id=run, after=after)
            if after is None:
                break
    except AppError as refusal:
        failure = str(refusal)
    await _finish(work, site, run, UUID(user_id), failure)


async def publish_run(
    work: Work, *, company_id: str, site_id: str, run_id: str, user_id: str
) -> None:
    """Publish in one transaction. A retry after the commit only records the end."""
    failure = ""
    site, run = UUID(site_id), UUID(run_id)
    try:
        async with work.site(company_id=UUID(company_id), site_id=site) as ctx:
            await service.publish_run(ctx, run_id=run)
    except AppError as refusal:
        failure = str(refusal)
    await _finish(work, site, run, UUID(user_id), failure)


async def _finish(work: Work, site: UUID, run: UUID, user: UUID, failure: str) -> None:
    assert work.sites is not None
    await work.sites.ask(
        Ask(
            site_id=site,
            function="charging.run.finish",
            payload={"run_id": str(run), "failure": failure},
            principal_id=user,
            request_id=str(uuid7()),
        )
    )


JOBS = (
    Job("charging.drafts.write", run=generate_run),
    Job("charging.bills.issue", run=publish_run),
)
