"""A point read, a page and a receipt over HTTP, against the barest way to do each."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from psycopg.rows import dict_row

from cloud.embedded import processes
from cloud.embedded.ports import is_answering
from cloud.embedded.processes import Command
from cloud.kernel.auth import CSRF_HEADER
from cloud.main import vocabulary
from cloud.modules.accounts import service as accounts
from tests.kit.database import TestDatabase
from tests.kit.simulators import CHECKOUT, free_port
from tools.bench import bare_receipt
from tools.bench.billing import published
from tools.bench.estate import Place, analyze
from tools.bench.load import Request, send_all
from tools.bench.measure import ROUNDS, Measure, Rates, rate

READS = 600
PAGES = 40
RECEIPTS = 150
WARM = 50
PASSWORD = "password-of-the-bench"  # noqa: S105 - of a database that is gone at the end
START_WITHIN_S = 30.0


async def http(place: Place) -> list[Measure]:
    """The measures `read`, `page` and `receipt`, on one web process."""
    await published(place)
    analyze(place.database)
    await _add_person(place)
    bills = _bills(place)
    rates_of_read, rates_of_page, rates_of_receipt = Rates(), Rates(), Rates()
    port, bare_port = place.endpoints.http.port, free_port()
    web = ("-m", "cloud.cli", "run", "web")
    peer = (
        *("-m", "tools.bench.peer", "--data-dir", str(place.folder)),
        *("--company", str(place.estate.company.id), "--port", str(bare_port)),
    )
    async with serving(place, web, port), serving(place, peer, bare_port):
        headers = await _log_in(port)
        await _read(bills, headers, port, bare_port, rates_of_read)
        await _open(headers, port, bare_port, rates_of_page)
        await _take(place, bills, headers, rates_of_receipt)
    return [
        rates_of_read.measure(
            "read",
            "requests/s",
            "GET of one bill with its explanation, journal and timeline, against one SELECT behind"
            f" bare FastAPI and psycopg; 4 connections, {READS:,} requests a round",
            "five round trips to Postgres instead of one (BEGIN, who calls and what they may see,"
            " the bill, its journal, COMMIT): 40 % of the process's time under py-spy. Choosing"
            " among the routes takes 14 %, computing the bill again from its basis 7 %, FastAPI's"
            " dependencies 8 %. The round trips stay: rights are looked up in the transaction that"
            " reads. The choice of the route, which FastAPI tries one by one, could be cheaper",
        ),
        rates_of_page.measure(
            "page",
            "loads/s",
            "the three requests of the first load of the bills page (session, description, first 20"
            " of all bills with their sums), one after the other, against one SELECT of the 20 and"
            f" their count behind bare FastAPI and psycopg; {PAGES} loads a round",
            "three requests instead of one, each of them a transaction of its own that looks up"
            " who calls; the list counts its tabs and adds up its columns over all bills besides",
        ),
        rates_of_receipt.measure(
            "receipt",
            "receipts/s",
            "POST of a receipt with its idempotency key, against a bare transaction in psycopg that"
            f" writes the same rows; 4 at a time, {RECEIPTS:,} a round",
            "under py-spy 26 % of the process's time goes into statements and waiting for them, 27"
            " % into SQLAlchemy, 11 % into the rules of receiving, 8 % into choosing the route; the"
            " bare transaction is told the rows and asks nothing of what they stand on",
        ),
    ]


async def _read(
    bills: Sequence[dict[str, Any]],
    headers: dict[str, str],
    port: int,
    bare_port: int,
    rates: Rates,
) -> None:
    chosen = [bill["id"] for bill in itertools.islice(itertools.cycle(bills), READS)]
    ours = [Request("GET", f"/api/v1/charging/bills/{each}", headers).encoded() for each in chosen]
    bare = [Request("GET", f"/bills/{each}", {}).encoded() for each in chosen]
    for to, requests in ((port, ours), (bare_port, bare)):
        await send_all(to, requests[:WARM], status=200)
    for _ in range(ROUNDS):
        with rate(rates.ours, READS):
            await send_all(port, ours, status=200)
        with rate(rates.bare, READS):
            await send_all(bare_port, bare, status=200)


async def _open(headers: dict[str, str], port: int, bare_port: int, rates: Rates) -> None:
    paths = ("session", "ui/pages/charging.bills", "charging/bills?page=1&size=20")
    ours = [Request("GET", f"/api/v1/{path}", headers).encoded() for path in paths] * PAGES
    bare = [Request("GET", "/bills", {}).encoded()] * PAGES
    for to, requests in ((port, ours), (bare_port, bare)):
        await send_all(to, requests[:WARM], status=200)
    for _ in range(ROUNDS):
        with rate(rates.ours, PAGES):
            await send_all(port, ours, status=200, connections=1)
        with rate(rates.bare, PAGES):
            await send_all(bare_port, bare, status=200, connections=1)


async def _take(
    place: Place, bills: Sequence[dict[str, Any]], headers: dict[str, str], rates: Rates
) -> None:
    """Each bill is paid once, half over HTTP and half by hand."""
    waiting = iter(bills)
    await send_all(
        place.endpoints.http.port,
        [_receipt(bill, headers) for bill in itertools.islice(waiting, WARM)],
        status=201,
    )
    for number in range(ROUNDS):
        requests = [_receipt(bill, headers) for bill in itertools.islice(waiting, RECEIPTS)]
        with rate(rates.ours, len(requests)):
            await send_all(place.endpoints.http.port, requests, status=201)
        parts = list(itertools.islice(waiting, RECEIPTS))
        async with bare_receipt.connections(place) as connections:
            with rate(rates.bare, len(parts)):
                await bare_receipt.take_all(connections, place, parts, tag=f"RAW{number}-")


def _receipt(bill: dict[str, Any], headers: dict[str, str]) -> bytes:
    allocation = {"bill_id": str(bill["id"]), "amount": str(bill["amount"]), "version": 1}
    body = {"room_id": str(bill["room_id"]), "method": "cash", "allocations": [allocation]}
    return Request(
        "POST", "/api/v1/receiving/receipts", {**headers, "Idempotency-Key": str(uuid4())}, body
    ).encoded()


async def _add_person(place: Place) -> None:
    company = place.estate.company
    async with place.world.unit(place.world.headquarters(company)) as ctx:
        role = await accounts.add_role(
            ctx, code="bench", name="测量", permissions=sorted(vocabulary())
        )
        user = await accounts.add_user(
            ctx, org_id=company.site_id, login="bench", name="测量", post="", password=PASSWORD
        )
        await accounts.grant_role(ctx, user_id=user.id, role_id=role.id, unit_id=company.site_id)


def _bills(place: Place) -> list[dict[str, Any]]:
    needed = WARM + 2 * ROUNDS * RECEIPTS
    with _owner(place.database, place.estate.company.id) as connection:
        return connection.execute(
            "SELECT b.*, i.receivable_id FROM charging_bill b"
            " JOIN charging_settlement s ON s.id = b.id JOIN charging_item i ON i.id = b.item_id"
            " WHERE s.paid = 0 AND b.number NOT LIKE 'RAW%%' ORDER BY b.id LIMIT %s",
            [needed],
        ).fetchall()


def _owner(database: TestDatabase, company: UUID) -> psycopg.Connection[dict[str, Any]]:
    connection = psycopg.connect(database.owner_url, autocommit=True, row_factory=dict_row)
    connection.execute(
        "SELECT set_config('app.company', %s, false), set_config('app.all', 'on', false)",
        [str(company)],
    )
    return connection


async def _log_in(port: int) -> dict[str, str]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        credentials = {"login": "bench", "password": PASSWORD}
        answer = await client.post("/api/v1/session", json=credentials)
        answer.raise_for_status()
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        return {"Cookie": cookies, CSRF_HEADER: answer.json()["csrf"]}


@asynccontextmanager
async def serving(place: Place, arguments: Sequence[str], port: int) -> AsyncIterator[None]:
    command = Command(
        argv=(sys.executable, *arguments),
        environment={"WUYE_DATA_DIR": str(place.folder)},
        directory=CHECKOUT,
    )
    log = place.folder / f"{port}.log"
    with log.open("ab") as output:
        child: subprocess.Popen[bytes] = processes.spawn(command, output.fileno())
    try:
        deadline = monotonic() + START_WITHIN_S
        while not is_answering("127.0.0.1", port):
            if child.poll() is not None or monotonic() > deadline:
                raise RuntimeError(f"a server did not start:\n{log.read_text()[-2000:]}")
            await asyncio.sleep(0.1)
        yield
    finally:
        processes.stop(child, signal.SIGTERM, timeout_s=5)
