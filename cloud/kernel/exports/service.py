"""Taking a list away as a file: at once when it is short, in the background when it is long."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Response
from fastapi.responses import FileResponse, JSONResponse
from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, NotFound, TooMany, Unprocessable
from cloud.kernel.exports import lists
from cloud.kernel.exports.models import Export, ExportState
from cloud.kernel.exports.schemas import ExportRead, Exports
from cloud.kernel.exports.workbook import Workbook
from cloud.kernel.files import Files
from cloud.kernel.jobs import defer
from cloud.kernel.ui.language import Table
from cloud.kernel.ui.render import Pages, Source

ROWS_AT_ONCE = 5_000
ROWS_MAX = 500_000
RUNNING_MAX = 3
SHOWN_MAX = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Progress = Callable[[int], Awaitable[None]]


class ExportTooLarge(Unprocessable):
    message = "This list has {total} rows; at most {most} can be exported. Narrow the filter."


class ExportsRunning(TooMany):
    message = "{running} of your exports are still running. Wait until one is done."


class ExportNotDone(Conflict):
    message = "This export has no file: it is {state}. Export the list again."


@dataclass(frozen=True)
class Wanted:
    """A list that somebody may export: where it comes from and how they see it."""

    source: Source
    table: Table
    query: Mapping[str, str]


async def export_page(ctx: Ctx, pages: Pages, *, code: str, query: Mapping[str, str]) -> Response:
    """The file, or 202 with an export that the worker makes. Raises PageUnknown, what the list's
    own route raises, ExportTooLarge and ExportsRunning."""
    wanted = wanted_of(ctx, pages, code=code, query=query)
    total = (await lists.first_of(ctx, wanted.source, query))["total"]
    if total > ROWS_MAX:
        raise ExportTooLarge(total=f"{total:,}", most=f"{ROWS_MAX:,}")
    if total > ROWS_AT_ONCE:
        export = await _put_off(ctx, wanted, total)
        read = ExportRead.model_validate(export)
        return JSONResponse(read.model_dump(mode="json"), status_code=202)
    with tempfile.TemporaryDirectory(prefix="wuye-export-") as folder:
        path = Path(folder) / "list.xlsx"
        rows = await write_file(ctx, wanted, path)
        content = await asyncio.to_thread(path.read_bytes)
    await record_export(ctx, wanted, rows)
    return Response(content, media_type=XLSX, headers=_named(ctx, wanted.table.title))


def wanted_of(ctx: Ctx, pages: Pages, *, code: str, query: Mapping[str, str]) -> Wanted:
    """Raises PageUnknown for a page that is no list or not the caller's."""
    permissions = ctx.principal.permissions
    source = pages.source(code, permissions=permissions)
    table = pages.page(code, permissions=permissions, locale=ctx.door.locale)
    assert isinstance(table, Table)
    return Wanted(source=source, table=table, query=query)


async def write_file(
    ctx: Ctx, wanted: Wanted, path: Path, *, progress: Progress | None = None
) -> int:
    """Write the whole list to `path`, off the event loop; answers how many rows."""
    first = await lists.first_of(ctx, wanted.source, wanted.query)
    who = ctx.say(
        "Exported by {who} on {on}",
        who=ctx.principal.name,
        on=f"{ctx.local(ctx.now):%Y-%m-%d %H:%M:%S}",
    )
    book = await asyncio.to_thread(
        Workbook,
        path,
        title=wanted.table.title,
        columns=wanted.table.columns,
        zone=ctx.principal.time_zone,
        watermark=f"{wanted.table.title} · {who}",
    )
    async for rows in _batches(ctx, wanted):
        await asyncio.to_thread(book.add, rows)
        if progress is not None:
            await progress(book.rows)
    await asyncio.to_thread(
        book.finish,
        sums={key: first["sums"][key] for key in wanted.table.sums if key in first["sums"]},
        sums_label=ctx.say("Sum of the filter"),
        about_label=ctx.say("About this file"),
        facts=await _facts(ctx, wanted, book.rows),
    )
    return book.rows


def _batches(ctx: Ctx, wanted: Wanted) -> AsyncIterator[list[dict[str, Any]]]:
    return lists.all_of(ctx, wanted.source, wanted.query)


