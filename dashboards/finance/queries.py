"""What is owed and received, from the journal, as it stood at the end of any business date.

The receivable accounts' lines are the one source: a figure here is a balance of the ledger, cut by
the bill's cycle, the month of business and the kind of document. Postgres adds up once for each
(viewer, date); DuckDB cuts windows, months, regions and projects out of that.

The measures are those of 收缴率 (current, old, combined, by rooms). A bill belongs to the month in
which its cycle begins. What is billed late for older cycles joins the opening arrears, and what was
paid before its cycle began counts when it begins, so that opening + billed − received = closing
holds in every window and no rate passes 100 % by timing alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pyarrow as pa

from cloud.kernel.analytics import AMOUNT, DAY, FLAG, RATE, TEXT, WHOLE, Extract, Reading
from cloud.kernel.errors import NotFound, Unprocessable
from cloud.kernel.money import ZERO
from cloud.kernel.numbering import DocumentKind
from cloud.kernel.periods import add_months

MONTHS_SHOWN = 12
LAST_DAY = 31
AGES = ("not_due", "d30", "d90", "d180", "d365", "y2", "y3", "older")

_RECEIVABLE = "SELECT receivable_id FROM charging_item"
_IS_RECEIPT = "e.source_kind LIKE 'receiving.%'"

# Each entry takes the next voucher number of its community in its own transaction, so the counters
# move exactly when an entry comes to be seen. The newest line would not: ids are given before the
# COMMIT, and a transaction with lower ones may end later.
MARK = Extract(
    "mark",
    f"""
    SELECT coalesce(sum(next_number), 0)::bigint AS entries FROM kernel_number_series
    WHERE series = '{DocumentKind.entry}' AND org_id IN (SELECT id FROM organization_unit)""",
    {"entries": WHOLE},
)
UNITS = Extract(
    "units",
    "SELECT id::text, parent_id::text, kind, code, name FROM organization_unit",
    {"id": TEXT, "parent_id": TEXT, "kind": TEXT, "code": TEXT, "name": TEXT},
)
TARGETS = Extract(
    "targets",
    "SELECT org_id::text, month, current_rate, old_rate, combined_rate FROM headquarters_target"
    " WHERE month <= :month",
    {"org_id": TEXT, "month": DAY, "current": RATE, "old": RATE, "combined": RATE},
)
MOVES = Extract(
    "moves",
    f"""
    SELECT l.org_id::text,
      date_trunc('month', coalesce(b.cycle_from, e.business_on)::timestamp)::date AS cycle,
      date_trunc('month', e.business_on::timestamp)::date AS month,
      extract(day FROM e.business_on) <= :day AS early,
      {_IS_RECEIPT} AS receipt,
      CASE WHEN b.due_on IS NULL OR b.due_on >= :as_of THEN 'not_due'
        WHEN :as_of - b.due_on <= 30 THEN 'd30' WHEN :as_of - b.due_on <= 90 THEN 'd90'
        WHEN :as_of - b.due_on <= 180 THEN 'd180' WHEN :as_of - b.due_on <= 365 THEN 'd365'
        WHEN :as_of - b.due_on <= 730 THEN 'y2' WHEN :as_of - b.due_on <= 1095 THEN 'y3'
        ELSE 'older' END AS age,
      sum(l.debit - l.credit) AS amount
    FROM ledger_line l
    JOIN ledger_entry e ON e.org_id = l.org_id AND e.id = l.entry_id
    LEFT JOIN charging_bill b ON b.org_id = l.org_id AND b.id = l.bill_id
    WHERE e.business_on <= :as_of AND l.account_id IN ({_RECEIVABLE})
    GROUP BY 1, 2, 3, 4, 5, 6""",
    {
        "org_id": TEXT, "cycle": DAY, "month": DAY, "early": FLAG, "receipt": FLAG, "age": TEXT,
        "amount": AMOUNT,
    },
)  # fmt: skip
# A room counts when something was billed to it for the window, and as paid when nothing is open.
ROOMS = Extract(
    "rooms",
    f"""
    SELECT org_id::text, place, count(*) FILTER (WHERE billed > 0),
      count(*) FILTER (WHERE billed > 0 AND open <= 0)
    FROM (
      SELECT b.org_id, w.place, b.room_id, sum(l.debit - l.credit) AS open,
        coalesce(sum(l.debit - l.credit) FILTER (WHERE NOT {_IS_RECEIPT}), 0) AS billed
      FROM (VALUES
          (0, CAST(:first_0 AS date), CAST(:until_0 AS date), CAST(:as_of_0 AS date)),
          (1, CAST(:first_1 AS date), CAST(:until_1 AS date), CAST(:as_of_1 AS date)),
          (2, CAST(:first_2 AS date), CAST(:until_2 AS date), CAST(:as_of_2 AS date))
        ) AS w (place, first, until, as_of)
      JOIN charging_bill b ON b.cycle_from >= w.first AND b.cycle_from < w.until
      JOIN ledger_line l ON l.org_id = b.org_id AND l.bill_id = b.id
        AND l.account_id IN ({_RECEIVABLE})
      JOIN ledger_entry e ON e.org_id = l.org_id AND e.id = l.entry_id
        AND e.business_on <= w.as_of
      GROUP BY 1, 2, 3) AS each_room
    GROUP BY 1, 2""",
    {"org_id": TEXT, "place": WHOLE, "rooms": WHOLE, "rooms_paid": WHOLE},
)

WINDOW = """
    SELECT org_id,
      sum(amount) FILTER (NOT receipt AND cycle >= $first AND cycle < $until) AS billed,
      sum(amount) FILTER (month < $first AND cycle < $first) AS opening,
      sum(amount) FILTER (NOT receipt AND month >= $first AND cycle < $first) AS late,
      -sum(amount) FILTER (receipt AND cycle >= $first AND cycle < $until) AS current,
      -sum(amount) FILTER (receipt AND month < $first AND cycle >= $first AND cycle < $until)
        AS current_before,
      -sum(amount) FILTER (receipt AND month >= $first AND cycle < $first) AS old,
      -sum(amount) FILTER (receipt AND month >= $first AND cycle >= $until) AS ahead,
      -sum(amount) FILTER (receipt AND month >= $first) AS received,
      sum(amount) AS balance,
      sum(amount) FILTER (age <> 'not_due') AS overdue
    FROM moves WHERE month < $last OR (month = $last AND (early OR NOT $partial))
    GROUP BY org_id"""
# A month's bills as they are known on the day that is asked for: what is metered is billed in the
# month after its cycle, and would else be in no month at all.
BY_MONTH = """
    SELECT m.month,
      coalesce(sum(amount) FILTER (NOT receipt AND cycle = m.month), 0) AS billed,
      coalesce(-sum(amount) FILTER (receipt AND v.month = m.month), 0) AS received,
      coalesce(-sum(amount) FILTER (receipt AND cycle = m.month), 0) AS current
    FROM (SELECT unnest($months::DATE[]) AS month) m
    LEFT JOIN moves v ON list_contains($orgs, v.org_id)
      AND (v.month = m.month OR v.cycle = m.month)
    GROUP BY m.month ORDER BY m.month"""
BY_AGE = """
    SELECT age, sum(amount) AS amount FROM moves WHERE list_contains($orgs, org_id) GROUP BY age"""


class AsOfAhead(Unprocessable):
    message = "The date lies ahead: figures end with today, {today}."


class Span(StrEnum):
    month = "month"
    year = "year"


@dataclass(frozen=True)
class Asked:
    as_of: date
    span: Span = Span.month
    unit_id: str | None = None


@dataclass(frozen=True)
class Window:
    """Months from `first` to the day before `until`, counted up to `as_of`."""

    first: date
    until: date
    as_of: date
    partial: bool
    """Only the days up to `as_of` of the last month: a fair comparison with a month that runs."""

    @property
    def last(self) -> date:
        return self.as_of.replace(day=1)


@dataclass(frozen=True)
class Sums:
    """Of one unit in one window. Amounts are exact; the parts are explained in WINDOW."""

    billed: Decimal = ZERO
    opening: Decimal = ZERO
    late: Decimal = ZERO
    current: Decimal = ZERO
    current_before: Decimal = ZERO
    old: Decimal = ZERO
    ahead: Decimal = ZERO
    received: Decimal = ZERO
    balance: Decimal = ZERO
    overdue: Decimal = ZERO
    rooms: int = 0
    rooms_paid: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            **{
                field.name: getattr(self, field.name) + getattr(other, field.name)
                for field in fields(Sums)
            }
        )

    @property
    def arrears(self) -> Decimal:
        """What was to be collected of older cycles: opening, and billed late."""
        return self.opening + self.late

    @property
    def current_rate(self) -> Decimal | None:
        return _rate(self.current, self.billed)

    @property
    def old_rate(self) -> Decimal | None:
        return _rate(self.old, self.arrears)

    @property
    def combined_rate(self) -> Decimal | None:
        return _rate(self.current + self.old, self.arrears + self.billed)

    @property
    def rooms_rate(self) -> Decimal | None:
        return _rate(Decimal(self.rooms_paid), Decimal(self.rooms))

    @property
    def is_empty(self) -> bool:
        return self == Sums()


def _rate(part: Decimal, whole: Decimal) -> Decimal | None:
    return part / whole if whole > 0 else None


@dataclass(frozen=True)
class Unit:
    id: str
    parent_id: str | None
    kind: str
    code: str
    name: str


@dataclass(frozen=True)
class Target:
    current: Decimal | None = None
    old: Decimal | None = None
    combined: Decimal | None = None


@dataclass(frozen=True)
class Row:
    """A region or a project of the table. `below` are a region's projects."""

    unit: Unit
    sums: Sums
    below: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Month:
    month: date
    billed: Decimal
    received: Decimal
    current: Decimal

    @property
    def rate(self) -> Decimal | None:
        return _rate(self.current, self.billed)


