"""The rows of a receipt in a transaction by hand: no API, no checks, the statements only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import psycopg

from cloud.kernel.db import uuid7
from tools.bench.estate import Place
from tools.bench.load import CONNECTIONS

_KEY = """
    INSERT INTO kernel_idempotency_key
      (company_id, principal_id, key, route, digest, status, answer, created_at)
    VALUES (%(company)s, %(user)s, %(key)s, 'bench', %(digest)s, 201, '{}', now())
"""
_PAID = "UPDATE charging_settlement SET paid = amount, version = version + 1 WHERE id = %(bill)s"
_NUMBER = """
    INSERT INTO kernel_number_series AS series (company_id, org_id, series, period, next_number)
    VALUES (%(company)s, %(org)s, %(series)s, 'bench', 2)
    ON CONFLICT (company_id, org_id, series, period)
    DO UPDATE SET next_number = series.next_number + 1 RETURNING next_number
"""
_OPEN_SHIFT = """
    INSERT INTO receiving_shift (id, company_id, org_id, created_at, created_by, version,
      cashier_id, business_on, opened_at, note)
    VALUES (%(id)s, %(company)s, %(org)s, now(), %(user)s, 1, %(user)s, current_date, now(), '')
    ON CONFLICT DO NOTHING
"""
_SHIFT = """
    SELECT id FROM receiving_shift WHERE org_id = %(org)s AND cashier_id = %(user)s
      AND business_on = current_date AND closed_at IS NULL FOR UPDATE
"""
_RECEIPT = """
    INSERT INTO receiving_receipt (id, company_id, org_id, created_at, created_by, version, number,
      business_on, room_id, payer_id, payer_name, legal_entity_id, method, amount, change, reason,
      shift_id)
    VALUES (%(receipt)s, %(company)s, %(org)s, now(), %(user)s, 1, %(number)s, current_date,
      %(room)s, %(payer)s, %(payer_name)s, %(entity)s, 'cash', %(amount)s, 0, '', %(shift)s)
"""
_METHOD_LINE = """
    INSERT INTO receiving_method_line (id, company_id, org_id, created_at, created_by, version,
      receipt_id, place, method_id, code, kind, account_id, amount)
    VALUES (%(line)s, %(company)s, %(org)s, now(), %(user)s, 1, %(receipt)s, 1, %(method)s, 'cash',
      'cash', %(money)s, %(amount)s)
"""
_ALLOCATION = """
    INSERT INTO receiving_allocation
      (id, company_id, org_id, created_at, created_by, version, receipt_id, bill_id, amount)
    VALUES (%(allocation)s, %(company)s, %(org)s, now(), %(user)s, 1, %(receipt)s, %(bill)s,
      %(amount)s)
"""
_ENTRY = """
    INSERT INTO ledger_entry (id, company_id, org_id, created_at, created_by, version, number,
      business_on, summary, source_kind, source_id)
    VALUES (%(entry)s, %(company)s, %(org)s, now(), %(user)s, 1, %(number)s, current_date, 'raw',
      'bench', %(receipt)s)
"""
_LINES = """
    INSERT INTO ledger_line (company_id, org_id, entry_id, account_id, legal_entity_id, debit,
      credit, room_id, party_id, item_id, bill_id, cashier_id, channel)
    VALUES
      (%(company)s, %(org)s, %(entry)s, %(money)s, %(entity)s, %(amount)s, 0, %(room)s, %(payer)s,
       NULL, NULL, %(user)s, 'cash'),
      (%(company)s, %(org)s, %(entry)s, %(receivable)s, %(entity)s, 0, %(amount)s, %(room)s,
       %(payer)s, %(item)s, %(bill)s, %(user)s, 'cash')
"""
_CASH = "SELECT id AS method, account_id AS money FROM receiving_payment_method WHERE code = 'cash'"

Connection = psycopg.AsyncConnection[Any]


@asynccontextmanager
async def connections(place: Place) -> AsyncIterator[list[Connection]]:
    """As the app's role inside the community's scope, set once."""
    company = place.estate.company
    reads = f"{{{company.id},{company.region_id},{company.site_id}}}"
    async with AsyncExitStack() as opened:
        found = []
        for _ in range(CONNECTIONS):
            connection = await opened.enter_async_context(
                await psycopg.AsyncConnection.connect(place.database.app_url)
            )
            await connection.execute(
                "SELECT set_config('app.company', %s, false), set_config('app.read_orgs', %s,"
                " false), set_config('app.write_orgs', %s, false)",
                [str(company.id), reads, f"{{{company.site_id}}}"],
            )
            await connection.commit()
            found.append(connection)
        yield found


async def take_all(
    opened: Sequence[Connection], place: Place, bills: Sequence[dict[str, Any]], *, tag: str
) -> None:
    """One transaction a bill, one at a time on each connection."""
    user = place.estate.principal.id
    cash = await _first(opened[0], _CASH, {})
    shift = {"id": uuid7(), "user": user, "company": place.estate.company.id}
    await opened[0].execute(_OPEN_SHIFT, {**shift, "org": place.estate.site_id})
    await opened[0].commit()
    known = {"method": cash[0], "money": cash[1], "user": user}
    waiting = iter(bills)
    async with asyncio.TaskGroup() as group:
        for connection in opened:
            group.create_task(_take(connection, waiting, known, tag))


async def _take(
    connection: Connection, waiting: Iterator[dict[str, Any]], known: dict[str, Any], tag: str
) -> None:
    for bill in waiting:
        given = {
            **known,
            "company": bill["company_id"],
            "org": bill["org_id"],
            "bill": bill["id"],
            "room": bill["room_id"],
            "payer": bill["payer_id"],
            "payer_name": bill["payer_name"],
            "entity": bill["legal_entity_id"],
            "item": bill["item_id"],
            "receivable": bill["receivable_id"],
            "amount": bill["amount"],
            "key": str(uuid4()),
            "digest": uuid4().bytes,
            "receipt": uuid7(),
            "allocation": uuid7(),
            "entry": uuid7(),
            "line": uuid7(),
        }
        async with connection.transaction():
            await connection.execute(_KEY, given)
            await connection.execute(_PAID, given)
            given["shift"] = (await _first(connection, _SHIFT, given))[0]
            for series, statements in (
                ("SK", (_RECEIPT, _METHOD_LINE, _ALLOCATION)),
                ("JZ", (_ENTRY, _LINES)),
            ):
                number = (await _first(connection, _NUMBER, {**given, "series": series}))[0]
                numbered = {**given, "number": f"{tag}{number}"}
                for statement in statements:
                    await connection.execute(statement, numbered)


async def _first(connection: Connection, statement: str, given: dict[str, Any]) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = await (await connection.execute(statement, given)).fetchone()
    assert row is not None
    return row
