"""A meter's register becomes a reading, a bill and a receipt, over real processes and three kills.

The three places are where systems of this kind lose or double things: after the outbox took a
batch and before it is sent; after the platform committed it and before it said so; and in the
middle of publishing bills.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from cloud.kernel.clock import utc_now
from cloud.kernel.db import make_engine, make_sessions
from cloud.kernel.events import Bus
from cloud.kernel.uow import unit_of_work
from cloud.modules.accounts.queries import AccountsAuthenticator
from cloud.modules.charging import service as charging
from tests.kit.books import Books
from tests.kit.database import TestDatabase
from tests.kit.stack import Stack, seeded_stack, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

METER = "E-LT-110101"
ROOM = "1-1-101"


async def test_register_to_receipt(own_database: TestDatabase, tmp_path: Path) -> None:
    async with seeded_stack(own_database, tmp_path) as stack:
        books = Books(own_database)
        site_id = books.value("SELECT id FROM organization_unit WHERE code = 'LT'")
        await readings_survive_two_kills(stack, books, site_id)
        reading = await billed_register(stack, books)
        run = await published_over_a_kill(stack, books, site_id)
        bill = books.one(
            "SELECT b.* FROM charging_bill b JOIN resources_space s ON s.id = b.room_id"
            " WHERE b.run_id = %s AND s.path = %s AND b.org_id = %s",
            run,
            ROOM,
            site_id,
        )
        assert Decimal(bill["snapshot"]["readings"]["closing"]) == reading
        await paid_and_reversed(stack, books, bill)
        await read_now_comes_back(stack, books)
        nothing_lost_or_doubled(books)


async def readings_survive_two_kills(stack: Stack, books: Books, site_id: UUID) -> None:
    stack.edge("LT", WUYE_EDGE_CRASH_AT="after-outbox-commit")
    await stack.crash_of("edge-LT")

    stack.edge("LT")
    stack.role("host", WUYE_HOST_CRASH_AT="before-ack")
    await stack.crash_of("host")
    assert books.value("SELECT sum(next_seq - 1) FROM devices_watermark") > 0

    stack.role("host")
    await until(
        lambda: (
            books.value(
                "SELECT count(*) FROM devices_twin t JOIN devices_point p USING (point_no)"
                " WHERE p.org_id = %s AND p.code = 'energy'",
                site_id,
            )
            == 82
        ),
        "every electricity meter of the community to be read",
        90,
    )


async def billed_register(stack: Stack, books: Books) -> Decimal:
    """101 is left tonight, so that what its register shows now is what it is billed to."""
    meter = books.one("SELECT * FROM metering_meter WHERE no = %s", METER)
    reading = await until(
        lambda: books.rows(
            "SELECT value FROM metering_reading WHERE meter_id = %s AND state = 'verified'"
            " AND created_at > now() - interval '5 minutes' ORDER BY read_at DESC",
            meter["id"],
        ),
        "a verified reading from the gateway",
    )
    stack.kill("edge-LT")  # no later reading moves the cut-off while the bill is looked at
    await asyncio.sleep(2)
    binding = books.one("SELECT * FROM charging_binding WHERE meter_id = %s", meter["id"])
    engine = make_engine(stack.database.app_url)
    sessions = make_sessions(engine)
    accountant = books.value("SELECT id FROM accounts_user WHERE login = 'kuaiji'")
    principal = await AccountsAuthenticator(sessions).by_user(accountant)
    assert principal is not None
    async with unit_of_work(sessions, principal, bus=Bus()) as ctx:
        tomorrow = ctx.business_on + timedelta(days=1)
        await charging.end_binding(ctx, binding_id=binding["id"], ends_on=tomorrow)
    await engine.dispose()
    latest = books.rows(
        "SELECT value FROM metering_reading WHERE meter_id = %s AND state = 'verified'"
        " ORDER BY read_at DESC",
        meter["id"],
    )
    assert latest[0]["value"] >= reading[0]["value"]
    return Decimal(latest[0]["value"])


async def published_over_a_kill(stack: Stack, books: Books, site_id: UUID) -> UUID:
    stack.role("worker")
    item = books.value("SELECT id FROM charging_item WHERE code = 'electricity'")
    month = utc_now().astimezone().date().replace(day=1)
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    async with stack.person("kuaiji") as accountant:
        created = await accountant.post(
            "/api/v1/charging/runs",
            json={
                "site_id": str(site_id),
                "item_ids": [str(item)],
                "period": {"from": str(month), "to": str(last)},
            },
        )
        assert created.status_code == 201, created.text
        run = UUID(created.json()["id"])
        preview = await accountant.post(f"/api/v1/charging/runs/{run}/preview")
        assert preview.json()["bills"] >= 1, preview.text
        path = f"/api/v1/charging/sites/{site_id}/runs/{run}"
        generated = await accountant.post(f"{path}/generate")
        assert generated.status_code == 200, generated.text

        def state() -> str:
            return str(books.value("SELECT state FROM charging_run WHERE id = %s", run))

        await until(lambda: state() == "generated", "the drafts")
        bills = books.value("SELECT count(*) FROM charging_draft WHERE run_id = %s", run)
        with books.holding_bill_numbers(site_id):
            published = await accountant.post(f"{path}/publish")
            assert published.status_code == 200, published.text
            watcher = Books(stack.database)
            await until(
                lambda: watcher.somebody_waits_for(books), "the publication to be half done"
            )
            stack.kill("worker")
        assert books.value("SELECT count(*) FROM charging_bill WHERE run_id = %s", run) == 0

        stack.role("worker")
        await until(lambda: state() == "published", "the publication to be done again", 90)
        assert books.value("SELECT count(*) FROM charging_bill WHERE run_id = %s", run) == bills
        again = await accountant.post(f"{path}/publish")
        assert (again.status_code, again.json()["code"]) == (409, "run-not-in-state")
    return run


async def paid_and_reversed(stack: Stack, books: Books, bill: dict[str, Any]) -> None:
    async with stack.person("shoufei") as cashier:
        room = await cashier.get(f"/api/v1/receiving/counter/rooms/{bill['room_id']}")
        shown = next(b for b in room.json()["bills"] if b["id"] == str(bill["id"]))
        key = {"Idempotency-Key": str(uuid4())}
        payment = {
            "room_id": str(bill["room_id"]),
            "method": "cash",
            "tendered": None,
            "allocations": [
                {"bill_id": shown["id"], "amount": shown["open"], "version": shown["version"]}
            ],
        }
        first = await cashier.post("/api/v1/receiving/receipts", json=payment, headers=key)
        assert first.status_code == 201, first.text
        repeated = await cashier.post("/api/v1/receiving/receipts", json=payment, headers=key)
        assert repeated.json() == first.json()
        assert paid_of(books, bill) == bill["amount"]

        back = await cashier.post(
            f"/api/v1/receiving/receipts/{first.json()['id']}/reverse",
            json={"reason": "收错房号"},
            headers={"Idempotency-Key": str(uuid4())},
        )
        assert back.status_code == 201, back.text
        assert paid_of(books, bill) == 0


def paid_of(books: Books, bill: dict[str, Any]) -> Decimal:
    return Decimal(books.value("SELECT paid FROM charging_settlement WHERE id = %s", bill["id"]))


async def read_now_comes_back(stack: Stack, books: Books) -> None:
    """One device command travels the whole way and brings its result."""
    stack.edge("LT")
    device = books.one("SELECT * FROM devices_device WHERE code = %s", METER)
    async with stack.person("gongcheng") as engineer:

        async def outcome() -> Any:
            answer = await engineer.post(f"/api/v1/devices/devices/{device['id']}/read-now")
            return answer.status_code == 200 and answer.json()["outcome"] == "done"

        await until(outcome, "a reading taken on demand", 60)


def nothing_lost_or_doubled(books: Books) -> None:
    stored = books.value("SELECT count(*) FROM devices_telemetry")
    numbered = books.value(
        "SELECT sum(next_seq - 1) FROM devices_watermark WHERE lane IN ('meter', 'tele')"
    )
    gone = books.value("SELECT coalesce(sum(count), 0) FROM devices_gap")
    assert stored == numbered - gone
    doubled = books.rows(
        "SELECT point_no, measured_at FROM devices_telemetry GROUP BY 1, 2 HAVING count(*) > 1"
    )
    assert doubled == []
    books_balance = books.one("SELECT sum(debit) AS debit, sum(credit) AS credit FROM ledger_line")
    assert books_balance["debit"] == books_balance["credit"]
    owed = books.value("SELECT sum(amount - paid) FROM charging_settlement")
    assert owed == books.balance("1122")