@dataclass(frozen=True)
class Figures:
    asked: Asked
    unit: Unit | None
    units: tuple[Unit, ...]
    now: Sums
    before: Sums
    """The month before, up to the same day; for a year the year before."""
    last_year: Sums
    months: tuple[Month, ...]
    ages: tuple[tuple[str, Decimal], ...]
    rows: tuple[Row, ...]
    target: Target

    @property
    def is_empty(self) -> bool:
        return self.now.is_empty and not any(each.billed or each.received for each in self.months)


@dataclass(frozen=True)
class Facts:
    """What Postgres answered for one viewer, date and span; everything shown follows from it."""

    moves: pa.Table
    rooms: pa.Table


def windows(asked: Asked) -> tuple[Window, Window, Window]:
    """This one, the one before, and that of a year ago."""
    last = asked.as_of.replace(day=1)
    first = last.replace(month=1) if asked.span is Span.year else last
    until = add_months(last, 1)
    partial = asked.as_of + timedelta(days=1) < until

    def back(months: int) -> Window:
        month = add_months(last, -months)
        end = add_months(month, 1) - timedelta(days=1)
        as_of = min(end, month.replace(day=1) + timedelta(days=asked.as_of.day - 1))
        return Window(
            add_months(first, -months), add_months(until, -months), as_of if partial else end,
            partial,
        )  # fmt: skip

    return (
        Window(first, until, asked.as_of, partial=False),
        back(12 if asked.span is Span.year else 1),
        back(12),
    )


