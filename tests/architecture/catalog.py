"""The database as Postgres describes it: tables with their rights, policies, keys and indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from cloud.kernel.roles import APP, HOST


@dataclass(frozen=True)
class ForeignKey:
    name: str
    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    on_delete: str


@dataclass(frozen=True)
class Table:
    """`rights` are those granted by name; `partition` tells a part of a partitioned table."""

    name: str
    owner: str
    partition: bool
    secured: bool
    forced: bool
    policies: dict[str, str]  # command → condition
    rights: dict[str, frozenset[str]]  # role → privileges
    columns: dict[str, str]  # name → type, domains by their own name
    required: frozenset[str]  # NOT NULL columns
    indexes: tuple[tuple[str, ...], ...]
    foreign_keys: tuple[ForeignKey, ...]
    constraints: tuple[str, ...]

    def may(self, role: str) -> frozenset[str]:
        return self.rights.get(role, frozenset())


_TABLES = """
SELECT c.oid, c.relname, pg_get_userbyid(c.relowner), c.relispartition, c.relrowsecurity,
       c.relforcerowsecurity
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
ORDER BY c.relname
"""
_POLICIES = """
SELECT polrelid, polcmd::text, coalesce(pg_get_expr(polqual, polrelid), '')
       || coalesce(pg_get_expr(polwithcheck, polrelid), '') FROM pg_policy
"""
_RIGHTS = """
SELECT c.oid, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END,
       a.privilege_type
FROM pg_class c, aclexplode(c.relacl) a WHERE c.relnamespace = 'public'::regnamespace
  AND a.grantee <> c.relowner
"""
_COLUMNS = """
SELECT attrelid, attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
JOIN pg_class c ON c.oid = attrelid AND c.relnamespace = 'public'::regnamespace
WHERE attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum
"""
_INDEXES = """
SELECT indrelid, array(SELECT coalesce(a.attname, '') FROM unnest(indkey::int[]) WITH ORDINALITY
  AS k(attnum, place) LEFT JOIN pg_attribute a ON a.attrelid = indrelid AND a.attnum = k.attnum
  ORDER BY place) FROM pg_index
JOIN pg_class c ON c.oid = indrelid AND c.relnamespace = 'public'::regnamespace
WHERE indpred IS NULL
"""
_CONSTRAINTS = """
SELECT conrelid, conname, contype::text, confrelid::regclass::text, confdeltype::text,
  array(SELECT attname FROM unnest(conkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.attnum ORDER BY place),
  array(SELECT attname FROM unnest(confkey) WITH ORDINALITY AS k(attnum, place)
        JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.attnum ORDER BY place)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
  AND contype <> 'n' AND conparentid = 0
"""
_COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
_ON_DELETE = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def tables_of(connection: psycopg.Connection[Any]) -> list[Table]:
    """Every table of ours; the job library's are its own and left out."""

    def rows(query: str) -> list[Any]:
        return connection.execute(query).fetchall()

    policies, rights, columns = rows(_POLICIES), rows(_RIGHTS), rows(_COLUMNS)
    indexes, constraints = rows(_INDEXES), rows(_CONSTRAINTS)
    found = []
    for oid, name, owner, partition, secured, forced in rows(_TABLES):
        if name.startswith("procrastinate_") or name == "alembic_version":
            continue
        granted: dict[str, set[str]] = {}
        for _, role, right in (row for row in rights if row[0] == oid):
            granted.setdefault(role, set()).add(right)
        found.append(
            Table(
                name=name,
                owner=owner,
                partition=partition,
                secured=secured,
                forced=forced,
                policies={_COMMANDS[row[1]]: row[2] for row in policies if row[0] == oid},
                rights={role: frozenset(held) for role, held in granted.items()},
                columns={row[1]: row[2] for row in columns if row[0] == oid},
                required=frozenset(row[1] for row in columns if row[0] == oid and row[3]),
                indexes=tuple(tuple(row[1]) for row in indexes if row[0] == oid),
                foreign_keys=tuple(
                    ForeignKey(row[1], tuple(row[5]), row[3], tuple(row[6]), _ON_DELETE[row[4]])
                    for row in constraints
                    if row[0] == oid and row[2] == "f"
                ),
                constraints=tuple(row[1] for row in constraints if row[0] == oid),
            )
        )
    return found


@dataclass(frozen=True)
class Routine:
    name: str
    owner: str
    definer: bool
    fixed_path: bool
    public: bool


_ROUTINES = """
SELECT p.oid::regprocedure::text, pg_get_userbyid(p.proowner), p.prosecdef,
  coalesce(array_to_string(p.proconfig, ','), '') LIKE '%search_path=%',
  p.proacl IS NULL OR EXISTS (SELECT 1 FROM aclexplode(p.proacl) a WHERE a.grantee = 0)
FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  AND p.proname NOT LIKE 'procrastinate%'
"""


def routines_of(connection: psycopg.Connection[Any]) -> list[Routine]:
    return [Routine(*row) for row in connection.execute(_ROUTINES).fetchall()]


def owned_by_the_unprivileged(connection: psycopg.Connection[Any]) -> list[str]:
    found = connection.execute(
        "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = ANY (%(roles)s)"
        " AND relpersistence <> 't'"
        " UNION ALL SELECT proname FROM pg_proc WHERE pg_get_userbyid(proowner) = ANY (%(roles)s)"
        " UNION ALL SELECT nspname FROM pg_namespace"
        " WHERE pg_get_userbyid(nspowner) = ANY (%(roles)s)",
        {"roles": [APP, HOST]},
    )
    return [row[0] for row in found.fetchall()]
