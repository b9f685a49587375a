"""What is in the database and in the outboxes of a platform that is stopped."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import yaml
from psycopg.rows import dict_row

from cloud.embedded.postgres import PostgresCluster

READINGS = ("meter", "tele")


@dataclass(frozen=True)
class Lane:
    """What a gateway's outbox says of one of its lanes."""

    site: UUID
    epoch: UUID
    name: str
    numbered: int
    acked: int


@dataclass(frozen=True)
class Sums:
    produced: int
    waiting: int
    acked_unstored: int


def read_outboxes(edges: Path) -> list[Lane]:
    """The lanes of all gateways below `edges` that carry readings."""
    lanes = []
    for config in sorted(edges.glob("*/config.yaml")):
        told = yaml.safe_load(config.read_text(encoding="utf-8"))
        outbox = config.parent / told["store"] / "outbox.db"
        with contextlib.closing(sqlite3.connect(outbox)) as opened:
            epoch = UUID(bytes=opened.execute("SELECT epoch FROM identity").fetchone()[0])
            lanes += [
                Lane(UUID(told["site"]), epoch, name, next_seq - 1, acked)
                for name, next_seq, acked in opened.execute("SELECT * FROM lane")
                if name in READINGS
            ]
    return lanes


def compare(lanes: Iterable[Lane], watermarks: dict[tuple[UUID, UUID, str], int]) -> Sums:
    """Outboxes against watermarks: how far each lane is stored, by site, epoch and lane.

    A watermark of an epoch that no outbox has any more counts as produced to where it stands.
    """
    left = dict(watermarks)
    produced = waiting = acked_unstored = 0
    for lane in lanes:
        upto = left.pop((lane.site, lane.epoch, lane.name), 0)
        produced += lane.numbered
        waiting += lane.numbered - upto
        acked_unstored += max(0, lane.acked - upto)
    return Sums(produced + sum(left.values()), waiting, acked_unstored)


class Books:
    """The demo company's rows, read as the owner inside its scope."""

    def __init__(self, owner_url: str) -> None:
        self._connection = psycopg.connect(owner_url, autocommit=True, row_factory=dict_row)
        company = self._rows("SELECT kernel_companies() AS id")[0]["id"]
        self._rows(
            "SELECT set_config('app.company', %s, false), set_config('app.all', 'on', false)",
            str(company),
        )

    def close(self) -> None:
        self._connection.close()

    def rooms_in_debt(self, site: str) -> list[UUID]:
        found = self._rows(
            "SELECT b.room_id FROM charging_bill b JOIN charging_settlement s ON s.id = b.id"
            " JOIN organization_unit u ON u.id = b.org_id WHERE u.code = %s"
            " GROUP BY 1 HAVING sum(s.amount - s.paid) > 50 ORDER BY 1",
            site,
        )
        return [row["room_id"] for row in found]

    def watermarks(self) -> dict[tuple[UUID, UUID, str], int]:
        return {
            (row["org_id"], row["epoch"], row["lane"]): row["next_seq"] - 1
            for row in self._rows("SELECT * FROM devices_watermark")
            if row["lane"] in READINGS
        }

    def stored(self) -> int:
        return self._count("SELECT count(*) AS n FROM devices_telemetry")

    def gaps(self) -> int:
        return self._count("SELECT coalesce(sum(count), 0) AS n FROM devices_gap")

    def duplicates(self) -> int:
        return self._count(
            "SELECT coalesce(sum(times - 1), 0) AS n FROM (SELECT count(*) AS times"
            " FROM devices_telemetry GROUP BY point_no, measured_at HAVING count(*) > 1) AS more"
        )

    def receipts(self) -> int:
        return self._count("SELECT count(*) AS n FROM receiving_receipt")

    def is_balanced(self) -> bool:
        """Every entry by itself, and what bills are still owed against the receivable account."""
        crooked = self._count(
            "SELECT count(*) AS n FROM (SELECT entry_id FROM ledger_line GROUP BY 1"
            " HAVING sum(debit) <> sum(credit)) AS entries"
        )
        owed = self._rows("SELECT sum(amount - paid) AS n FROM charging_settlement")[0]["n"]
        receivable = self._rows(
            "SELECT sum(l.debit - l.credit) AS n FROM ledger_line l JOIN ledger_account a"
            " ON a.id = l.account_id WHERE a.code = '1122'"
        )[0]["n"]
        return crooked == 0 and owed == receivable

    def _count(self, query: str) -> int:
        return int(self._rows(query)[0]["n"])

    def _rows(self, query: str, *params: Any) -> list[dict[str, Any]]:
        return self._connection.execute(query, params).fetchall()


@contextlib.contextmanager
def opened_again(home: Path) -> Iterator[Books]:
    """The books of a platform that is stopped: only its Postgres is started."""
    cluster = PostgresCluster(home)
    cluster.prepare()
    cluster.start()
    try:
        books = Books(cluster.owner_url)
        yield books
        books.close()
    finally:
        cluster.stop()
