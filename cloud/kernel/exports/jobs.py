"""Long exports in the worker, under the rights that their person has when they run."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import col

from cloud.kernel.audit import companies
from cloud.kernel.context import Ctx, Door, Principal, system_principal
from cloud.kernel.db import Scope
from cloud.kernel.errors import AppError, Unauthenticated
from cloud.kernel.exports import service
from cloud.kernel.exports.models import Export, ExportState
from cloud.kernel.jobs import Job, Work
from cloud.kernel.uow import unit_of_work

KEPT = timedelta(days=7)


async def write_export(work: Work, *, company_id: str, export_id: str, user_id: str) -> None:
    """Make the file beside its final name, then say that it is done; started over, it is the same
    file again."""
    assert work.pages is not None
    assert work.files is not None
    wanted_id = UUID(export_id)
    system = _system(UUID(company_id))
    async with work.unit(system) as ctx:
        export = await ctx.get(Export, wanted_id, lock=True)
        if export.state not in {ExportState.waiting, ExportState.running}:
            return
        export.state = ExportState.running
    path = service.file_of(work.files, export)
    part = path.with_suffix(".part")
    try:
        principal = await work.authenticator.by_user(UUID(user_id))
        if principal is None:
            raise Unauthenticated  # noqa: TRY301 - the account was closed: told like any refusal

        async def progress(rows: int) -> None:
            await _note(work, system, wanted_id, written=rows)

        async with _as(work, principal, export.locale) as ctx:
            wanted = service.wanted_of(ctx, work.pages, code=export.page, query=export.query)
            rows = await service.write_file(ctx, wanted, part, progress=progress)
            await service.record_export(ctx, wanted, rows)
        part.replace(path)
    except AppError as error:
        part.unlink(missing_ok=True)
        said = work.texts.error(error.code, error.message, error.params, export.locale)
        await _end(work, system, wanted_id, state=ExportState.failed, failure=said[:400])
    except Exception:
        part.unlink(missing_ok=True)
        await _end(work, system, wanted_id, state=ExportState.failed)
        raise
    else:
        size = path.stat().st_size
        await _end(work, system, wanted_id, state=ExportState.done, written=rows, file_bytes=size)


def _system(company_id: UUID) -> Principal:
    return system_principal(
        company_id, org_id=company_id, scope=Scope(company_id=company_id, all=True)
    )


def _as(work: Work, principal: Principal, locale: str) -> AbstractAsyncContextManager[Ctx]:
    return unit_of_work(
        work.sessions, principal, bus=work.bus, door=Door(locale=locale), texts=work.texts
    )


async def _note(work: Work, system: Principal, export_id: UUID, **values: object) -> None:
    async with work.unit(system) as ctx:
        await ctx.session.execute(
            update(Export).where(col(Export.id) == export_id).values(**values)
        )


async def _end(work: Work, system: Principal, export_id: UUID, **values: object) -> None:
    async with work.unit(system) as ctx:
        await ctx.session.execute(
            update(Export)
            .where(col(Export.id) == export_id)
            .values(finished_at=ctx.now, version=Export.version + 1, **values)
        )


async def expire_exports(work: Work) -> None:
    """Files are kept a week; that there was an export stays known."""
    assert work.files is not None
    for company_id in await companies(work):
        async with work.unit(_system(company_id)) as ctx:
            old = await ctx.session.execute(
                select(Export)
                .where(
                    col(Export.state) == ExportState.done,
                    col(Export.finished_at) < ctx.now - KEPT,
                )
                .with_for_update()
            )
            for export in old.scalars():
                service.file_of(work.files, export).unlink(missing_ok=True)
                export.state = ExportState.expired


JOBS = (
    Job("kernel.export.write", run=write_export, retries=1),
    Job("kernel.export.expire", run=expire_exports, cron="40 3 * * *"),
)
