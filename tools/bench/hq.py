"""Headquarters' first page over a long history, against its one aggregate as raw SQL."""

from __future__ import annotations

import sys
from datetime import date
from time import perf_counter
from typing import Any

import psycopg
from sqlmodel import SQLModel

from cloud.kernel.clock import utc_now
from cloud.modules.accounts import service as accounts
from tests.kit.browser import watched_browser
from tools.bench.billing import published
from tools.bench.estate import Place
from tools.bench.http import PASSWORD, serving
from tools.bench.measure import ROUNDS, Measure, Rates, rate

PER = 60  # one a second is sixty a minute
MONTHS_MAX = 100  # below the ten years by which the bench of bills moves its copies
LOGIN = "bench-hq"
PAINTED_WITHIN_MS = 90_000

_COLUMNS = [column.name for column in SQLModel.metadata.tables["charging_bill"].columns]
_EARLIER = "(s.{name} - %(shift)s::interval)::date"
_CHANGED = {
    **{name: _EARLIER.format(name=name) for name in ("cycle_from", "period_from", "period_to")},
    "due_on": _EARLIER.format(name="due_on"),
    "issued_on": _EARLIER.format(name="cycle_from"),
    "id": "uuid7()",
    "number": "%(tag)s || s.number",
}
_SELECTED = ", ".join(f"{_CHANGED.get(name, 's.' + name)} AS {name}" for name in _COLUMNS)
# A month's bills once more, some months earlier; nine of ten were paid half a month later.
_HISTORY = (
    (
        f"CREATE TEMPORARY TABLE made ON COMMIT DROP AS SELECT {_SELECTED},"  # noqa: S608
        " i.receivable_id, i.revenue_id, right(s.number, 1) <> '0' AS is_paid"
        " FROM charging_bill s JOIN charging_item i ON i.id = s.item_id"
        " WHERE s.cycle_from = %(month)s AND s.number NOT LIKE 'RAW%%'"
    ),
    (
        f"INSERT INTO charging_bill ({', '.join(_COLUMNS)})"  # noqa: S608 - names from code
        f" SELECT {', '.join(_COLUMNS)} FROM made"
    ),
    (
        "INSERT INTO charging_settlement"
        " (id, company_id, org_id, created_at, created_by, version, amount, paid)"
        " SELECT id, company_id, org_id, created_at, created_by, 1, amount,"
        " CASE WHEN is_paid THEN amount ELSE 0 END FROM made"
    ),
    (
        "CREATE TEMPORARY TABLE entry ON COMMIT DROP AS SELECT uuid7() AS id, one.*, kind.*"
        " FROM (SELECT company_id, org_id, created_at, created_by, min(cycle_from) AS first"
        "   FROM made GROUP BY 1, 2, 3, 4) AS one,"
        " (VALUES ('charging.run', 0, 1), ('receiving.receipt', 15, -1)) AS kind (name, days, sign)"
    ),
    (
        "INSERT INTO ledger_entry (id, company_id, org_id, created_at, created_by, version, number,"
        " business_on, summary, source_kind, source_id)"
        " SELECT id, company_id, org_id, created_at, created_by, 1, %(tag)s || name, first + days,"
        " 'history', name, id FROM entry"
    ),
    (
        "INSERT INTO ledger_line (company_id, org_id, entry_id, account_id, legal_entity_id, debit,"
        " credit, room_id, party_id, item_id, bill_id)"
        " SELECT b.company_id, b.org_id, e.id, side.account_id, b.legal_entity_id,"
        " CASE WHEN e.sign * side.sign > 0 THEN b.amount ELSE 0 END,"
        " CASE WHEN e.sign * side.sign > 0 THEN 0 ELSE b.amount END,"
        " b.room_id, b.payer_id, b.item_id, b.id"
        " FROM made b JOIN entry e ON e.org_id = b.org_id AND (e.sign > 0 OR b.is_paid),"
        " LATERAL (VALUES (b.receivable_id, 1), (b.revenue_id, -1)) AS side (account_id, sign)"
        " WHERE b.amount > 0"
    ),
)
# One voucher more: the books have moved, so nothing that was kept may be shown.
_MOVE_BOOKS = "UPDATE kernel_number_series SET next_number = next_number + 1 WHERE series = 'JZ'"
# What the page's first query adds up: by project, cycle, month, kind of document and age.
_AGGREGATE = """
    SELECT l.org_id, date_trunc('month', b.cycle_from), date_trunc('month', e.business_on),
      e.source_kind LIKE 'receiving.%%', (%(as_of)s - b.due_on) / 30, sum(l.debit - l.credit)
    FROM ledger_line l
    JOIN ledger_entry e ON e.org_id = l.org_id AND e.id = l.entry_id
    LEFT JOIN charging_bill b ON b.org_id = l.org_id AND b.id = l.bill_id
    WHERE e.business_on <= %(as_of)s
      AND l.account_id IN (SELECT receivable_id FROM charging_item)
    GROUP BY 1, 2, 3, 4, 5"""


