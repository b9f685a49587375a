"""Printed sheets: what stands on them, how often each was printed, and the file itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import Response
from sqlalchemy import text

from cloud.kernel import audit
from cloud.kernel.context import Ctx
from cloud.kernel.i18n import CHINESE
from cloud.kernel.printing.compiler import SHEET, compile_document
from cloud.kernel.printing.words import rmb_in_words

# How a route that answers with a printed sheet documents itself.
PDF: dict[int | str, dict[str, Any]] = {200: {"content": {"application/pdf": {}}}}

_COUNT = text("""
    INSERT INTO kernel_print_count AS counted
      (company_id, org_id, subject_kind, subject_id, copies, printed_at)
    VALUES (:company_id, :org_id, :subject_kind, :subject_id, 1, :now)
    ON CONFLICT (company_id, subject_kind, subject_id)
    DO UPDATE SET copies = counted.copies + 1, printed_at = EXCLUDED.printed_at
    RETURNING copies
""")


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True)
class Heading:
    label: str
    right: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Line:
    label: str
    value: str
    source: str


@dataclass(frozen=True)
class Sheet:
    """A document to print, in the reader's language; amounts in words are always Chinese."""

    kind: str  # the kind of subject in the audit trail: "receiving.receipt"
    subject_id: UUID
    org_id: UUID
    title: str
    number: str
    company: str
    site: str
    facts: tuple[Fact, ...]
    columns: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    total_label: str
    total: Decimal
    foot: tuple[Fact, ...]
    paper: Literal["a4", "a5"] = "a4"
    note: str = ""
    marks: tuple[str, ...] = ()
    lines_title: str = ""
    lines: tuple[Line, ...] = field(default=())


async def print_sheet(ctx: Ctx, sheet: Sheet) -> Response:
    """The sheet as PDF. Copies after the first say so, and each is in the audit trail.

    Raises PrintingBusy and PrintingFailed; then no copy was counted.
    """
    copies = await _count_copy(ctx, sheet)
    marks = sheet.marks
    if copies > 1:
        marks = (*marks, ctx.say("Copy {n}", n=copies - 1))
    await audit.record(
        ctx,
        action=f"{sheet.kind}.printed",
        subject_kind=sheet.kind,
        subject_id=sheet.subject_id,
        org_id=sheet.org_id,
        after={"number": sheet.number, "copies": copies},
    )
    content = await compile_document(SHEET, _data(ctx, sheet, marks))
    name = quote(f"{sheet.title} {sheet.number}.pdf")
    return Response(
        content,
        media_type="application/pdf",
        headers={"Content-Disposition": f"inline; filename*=UTF-8''{name}"},
    )


async def _count_copy(ctx: Ctx, sheet: Sheet) -> int:
    counted = await ctx.session.execute(
        _COUNT,
        {
            "company_id": ctx.principal.company_id,
            "org_id": sheet.org_id,
            "subject_kind": sheet.kind,
            "subject_id": sheet.subject_id,
            "now": ctx.now,
        },
    )
    return int(counted.scalar_one())


def _data(ctx: Ctx, sheet: Sheet, marks: tuple[str, ...]) -> dict[str, object]:
    chinese = ctx.door.locale == CHINESE
    printed = ctx.say(
        "Printed by {who} on {on} · wuye", who=ctx.principal.name, on=local_minute(ctx)
    )
    values = {
        key: value for key, value in asdict(sheet).items() if key not in {"subject_id", "org_id"}
    }
    return {
        **values,
        "marks": marks,
        "total": money_text(sheet.total),
        "words_label": ctx.say("Amount in words"),
        "words": rmb_in_words(sheet.total),
        "printed": printed,
        "lang": "zh" if chinese else "en",
        "colon": "：" if chinese else ": ",
    }


def local_minute(ctx: Ctx) -> str:
    return f"{ctx.local(ctx.now):%Y-%m-%d %H:%M}"


def money_text(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace("-", "\N{MINUS SIGN}")
