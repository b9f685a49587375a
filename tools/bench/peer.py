"""Bare FastAPI and psycopg on the same tables: what an API read costs at the least."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
from fastapi import FastAPI, HTTPException
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from cloud.kernel.settings import load_endpoints

_READ = """
    SELECT b.id, b.number, b.room_name, b.payer_name, b.period_from, b.period_to, b.quantity,
      b.unit_price, b.amount, b.tax, b.due_on, b.issued_on, b.snapshot, s.paid, s.version
    FROM charging_bill b JOIN charging_settlement s ON s.id = b.id WHERE b.id = %s
"""
_PAGE = """
    SELECT b.id, b.number, b.room_name, b.payer_name, b.period_from, b.period_to, b.amount,
      b.due_on, s.paid, s.version, count(*) OVER () AS total
    FROM charging_bill b JOIN charging_settlement s ON s.id = b.id
    ORDER BY b.due_on DESC, b.id LIMIT 20
"""


def bare_app(url: str, company: str) -> FastAPI:
    """A query a route; the scope is set once a connection."""

    async def scoped(connection: AsyncConnection[Any]) -> None:
        await connection.set_autocommit(True)
        await connection.execute(
            "SELECT set_config('app.company', %s, false), set_config('app.all', 'on', false)",
            [company],
        )

    pool = AsyncConnectionPool(
        url, open=False, min_size=8, configure=scoped, kwargs={"row_factory": dict_row}
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with pool:
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/bills/{bill_id}")
    async def read_bill(bill_id: UUID) -> dict[str, Any]:
        async with pool.connection() as connection:
            found: Any = await (await connection.execute(_READ, [bill_id])).fetchone()
        if found is None:
            raise HTTPException(404)
        row: dict[str, Any] = found
        return row

    @app.get("/bills")
    async def list_bills() -> list[dict[str, Any]]:
        async with pool.connection() as connection:
            found: list[dict[str, Any]] = await (await connection.execute(_PAGE)).fetchall()
        return found

    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--company", required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    url = load_endpoints(asked.data_dir).database.app_url.get_secret_value()
    app = bare_app(url, asked.company)
    uvicorn.run(app, host="127.0.0.1", port=asked.port, log_config=None, access_log=False)


if __name__ == "__main__":
    main()