async def books_mark(reading: Reading) -> int:
    """The journal only grows: facts for which this has not changed are still right."""
    return int((await reading.load(MARK)).column("entries")[0].as_py())


async def load_facts(reading: Reading, asked: Asked) -> Facts:
    now, before, last_year = windows(asked)
    day = asked.as_of.day if before.partial else LAST_DAY
    moves = await reading.load(MOVES, as_of=asked.as_of, day=day)
    bounds: dict[str, date] = {}
    for place, window in enumerate((now, before, last_year)):
        bounds |= {
            f"first_{place}": window.first,
            f"until_{place}": window.until,
            f"as_of_{place}": window.as_of,
        }
    return Facts(moves=moves, rooms=await reading.load(ROOMS, **bounds))


async def figures(reading: Reading, asked: Asked, facts: Facts) -> Figures:
    """Raises NotFound for a unit out of the viewer's scope, AsOfAhead for a day to come."""
    if asked.as_of > reading.ctx.business_on:
        raise AsOfAhead(today=reading.ctx.business_on)
    reading.register("moves", facts.moves)
    reading.register("rooms", facts.rooms)
    units = {row["id"]: Unit(**row) for row in (await reading.load(UNITS)).to_pylist()}
    wanted = units.get(asked.unit_id) if asked.unit_id else None
    if asked.unit_id and wanted is None:
        raise NotFound
    orgs = _below(units.values(), wanted)
    sums = [await _of_window(reading, window, place) for place, window in enumerate(windows(asked))]
    totals = [_total(each.get(org) for org in orgs) for each in sums]
    last = asked.as_of.replace(day=1)
    listed = [str(add_months(last, -back)) for back in reversed(range(MONTHS_SHOWN))]
    months = await reading.rows(BY_MONTH, months=listed, orgs=list(orgs))
    ages = {row["age"]: row["amount"] for row in await reading.rows(BY_AGE, orgs=list(orgs))}
    targets = (await reading.load(TARGETS, month=last)).to_pylist()
    return Figures(
        asked=asked,
        unit=wanted,
        units=tuple(sorted(units.values(), key=lambda unit: unit.code)),
        now=totals[0],
        before=totals[1],
        last_year=totals[2],
        months=tuple(Month(**row) for row in months),
        ages=tuple((age, ages.get(age, ZERO)) for age in AGES),
        rows=_rows(units, orgs, sums[0]),
        target=_target(units, wanted, targets),
    )