async def hq(place: Place) -> list[Measure]:
    """The measure `hq`, on one web and one dashboards' process and in a real browser."""
    bills = await _history(place)
    await _add_analyst(place)
    rates = Rates()
    web = ("-m", "cloud.cli", "run", "web")
    dashboards = ("-m", "cloud.cli", "run", "dashboards")
    behind = place.endpoints.dashboards
    assert behind is not None
    base = f"http://127.0.0.1:{place.endpoints.http.port}"
    async with (
        serving(place, web, place.endpoints.http.port),
        serving(place, dashboards, behind.port),
        watched_browser(base) as browser,
    ):
        page = await browser.logged_in(LOGIN, PASSWORD)
        figure = page.frame_locator("iframe").locator("[data-figure=received]")
        for number in range(ROUNDS + 1):
            _move_books(place)
            # The first round warms the caches of both, and is not counted.
            with rate(rates.ours if number else [], PER):
                await page.goto(f"{base}/hq")
                await figure.wait_for(timeout=PAINTED_WITHIN_MS)
            with rate(rates.bare if number else [], PER):
                _aggregate(place)
            await page.goto("about:blank")
    return [
        rates.measure(
            "hq",
            "paints/min",
            "from the address /hq to the figures in a browser, over books that have just moved,"
            f" against the page's one aggregate as raw SQL in psycopg; {bills:,} bills",
        )
    ]


async def _history(place: Place) -> int:
    """As many months before the oldest one as make the wanted count of bills."""
    began = perf_counter()
    month = _oldest_month(place)
    if month is None:
        await published(place)
        month = _oldest_month(place)
    assert month is not None
    months = min(-(-place.history // place.bills), MONTHS_MAX)
    for back in range(1, months + 1):
        with psycopg.connect(place.superuser_url) as connection:
            # Keys that were checked once need no check for each copy.
            connection.execute("SET session_replication_role = replica")
            given = {"month": month, "shift": f"{back} months", "tag": f"HQ{back}-"}
            for statement in _HISTORY:
                connection.execute(statement, given)
    with psycopg.connect(place.superuser_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        found = connection.execute("SELECT count(*) FROM charging_bill").fetchone()
    assert found is not None
    print(f"made {found[0]:,} bills in {perf_counter() - began:.0f} s", file=sys.stderr)
    return int(found[0])


def _oldest_month(place: Place) -> date | None:
    with psycopg.connect(place.superuser_url) as connection:
        found = connection.execute(
            "SELECT min(cycle_from) FROM charging_bill WHERE number NOT LIKE 'RAW%'"
        ).fetchone()
    return found[0] if found else None


async def _add_analyst(place: Place) -> None:
    company = place.estate.company
    async with place.world.unit(place.world.headquarters(company)) as ctx:
        role = await accounts.add_role(
            ctx, code="bench-hq", name="看板", permissions=["headquarters.finance:read"]
        )
        user = await accounts.add_user(
            ctx, org_id=company.id, login=LOGIN, name="看板", post="", password=PASSWORD
        )
        await accounts.grant_role(ctx, user_id=user.id, role_id=role.id, unit_id=company.id)


def _move_books(place: Place) -> None:
    with psycopg.connect(place.superuser_url) as connection:
        connection.execute(_MOVE_BOOKS)


def _aggregate(place: Place) -> list[Any]:
    """In the scope and with the rights of one who sees the whole company."""
    with psycopg.connect(place.database.app_url) as connection:
        connection.execute(
            "SELECT set_config('app.company', %s, true), set_config('app.all', 'on', true)",
            [str(place.estate.company.id)],
        )
        return connection.execute(_AGGREGATE, {"as_of": utc_now().date()}).fetchall()
