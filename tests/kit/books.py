"""Reads what a stack has really committed, past the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from tests.kit.database import TestDatabase


class Books:
    """Reads the database as its owner inside the demo company's scope."""

    def __init__(self, database: TestDatabase) -> None:
        self._connection = psycopg.connect(
            database.owner_url, autocommit=True, row_factory=dict_row
        )
        company = self.one("SELECT id FROM organization_company")["id"]
        self.one(
            "SELECT set_config('app.company', %s, false), set_config('app.all', 'on', false)",
            str(company),
        )

    def rows(self, query: str, *params: Any) -> list[dict[str, Any]]:
        return self._connection.execute(query, params).fetchall()

    def one(self, query: str, *params: Any) -> dict[str, Any]:
        return self.rows(query, *params)[0]

    def value(self, query: str, *params: Any) -> Any:
        return next(iter(self.one(query, *params).values()))

    @contextmanager
    def holding_bill_numbers(self, site_id: UUID) -> Iterator[None]:
        """Keeps the series of bill numbers locked: a publication stops in its middle."""
        with self._connection.transaction():
            self.one(
                "SELECT 1 AS held FROM kernel_number_series"
                " WHERE org_id = %s AND series = 'YS' FOR UPDATE",
                site_id,
            )
            yield

    def somebody_waits_for(self, holder: Books) -> bool:
        return bool(
            self.value(
                "SELECT count(*) FROM pg_locks WHERE NOT granted"
                " AND %s = ANY (pg_blocking_pids(pid))",
                holder.pid,
            )
        )

    @property
    def pid(self) -> int:
        return self._connection.info.backend_pid

    def balance(self, account: str) -> Decimal:
        """Debit less credit of an account, over the whole company."""
        return Decimal(
            self.value(
                "SELECT coalesce(sum(l.debit - l.credit), 0) FROM ledger_line l"
                " JOIN ledger_account a ON a.id = l.account_id WHERE a.code = %s",
                account,
            )
        )
