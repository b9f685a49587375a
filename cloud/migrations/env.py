"""Alembic's environment: one transaction a revision, as the owner; partitions are not our tables."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import create_engine, text
from sqlalchemy.types import TypeEngine

from cloud.kernel.db import ExactNumeric
from cloud.main import metadata


def _include_object(_item: Any, name: str | None, kind: str, reflected: bool, _: Any) -> bool:
    if kind == "table" and reflected:
        return name not in _left_out and not (name or "").startswith("procrastinate_")
    return True


# No rights for anybody, so no models either.
REACHED_BY_FUNCTIONS_ONLY = (
    "accounts_attempt",
    "accounts_credential",
    "accounts_session",
    "organization_company",
)
_left_out: set[str] = {"alembic_version"}


def _compare_type(
    _context: Any, _column: Any, _metadata_column: Any, inspected: TypeEngine[Any], wanted: Any
) -> bool | None:
    if isinstance(wanted, ExactNumeric):
        return getattr(inspected, "name", None) != wanted.domain
    return None


def _run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    url = context.config.get_main_option("sqlalchemy.url") or ""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as opened:
        _migrate(opened)
        opened.commit()
    engine.dispose()


def _migrate(connection: Any) -> None:
    partitions = connection.execute(text("SELECT relname FROM pg_class WHERE relispartition"))
    _left_out.update(row[0] for row in partitions)
    _left_out.update(REACHED_BY_FUNCTIONS_ONLY)
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        include_object=_include_object,
        compare_type=_compare_type,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
