"""The two unprivileged database roles, made before the first revision."""

from __future__ import annotations

import psycopg
from psycopg import sql

APP = "wuye_app"
HOST = "wuye_host"


def ensure_roles(owner_url: str, *, app_password: str, host_password: str) -> None:
    """Create or refresh both roles. They own nothing and cannot bypass row security."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        for role, password in ((APP, app_password), (HOST, host_password)):
            _ensure(connection, role, password)
        connection.execute(sql.SQL("GRANT {} TO {}").format(_name(APP), _name(HOST)))
        database = connection.info.dbname
        connection.execute(
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                _name(database), _name(APP)
            )
        )


def _ensure(connection: psycopg.Connection, role: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb = sql.SQL("ALTER" if known else "CREATE")
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN INHERIT NOCREATEDB NOCREATEROLE PASSWORD {}").format(
            verb, _name(role), sql.Literal(password)
        )
    )


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(name)
