"""Drafting and publishing a run, against the same rows inserted raw through row security."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlmodel import SQLModel

from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.modules.charging import service
from cloud.modules.charging.models import Run, RunState
from cloud.modules.charging.schemas import ClosedPeriod
from cloud.modules.charging.service.runs import move
from tools.bench.estate import Place, analyze
from tools.bench.measure import ROUNDS, Measure, Rates, rate

_MONTHS = ("2026-09", "2026-10", "2026-11")
_DRAFT = [column.name for column in SQLModel.metadata.tables["charging_draft"].columns]

# The copies belong to cycles of ten years before, so that both can become bills.
_CHANGED = {
    "id": "uuid7()",
    "run_id": ":copy",
    "cycle_from": "(cycle_from - interval '10 years')::date",
}
_RAW_DRAFTS = text(
    f"INSERT INTO charging_draft ({', '.join(_DRAFT)})"  # noqa: S608 - names from code
    f" SELECT {', '.join(_CHANGED.get(name, name) for name in _DRAFT)}"
    " FROM charging_draft WHERE run_id = :run"
)
_RAW_PUBLISH = (
    (
        f"INSERT INTO charging_bill ({', '.join(_DRAFT)}, number, issued_on)"  # noqa: S608
        f" SELECT {', '.join(_DRAFT)}, 'RAW' || :tag || row_number() OVER (ORDER BY id), :on"
        " FROM charging_draft WHERE run_id = :run"
    ),
    (
        "INSERT INTO charging_settlement"
        " (id, company_id, org_id, created_at, created_by, version, amount, paid)"
        " SELECT id, company_id, org_id, created_at, created_by, 1, amount, 0"
        " FROM charging_bill WHERE run_id = :run"
    ),
    (
        "INSERT INTO ledger_entry (id, company_id, org_id, created_at, created_by, version, number,"
        " business_on, summary, source_kind, source_id)"
        " SELECT :entry, company_id, org_id, created_at, created_by, 1, 'RAW' || :tag, :on, 'raw',"
        " 'bench', id FROM charging_run WHERE id = :run"
    ),
    (
        "INSERT INTO ledger_line (company_id, org_id, entry_id, account_id, legal_entity_id, debit,"
        " credit, room_id, party_id, item_id, bill_id)"
        " SELECT b.company_id, b.org_id, :entry, side.account_id, b.legal_entity_id, side.debit,"
        " side.credit, b.room_id, b.payer_id, b.item_id, b.id"
        " FROM charging_bill b JOIN charging_item i ON i.id = b.item_id, LATERAL (VALUES"
        " (i.receivable_id, b.amount, 0::numeric), (i.revenue_id, 0, b.amount - b.tax),"
        " (i.tax_id, 0, b.tax)) AS side (account_id, debit, credit)"
        " WHERE b.run_id = :run AND (side.debit > 0 OR side.credit > 0)"
    ),
)


async def billing(place: Place) -> list[Measure]:
    """The measures `bill` and `publish`: one needs what the other makes."""
    drafting, publishing = Rates(), Rates()
    for month in _MONTHS[:ROUNDS]:
        run = await _accepted(place, month)
        copy = await _created(place, month)
        bills = await _draft(place, run, drafting)
        with rate(drafting.bare, bills):
            async with place.world.unit() as ctx:
                await ctx.session.execute(_RAW_DRAFTS, {"run": run, "copy": copy})
        analyze(place.database)
        await _publish(place, run, bills, publishing)
        with rate(publishing.bare, bills):
            async with place.world.unit() as ctx:
                await _publish_raw(ctx, copy, month)
        async with place.world.unit() as ctx:
            await ctx.session.execute(
                text("DELETE FROM charging_draft WHERE run_id = :run"), {"run": copy}
            )
    size = f"{place.bills:,} bills a round, {ROUNDS} rounds"
    return [
        drafting.measure(
            "bill",
            "bills/s",
            f"charging.service.generate_chunk, a commit each, against one INSERT … SELECT; {size}",
            "the bare way copies drafts that are there. Ours makes them: under py-spy 43 % of the"
            " time goes into reading what each room is charged by (area, payer, price, readings)"
            " and computing from it, 31 % into writing each draft with its whole basis as text, 20"
            " % into COPY",
        ),
        publishing.measure(
            "publish",
            "bills/s",
            "charging.service.publish_run against the same bills, settlements and journal lines as"
            f" four INSERT … SELECT; {size}",
        ),
    ]


async def published(place: Place) -> None:
    """Bills of a month that the measures above leave alone, for those that read and pay."""
    run_id, unmeasured = await _accepted(place, "2026-08"), Rates()
    bills = await _draft(place, run_id, unmeasured)
    await _publish(place, run_id, bills, unmeasured)


async def _created(place: Place, month: str) -> UUID:
    first = date.fromisoformat(f"{month}-01")
    last = date(first.year, first.month, 30)
    period = ClosedPeriod.model_validate({"from": first, "to": last})
    estate = place.estate
    async with place.world.unit() as ctx:
        run = await service.create_run(
            ctx, site_id=estate.site_id, item_ids=[estate.items["property_fee"]], period=period
        )
        return run.id


async def _accepted(place: Place, month: str) -> UUID:
    run_id = await _created(place, month)
    async with place.world.unit() as ctx:
        run = await service.preview_run(ctx, run_id=run_id)
        move(run, RunState.generating)
        await service.begin_drafts(ctx, run_id=run_id)
    return run_id


async def _draft(place: Place, run_id: UUID, rates: Rates) -> int:
    after: UUID | None = None
    with rate(rates.ours, place.bills):
        while True:
            async with place.world.unit() as ctx:
                after = await service.generate_chunk(ctx, run_id=run_id, after=after)
            if after is None:
                break
    async with place.world.unit() as ctx:
        await service.finish_run(ctx, run_id=run_id, failure="")
        run = await ctx.get(Run, run_id, lock=True)
        move(run, RunState.publishing)
        assert run.bills >= place.bills
        return run.bills


async def _publish(place: Place, run_id: UUID, bills: int, rates: Rates) -> None:
    with rate(rates.ours, bills):
        async with place.world.unit() as ctx:
            await service.publish_run(ctx, run_id=run_id)
    async with place.world.unit() as ctx:
        run = await service.finish_run(ctx, run_id=run_id, failure="")
        assert run.state == RunState.published


async def _publish_raw(ctx: Ctx, run_id: UUID, tag: str) -> None:
    given = {"run": run_id, "tag": tag, "on": ctx.business_on, "entry": uuid7()}
    for statement in _RAW_PUBLISH:
        wanted = {name: value for name, value in given.items() if f":{name}" in statement}
        await ctx.session.execute(text(statement.replace(":tag", "CAST(:tag AS text)")), wanted)
