"""Foreign keys that stay inside the scope, indexes that scope can use, types that lose nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.architecture.catalog import ForeignKey, Table, tables_of
from tests.architecture.test_row_security import COMPANY_ONLY, owner
from tests.kit.database import TestDatabase

__all__ = ["TestDatabase", "owner"]

SCOPES = ("org_id", "company_id")
# Tables whose rows are few for each key they are read by, so that scope needs no index of its own.
READ_BY_KEY = {
    "organization_placement": "read by unit, which its org_id is",
    "accounts_role_permission": "read by role",
    "accounts_grant": "read by person and by unit",
    "kernel_audit_row": "read by company and transaction",
    "charging_settlement": "read with its bill by key; those still open by a partial index",
    "charging_skip": "read by run",
}
# Keys without an index: nothing is ever deleted at their other end.
NEVER_DELETED = {
    "metering_meter.fk_metering_meter_point_no": "points stay; a live meter has a partial index",
}
RECORD = {"id", "company_id", "org_id", "created_at", "version"}
# Tables with org_id that are no Record, each with its reason.
NO_RECORD = {
    "kernel_number_series": "a counter: the row is the lock",
    "kernel_print_count": "a counter: the row is the lock",
    "devices_twin": "the latest value of a point, replaced in place",
    "devices_watermark": "how far a lane has come: the row is the lock",
    "kernel_audit_row": "a log line, numbered by the database",
    "ledger_line": "written by the statement of its entry, numbered by the database",
}
# Measurements are floats; metering quantises what it bills in one function.
FLOATS = {
    "devices_telemetry.value": "a measurement",
    "devices_twin.value": "a measurement",
    "devices_command.value": "what the device answered",
    "devices_command.argument": "what the device is told",
}
# Kept as computed, however many places that took.
UNROUNDED = {
    "charging_bill.raw_amount": "what the amount was rounded from",
    "charging_draft.raw_amount": "what the amount was rounded from",
}


def escaping(table: Table, keys: tuple[ForeignKey, ...]) -> Iterator[str]:
    """A plain key sees past row security: it would take a row of another company."""
    for key in keys:
        scope = [column for column in key.columns if column in SCOPES]
        if not scope or not set(scope) <= set(key.target_columns):
            yield f"{table.name}.{key.name} leads out of the scope: ({', '.join(key.columns)})"
        if not key.on_delete:
            yield f"{table.name}.{key.name} does not say what a deletion does"
        own = [column for column in key.columns if column not in SCOPES]
        is_served = any(_serves(index, own) for index in table.indexes)
        if not is_served and f"{table.name}.{key.name}" not in NEVER_DELETED:
            yield f"{table.name}.{key.name} has no index"


def _serves(index: tuple[str, ...], own: list[str]) -> bool:
    leading = [column for column in index if column not in SCOPES]
    return leading[: len(own)] == own


def unindexed(table: Table) -> Iterator[str]:
    if "org_id" not in table.columns or table.name in READ_BY_KEY or table.partition:
        return
    if not any(index[0] in SCOPES for index in table.indexes):
        yield f"{table.name} has no index that begins with org_id or company_id"


def mistyped(table: Table) -> Iterator[str]:
    for column, kind in table.columns.items():
        if kind.startswith(("numeric", "money")) and f"{table.name}.{column}" not in UNROUNDED:
            yield f"{table.name}.{column} is {kind}: use amount, unit_price or quantity"
        if kind in {"real", "double precision"} and f"{table.name}.{column}" not in FLOATS:
            yield f"{table.name}.{column} is a float"
        if kind == "timestamp without time zone":
            yield f"{table.name}.{column} has no time zone"


def unrecorded(table: Table) -> Iterator[str]:
    if "org_id" in table.columns and table.name not in NO_RECORD | dict.fromkeys(COMPANY_ONLY):
        missing = RECORD - table.required
        if missing:
            yield f"{table.name} lacks {sorted(missing)} NOT NULL"


def misnamed(table: Table) -> Iterator[str]:
    for name in table.constraints:
        if not re.match(rf"(pk|uq|ck|fk|ex)_{table.name}", name):
            yield f"{table.name}: {name} was named by the database"


CHECKS = (
    lambda table: escaping(table, table.foreign_keys),
    unindexed,
    mistyped,
    unrecorded,
    misnamed,
)


def complaints(connection: psycopg.Connection[Any], name: str = "") -> list[str]:
    return [
        line
        for table in tables_of(connection)
        if not table.partition and (not name or table.name == name)
        for check in CHECKS
        for line in check(table)
    ]


GOOD = """
CREATE TABLE probe (
  id uuid NOT NULL CONSTRAINT pk_probe PRIMARY KEY, company_id uuid NOT NULL,
  org_id uuid NOT NULL, created_at timestamptz NOT NULL, version integer NOT NULL, unit_id uuid,
  CONSTRAINT uq_probe_org_id_id UNIQUE (org_id, id),
  CONSTRAINT fk_probe_unit_id FOREIGN KEY (company_id, unit_id)
    REFERENCES organization_unit (company_id, id) ON DELETE RESTRICT);
CREATE INDEX ix_probe_unit_id ON probe (unit_id);
"""
CHANGES = {
    "leads out of the scope": (
        "FOREIGN KEY (company_id, unit_id)\n    REFERENCES organization_unit (company_id, id)",
        "FOREIGN KEY (unit_id) REFERENCES organization_unit (id)",
    ),
    "does not say what a deletion does": (" ON DELETE RESTRICT", ""),
    "has no index": ("CREATE INDEX ix_probe_unit_id ON probe (unit_id);", ""),
    "no index that begins": ("UNIQUE (org_id, id)", "UNIQUE (id, org_id)"),
    "use amount, unit_price or quantity": ("unit_id uuid,", "unit_id uuid, paid numeric(18, 2),"),
    "is a float": ("unit_id uuid,", "unit_id uuid, paid double precision,"),
    "has no time zone": ("created_at timestamptz", "created_at timestamp"),
    "lacks ['version']": (" version integer NOT NULL,", ""),
    "was named by the database": ("CONSTRAINT pk_probe PRIMARY KEY", "PRIMARY KEY"),
}


class TestTheDatabase:
    def test_keeps_keys_inside_and_types_exact(self, owner: psycopg.Connection[Any]) -> None:
        assert complaints(owner) == []

    def test_lists_nothing_that_is_gone(self, owner: psycopg.Connection[Any]) -> None:
        tables = {table.name: table for table in tables_of(owner)}
        keys = {
            f"{name}.{key.name}" for name, table in tables.items() for key in table.foreign_keys
        }
        columns = {f"{name}.{column}" for name, table in tables.items() for column in table.columns}

        assert {*READ_BY_KEY, *NO_RECORD} - tables.keys() == set()
        assert {*FLOATS, *UNROUNDED} - columns == set()
        assert NEVER_DELETED.keys() - keys == set()


class TestSeenRed:
    def test_the_right_table_passes(self, owner: psycopg.Connection[Any]) -> None:
        owner.execute(GOOD)

        assert complaints(owner, "probe") == []

    @pytest.mark.parametrize("complaint", CHANGES)
    def test_each_fault_is_said(self, owner: psycopg.Connection[Any], complaint: str) -> None:
        before, after = CHANGES[complaint]
        assert before in GOOD

        owner.execute(GOOD.replace(before, after))

        assert any(complaint in line for line in complaints(owner, "probe"))
