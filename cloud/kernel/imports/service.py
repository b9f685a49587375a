"""Importing a sheet: the module adds its rows in one set, and each refusal is told by row.

The set runs in a savepoint. Where the database refuses it, its halves are tried, and theirs, until
it is known which rows are meant. A check is the same with everything taken back at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from fastapi import Request, Response
from sqlalchemy.exc import DBAPIError

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.db import is_away
from cloud.kernel.errors import AppError, Conflict, FieldError, Unprocessable, code_of, text_of
from cloud.kernel.imports.cells import shown, value_of
from cloud.kernel.imports.schemas import FaultRead, ImportMode, ImportReport
from cloud.kernel.imports.sheet import RawRow, RawSheet, read_sheet
from cloud.kernel.imports.workbooks import file_response, report_book, template_book
from cloud.kernel.ui.pages import Import
from cloud.kernel.ui.render import Pages

FAULTS_SHOWN = 200
UNIQUE_VIOLATION = "23505"

# Classes of errors: deadlocks, no memory, locks, interruptions, the disk.
_NOT_OF_ROWS = ("40", "53", "55", "57", "58")


class ImportRefused(Unprocessable):
    message = (
        "{faulty} of {rows} rows cannot be imported, so none was. Correct them, or import the"
        " valid rows only."
    )


class SiteMissing(Unprocessable):
    message = "Choose the community to import into first."


class RowExists(Conflict):
    message = "There is such a record already. Delete the row from the file."


class RowUnfit(Unprocessable):
    message = "The database refuses these values. Check the row."


@dataclass(frozen=True)
class Fault:
    row: RawRow
    key: str
    error: AppError


@dataclass
class Outcome:
    sheet: RawSheet
    faults: list[Fault] = field(default_factory=list)
    added: int = 0

    @property
    def faulty(self) -> int:
        return len({fault.row.number for fault in self.faults})


class _TakenBack(Exception):
    """Ends the savepoint of a check, or of an import that is refused whole."""


async def import_rows(
    ctx: Ctx,
    request: Request,
    *,
    code: str,
    site_id: UUID | None,
    mode: ImportMode,
    options: Sequence[str],
) -> ImportReport:
    """Raises PageUnknown, SiteMissing, what `read_sheet` refuses, and ImportRefused in mode all."""
    importing = _importing(ctx, request, code)
    ctx = await ctx.acting(importing.permission)
    outcome = await _try(ctx, request, importing, site_id, mode, options)
    if mode is ImportMode.all and outcome.faults:
        raise ImportRefused(
            faulty=outcome.faulty,
            rows=len(outcome.sheet.rows),
            fields=tuple(_field_error(fault) for fault in outcome.faults[:FAULTS_SHOWN]),
        )
    if outcome.added:
        assert site_id is not None
        await audit.record(
            ctx,
            action="kernel.list.imported",
            subject_kind="kernel.page",
            subject_id=None,
            org_id=site_id,
            after={"page": code, "rows": outcome.added, "mode": mode.value},
        )
    return _report(ctx, importing, mode, outcome)


async def import_report(
    ctx: Ctx,
    request: Request,
    *,
    code: str,
    site_id: UUID | None,
    options: Sequence[str],
) -> Response:
    """The rows that would be refused, with the reason beside each, as a workbook. Keeps nothing.

    Raises as `import_rows`."""
    importing = _importing(ctx, request, code)
    ctx = await ctx.acting(importing.permission)
    outcome = await _try(ctx, request, importing, site_id, ImportMode.check, options)
    reasons: dict[int, list[str]] = {}
    for fault in outcome.faults:
        read = _read(ctx, importing, fault)
        reasons.setdefault(fault.row.number, []).append(
            f"{read.field}：{read.reason}" if read.field else read.reason
        )
    rows = [(row, "；".join(reasons.get(row.number, ()))) for row in outcome.sheet.rows]
    content = await report_book(ctx, importing, [one for one in rows if one[1]])
    return file_response(ctx.say(importing.title) + ctx.say(" (rows refused)"), content)


async def import_template(ctx: Ctx, request: Request, *, code: str) -> Response:
    """Raises PageUnknown."""
    importing = _importing(ctx, request, code)
    content = await template_book(ctx, importing)
    return file_response(ctx.say(importing.title) + ctx.say(" (template)"), content)


def _importing(ctx: Ctx, request: Request, code: str) -> Import:
    pages: Pages = request.app.state.runtime.pages
    return pages.importing(code, permissions=ctx.principal.permissions)


async def _try(
    ctx: Ctx,
    request: Request,
    importing: Import,
    site_id: UUID | None,
    mode: ImportMode,
    options: Sequence[str],
) -> Outcome:
    if site_id is None:
        raise SiteMissing(fields=(FieldError("site_id", "site-missing"),))
    sheet = await read_sheet(await request.body(), importing, ctx.texts)
    outcome = Outcome(sheet)
    # Tens of thousands of cells: the others on the event loop do not wait for them.
    rows = await asyncio.to_thread(_coerced, ctx, importing, outcome)
    try:
        async with ctx.session.begin_nested():
            # One file at a time into a list of a community: the second sees what the first added.
            await ctx.take(f"import:{importing.title}:{site_id}")
            told = await _add(
                ctx,
                partial(importing.add, site_id=site_id, options=frozenset(options)),
                [values for _, values in rows],
            )
            _count(outcome, rows, told)
            if mode is ImportMode.check or (mode is ImportMode.all and outcome.faults):
                raise _TakenBack  # noqa: TRY301
    except _TakenBack:
        outcome.added = 0
    outcome.faults.sort(key=lambda fault: fault.row.number)
    return outcome


def _coerced(ctx: Ctx, importing: Import, outcome: Outcome) -> list[tuple[RawRow, dict[str, Any]]]:
    """The rows whose every cell can be what its column takes."""
    fine = []
    for row in outcome.sheet.rows:
        values: dict[str, Any] = {}
        bad = False
        for column in importing.columns:
            try:
                values[column.key] = value_of(column, row.cells.get(column.key), ctx.texts)
            except AppError as error:
                bad = True
                outcome.faults.append(Fault(row, column.key, error))
        if not bad:
            fine.append((row, values))
    return fine


async def _add(
    ctx: Ctx,
    add: Callable[..., Awaitable[list[AppError | None]]],
    rows: Sequence[dict[str, Any]],
) -> list[AppError | None]:
    if not rows:
        return []
    try:
        async with ctx.session.begin_nested():
            told = await add(ctx, rows=rows)
            await ctx.session.flush()  # what the database refuses belongs to this set
            return told
    except (DBAPIError, psycopg.Error) as error:  # a COPY is refused by the driver itself
        refusal = _refusal(error)
        if refusal is None:
            raise
        if len(rows) == 1:
            return [refusal]
    middle = len(rows) // 2
    return [*await _add(ctx, add, rows[:middle]), *await _add(ctx, add, rows[middle:])]


def _refusal(error: DBAPIError | psycopg.Error) -> AppError | None:
    """None for what no row has done: the database is away, or was interrupted."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or ""
    if is_away(error) or state.startswith(_NOT_OF_ROWS):
        return None
    return RowExists() if state == UNIQUE_VIOLATION else RowUnfit()