async def record_export(ctx: Ctx, wanted: Wanted, rows: int) -> None:
    """Data leaves the building: who took which list, with which filter, how much of it."""
    await audit.record(
        ctx,
        action="kernel.list.exported",
        subject_kind="kernel.page",
        subject_id=None,
        org_id=ctx.principal.org_id,
        after={"page": wanted.table.code, "query": dict(wanted.query), "rows": rows},
    )


async def _facts(ctx: Ctx, wanted: Wanted, rows: int) -> list[tuple[str, str]]:
    """What the second sheet says: the list, who took it when, and the filter in people's words."""
    facts = [
        (ctx.say("List"), wanted.table.title),
        (ctx.say("Exported by"), ctx.principal.name),
        (ctx.say("Exported at"), f"{ctx.local(ctx.now):%Y-%m-%d %H:%M:%S}"),
        (ctx.say("Rows"), f"{rows:,}"),
    ]
    for item in wanted.table.filters:
        keys = (f"{item.key}_from", f"{item.key}_to") if item.kind == "period" else (item.key,)
        given = [wanted.query.get(key, "") for key in keys]
        if any(given):
            facts.append((item.label, await _shown(ctx, wanted, item.key, " ~ ".join(given))))
    facts.append((ctx.say("Sorted by"), wanted.query.get("sort") or wanted.table.sort))
    return facts


async def _shown(ctx: Ctx, wanted: Wanted, key: str, value: str) -> str:
    declared = next(item for item in wanted.table.filters if item.key == key)
    for option in declared.options:
        if option.value == value:
            return option.label
    choices = wanted.source.choices.get(key)
    if choices is None:
        return value
    return await lists.shown_choice(ctx, choices, value) or value


async def _put_off(ctx: Ctx, wanted: Wanted, total: int) -> Export:
    running = await ctx.session.execute(
        select(func.count())
        .select_from(Export)
        .where(
            col(Export.created_by) == ctx.principal.id,
            col(Export.state).in_([ExportState.waiting, ExportState.running]),
        )
    )
    if (count := running.scalar_one()) >= RUNNING_MAX:
        raise ExportsRunning(running=count)
    export = Export(
        **ctx.stamp(ctx.principal.org_id),
        page=wanted.table.code,
        title=wanted.table.title,
        query=dict(wanted.query),
        locale=ctx.door.locale,
        total=total,
    )
    ctx.session.add(export)
    await defer(
        ctx,
        "kernel.export.write",
        key=f"export:{export.id}",
        args={
            "company_id": str(export.company_id),
            "export_id": str(export.id),
            "user_id": str(ctx.principal.id),
        },
    )
    return export


async def list_exports(ctx: Ctx) -> Exports:
    found = await ctx.session.execute(
        select(Export)
        .where(col(Export.created_by) == ctx.principal.id)
        .order_by(col(Export.created_at).desc(), col(Export.id).desc())
        .limit(SHOWN_MAX)
    )
    return Exports(items=[ExportRead.model_validate(one) for one in found.scalars()])


async def read_export(ctx: Ctx, export_id: UUID) -> Export:
    """One of the caller's own. Raises NotFound, also for a colleague's."""
    export = await ctx.get(Export, export_id)
    if export.created_by != ctx.principal.id:
        raise NotFound
    return export


async def download_export(ctx: Ctx, pages: Pages, files: Files, *, export_id: UUID) -> FileResponse:
    """Raises NotFound, ExportNotDone, and PageUnknown when the list is no longer the caller's."""
    export = await read_export(ctx, export_id)
    wanted_of(ctx, pages, code=export.page, query={})
    path = file_of(files, export)
    if export.state != ExportState.done or not path.is_file():
        raise ExportNotDone(state=export.state)
    return FileResponse(path, media_type=XLSX, headers=_named(ctx, export.title))


def file_of(files: Files, export: Export) -> Path:
    return files.place(export.company_id, "exports", f"{export.id}.xlsx")


def _named(ctx: Ctx, title: str) -> dict[str, str]:
    name = quote(f"{title} {ctx.local(ctx.now):%Y%m%d-%H%M}.xlsx")
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
