"""The audit trail: appended plain in the transaction, sealed per company by a job each minute.

Facts (bills, receipts, journal lines) are their own evidence and need no row here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlmodel import col

from cloud.kernel.bulk import insert_rows
from cloud.kernel.context import Ctx, system_principal
from cloud.kernel.db import Record, Scope
from cloud.kernel.errors import AppError
from cloud.kernel.jobs import Job, Work
from cloud.kernel.records import AuditRow, AuditSeal

ROWS_PER_SEAL = 5_000

_SETTLED = text("SELECT kernel_settled_xact()")


class TrailBroken(AppError):
    """A seal does not fit its rows: somebody changed the trail behind the platform's back."""

    message = "Seal {number} does not match its audit rows."


async def record(
    ctx: Ctx,
    *,
    action: str,
    subject_kind: str,
    subject_id: UUID | None,
    org_id: UUID,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Append one row. Values must be JSON; money and dates go in as text."""
    ctx.session.add(
        AuditRow(
            **_stamp(ctx),
            org_id=org_id,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            before=before,
            after=after,
            reason=reason,
        )
    )


async def record_on(
    ctx: Ctx,
    subject: Record,
    action: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """The same for what was done to a record: its kind is its table's name, `module.noun`."""
    await record(
        ctx,
        action=action,
        subject_kind=str(subject.__tablename__).replace("_", ".", 1),
        subject_id=subject.id,
        org_id=subject.org_id,
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
        reason=reason,
    )


async def record_each(
    ctx: Ctx,
    *,
    action: str,
    subject_kind: str,
    org_id: UUID,
    added: Sequence[tuple[UUID, dict[str, Any]]],
) -> None:
    """Append a row for each of many records that one action made, in one statement: its id, and
    what it is."""
    if not added:
        return
    stamp = _stamp(ctx) | {
        "org_id": org_id,
        "action": action,
        "subject_kind": subject_kind,
        "reason": "",
        "before": "null",
    }
    await insert_rows(
        ctx,
        AuditRow.__tablename__,
        [*stamp, "subject_id", "after"],
        [
            (*stamp.values(), subject_id, json.dumps(after, ensure_ascii=False))
            for subject_id, after in added
        ],
        skip_known=False,
    )


def _stamp(ctx: Ctx) -> dict[str, Any]:
    return {
        "company_id": ctx.principal.company_id,
        "at": ctx.now,
        "actor_kind": ctx.principal.kind,
        "actor_id": ctx.principal.id,
        "address": ctx.door.address,
        "request_id": ctx.request_id,
    }


async def seal_company(ctx: Ctx) -> int:
    """Seal the rows since the last seal; answers how many. Nothing to seal writes nothing.

    Ranges are of transactions, not of row ids: ids are taken at insert, so a low id may commit
    late, but below the oldest running transaction nothing can be added any more.
    """
    company_id = ctx.principal.company_id
    await ctx.take(f"audit-seal:{company_id}")
    last = (
        await ctx.session.execute(select(AuditSeal).order_by(col(AuditSeal.number).desc()).limit(1))
    ).scalar_one_or_none()
    first_xact = (last.last_xact if last else 0) + 1
    settled = (await ctx.session.execute(_SETTLED)).scalar_one()
    fresh = col(AuditRow.xact).between(first_xact, settled)
    cut = (
        await ctx.session.execute(
            select(col(AuditRow.xact))
            .where(fresh)
            .order_by(col(AuditRow.xact))
            .offset(ROWS_PER_SEAL - 1)
            .limit(1)
        )
    ).scalar_one_or_none()
    last_xact = cut or settled
    rows = await _rows(ctx, first_xact, last_xact)
    if not rows:
        return 0
    ctx.session.add(
        AuditSeal(
            company_id=company_id,
            number=(last.number if last else 0) + 1,
            first_xact=first_xact,
            last_xact=last_xact,
            row_count=len(rows),
            sealed_at=ctx.now,
            digest=_digest(last.digest if last else b"", rows),
        )
    )
    return len(rows)


async def verify_company(ctx: Ctx) -> int:
    """Recompute every seal; answers how many hold. Raises TrailBroken at the first wrong one."""
    previous = b""
    seals = await ctx.session.execute(select(AuditSeal).order_by(col(AuditSeal.number)))
    held = 0
    for seal in seals.scalars():
        rows = await _rows(ctx, seal.first_xact, seal.last_xact)
        if len(rows) != seal.row_count or _digest(previous, rows) != seal.digest:
            raise TrailBroken(number=seal.number)
        previous = seal.digest
        held += 1
    return held


async def _rows(ctx: Ctx, first_xact: int, last_xact: int) -> Sequence[AuditRow]:
    result = await ctx.session.execute(
        select(AuditRow)
        .where(col(AuditRow.xact).between(first_xact, last_xact))
        .order_by(col(AuditRow.xact), col(AuditRow.id))
    )
    return result.scalars().all()


def _digest(previous: bytes, rows: Sequence[AuditRow]) -> bytes:
    digest = hashlib.sha256(previous)
    for row in rows:
        line = json.dumps(row.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        digest.update(line.encode() + b"\n")
    return digest.digest()


async def seal_all(work: Work) -> None:
    """Seal every company's trail, each in its own transaction and scope."""
    for company_id in await companies(work):
        scope = Scope(company_id=company_id)
        async with work.unit(system_principal(company_id, org_id=company_id, scope=scope)) as ctx:
            await seal_company(ctx)


async def companies(work: Work) -> list[UUID]:
    """Every company there is, for jobs that go through all of them."""
    async with work.sessions() as session:
        return list((await session.execute(select(func.kernel_companies()))).scalars())


SEAL = Job("kernel.audit.seal", run=seal_all, cron="* * * * *")