def _count(
    outcome: Outcome,
    rows: Sequence[tuple[RawRow, dict[str, Any]]],
    told: Sequence[AppError | None],
) -> None:
    for (row, values), error in zip(rows, told, strict=True):
        if error is None:
            outcome.added += 1
        else:
            key = error.fields[0].path if error.fields else ""
            outcome.faults.append(Fault(row, key if key in values else "", error))


def _report(ctx: Ctx, importing: Import, mode: ImportMode, outcome: Outcome) -> ImportReport:
    rows = len(outcome.sheet.rows)
    return ImportReport(
        mode=mode,
        rows=rows,
        blank=outcome.sheet.blank,
        valid=rows - outcome.faulty,
        added=outcome.added,
        faulty=outcome.faulty,
        faults=[_read(ctx, importing, fault) for fault in outcome.faults[:FAULTS_SHOWN]],
    )


def _read(ctx: Ctx, importing: Import, fault: Fault) -> FaultRead:
    label = next((one.label for one in importing.columns if one.key == fault.key), "")
    cell = fault.row.cells.get(fault.key)
    error = fault.error
    return FaultRead(
        row=fault.row.number,
        field=ctx.say(label) if label else "",
        value=shown(cell)[:80],
        code=code_of(error),
        reason=ctx.texts.error(code_of(error), text_of(error), error.params, ctx.door.locale),
    )


def _field_error(fault: Fault) -> FieldError:
    path = f"rows.{fault.row.number}.{fault.key}" if fault.key else f"rows.{fault.row.number}"
    return FieldError(path, code_of(fault.error), fault.error.params)