async def _of_window(reading: Reading, window: Window, place: int) -> dict[str, Sums]:
    found = await reading.rows(
        WINDOW, first=window.first, until=window.until, last=window.last, partial=window.partial
    )
    rooms = await reading.rows("SELECT * FROM rooms WHERE place = $place", place=place)
    counts = {row["org_id"]: (row["rooms"], row["rooms_paid"]) for row in rooms}
    sums = {}
    for row in found:
        org_id = row.pop("org_id")
        billed_rooms, paid_rooms = counts.get(org_id, (0, 0))
        amounts = {key: value if value is not None else ZERO for key, value in row.items()}
        sums[org_id] = Sums(**amounts, rooms=billed_rooms, rooms_paid=paid_rooms)
    return sums


def _total(parts: Iterable[Sums | None]) -> Sums:
    return sum((part for part in parts if part is not None), Sums())


def _below(units: Iterable[Unit], top: Unit | None) -> tuple[str, ...]:
    """The projects at and below `top`, all that are seen when there is none."""
    known = list(units)
    if top is None:
        return tuple(unit.id for unit in known)
    inside = {top.id}
    for _ in range(3):  # company, region, project
        inside |= {unit.id for unit in known if unit.parent_id in inside}
    return tuple(inside)


def _rows(units: dict[str, Unit], orgs: Iterable[str], sums: dict[str, Sums]) -> tuple[Row, ...]:
    """Regions with their projects; projects whose region is not seen stand alone."""
    within = set(orgs)
    regions: dict[str, list[Row]] = {}
    alone: list[Row] = []
    projects = [unit for unit in units.values() if unit.kind == "project" and unit.id in within]
    for unit in sorted(projects, key=lambda one: one.code):
        row = Row(unit, sums.get(unit.id, Sums()))
        parent = units.get(unit.parent_id or "")
        if parent is not None and parent.kind == "region":
            regions.setdefault(parent.id, []).append(row)
        else:
            alone.append(row)
    grouped = [
        Row(units[region], _total(row.sums for row in rows), tuple(rows))
        for region, rows in sorted(regions.items(), key=lambda pair: units[pair[0]].code)
    ]
    return (*grouped, *alone)


def _target(units: dict[str, Unit], unit: Unit | None, targets: list[dict[str, Any]]) -> Target:
    """The newest of the unit, else of the unit above it, up to the company."""
    root = next((one for one in units.values() if one.parent_id is None), None)
    place = unit or root
    while place is not None:
        own = [row for row in targets if row["org_id"] == place.id]
        if own:
            newest = max(own, key=lambda row: row["month"])
            return Target(**{key: newest[key] for key in ("current", "old", "combined")})
        place = units.get(place.parent_id or "")
    return Target()
