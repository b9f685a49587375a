"""Row security on every table, and no right that nobody meant to give."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from cloud.kernel.db import company_policy, row_policy
from cloud.kernel.roles import APP, HOST
from tests.architecture.catalog import (
    Table,
    owned_by_the_unprivileged,
    routines_of,
    tables_of,
)
from tests.kit.database import TestDatabase

# Tables without a policy, each with its reason. The app has no rights on them but those in OPEN.
NO_POLICY = {
    "organization_company": "which companies there are: reached by kernel functions only",
    "accounts_credential": "passwords: reached by the login functions only",
    "accounts_session": "sessions: reached by the login functions only",
    "accounts_attempt": "failed logins precede anybody's scope",
    "kernel_timer": "when a job runs next: no tenant's data",
    "kernel_shard_lease": "which host owns a shard: no tenant's data",
    "kernel_cluster": "where transaction ids begin: no tenant's data",
    "devices_uplink_site": "whose a topic is: reached by functions only",
}
OPEN = {
    "kernel_timer": frozenset({"SELECT", "INSERT", "UPDATE"}),
    "kernel_shard_lease": frozenset({"SELECT"}),
    "kernel_cluster": frozenset({"SELECT"}),
}
# Tables whose policies are others than the usual four.
OWN_POLICIES = {
    "devices_telemetry": {"SELECT": "devices_point"},  # no company columns: through the point
}
# The kernel's own tables: the company is the wall, the unit plays no part.
COMPANY_ONLY = {
    "kernel_idempotency_key",
    "kernel_number_series",
    "kernel_print_count",
    "kernel_audit_row",
    "kernel_audit_seal",
    "kernel_page_layout",
    "kernel_saved_view",
}
# Posted is posted: what changes about a fact lives in its settlement row.
FACTS = {
    "kernel_audit_row": "what was done stays done",
    "kernel_audit_seal": "a seal that can be changed seals nothing",
    "charging_bill": "a bill is corrected by an opposite bill",
    "receiving_receipt": "a receipt is reversed by another",
    "receiving_allocation": "what a receipt paid",
    "receiving_method_line": "how a receipt was paid",
    "receiving_payout": "money handed back stays handed back",
    "receiving_prepaid_move": "what moved a prepaid account",
    "receiving_deposit_move": "what moved a deposit",
    "ledger_entry": "a journal entry is reversed by another",
    "ledger_line": "a line of a posted entry",
    "metering_reading": "a reading is superseded by another",
    "resources_room_area": "bills were computed from the area that held: the next one follows it",
    "resources_room_event": "what happened to a room happened",
    "customers_transfer": "a transfer of ownership is undone by another",
}
DELETES = {
    "kernel_saved_view": "a person's own view is removed",
    "accounts_role_permission": "a permission is taken out of a role; the audit trail keeps it",
    "accounts_grant": "a grant is withdrawn; the audit trail keeps it",
    "kernel_idempotency_key": "an answer is forgotten after a month",
    "charging_draft": "a draft is not posted: a run that starts over writes it anew",
    "resources_space": "a node made by mistake, while no key refers to it; the trail keeps it",
    "resources_room": "goes with its node",
    "charging_skip": "goes with the drafts of its run",
    "ledger_period_lock": "a month is opened again; the audit trail keeps it",
}
HOST_RIGHTS = {
    "kernel_shard_lease": frozenset({"UPDATE"}),
}

LISTED = {*NO_POLICY, *OPEN, *OWN_POLICIES, *COMPANY_ONLY, *FACTS, *DELETES, *HOST_RIGHTS}


def unprotected(table: Table) -> Iterator[str]:
    if table.partition:
        yield from [f"{table.name} is a partition and open to the app"] if table.may(APP) else []
        return
    if table.name in NO_POLICY:
        beyond = table.may(APP) - OPEN.get(table.name, frozenset())
        if beyond:
            yield f"{table.name} has no policy and lets the app {sorted(beyond)}"
        return
    if not (table.secured and table.forced):
        yield f"{table.name}: row security is not enabled and forced"
    if table.name in OWN_POLICIES:
        yield from _differently(table, OWN_POLICIES[table.name])
        return
    commands = {"ALL"} if table.name in COMPANY_ONLY else {"SELECT", "INSERT", "UPDATE", "DELETE"}
    if set(table.policies) != commands:
        yield f"{table.name} has policies for {sorted(table.policies)}, not {sorted(commands)}"
    for command, condition in table.policies.items():
        wanted = {"SELECT": "app.read_orgs", "ALL": "app.company"}.get(command, "app.write_orgs")
        if "app.company" not in condition or wanted not in condition:
            yield f"{table.name}: the policy for {command} does not ask for {wanted}"


def _differently(table: Table, own: dict[str, str]) -> Iterator[str]:
    if any(through not in table.policies.get(command, "") for command, through in own.items()):
        yield f"{table.name}: its policies do not go through {own}"
    if set(table.policies) != own.keys() or table.may(APP) - own.keys():
        yield f"{table.name} lets more than {sorted(own)}"


def excessive(table: Table) -> Iterator[str]:
    rights = table.may(APP)
    if table.may("PUBLIC"):
        yield f"{table.name} is open to everybody"
    if rights - {"SELECT", "INSERT", "UPDATE", "DELETE"}:
        yield f"{table.name} lets the app {sorted(rights)}"
    if table.name in FACTS and rights & {"UPDATE", "DELETE"}:
        yield f"{table.name} is a fact and lets the app {sorted(rights)}"
    if "DELETE" in rights and table.name not in DELETES:
        yield f"{table.name} lets the app delete, and nothing says why"
    beyond = table.may(HOST) - HOST_RIGHTS.get(table.name, frozenset())
    if beyond and not table.partition:
        yield f"{table.name} lets the host {sorted(beyond)}, and nothing says why"
    if table.partition and table.may(HOST) - {"SELECT", "INSERT"}:
        yield f"{table.name} lets the host change telemetry"


@pytest.fixture
def owner(database: TestDatabase) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.owner_url) as connection:
        yield connection
        connection.rollback()


def made(owner: psycopg.Connection[Any], *statements: str) -> Table:
    owner.execute("CREATE TABLE probe (id uuid, company_id uuid NOT NULL, org_id uuid NOT NULL)")
    for statement in statements:
        owner.execute(statement)
    return next(table for table in tables_of(owner) if table.name == "probe")


class TestTheDatabase:
    def test_protects_every_table(self, owner: psycopg.Connection[Any]) -> None:
        assert [line for table in tables_of(owner) for line in unprotected(table)] == []

    def test_gives_no_right_beyond_those_meant(self, owner: psycopg.Connection[Any]) -> None:
        assert [line for table in tables_of(owner) for line in excessive(table)] == []

    def test_lists_no_table_that_is_gone(self, owner: psycopg.Connection[Any]) -> None:
        known = {table.name for table in tables_of(owner)}

        assert LISTED - known == set()

    def test_gives_the_app_nothing_to_own(self, owner: psycopg.Connection[Any]) -> None:
        assert owned_by_the_unprivileged(owner) == []

    @pytest.mark.parametrize("role", [APP, HOST])
    def test_has_roles_that_cannot_bypass(self, owner: psycopg.Connection[Any], role: str) -> None:
        attributes = owner.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,"
            " has_schema_privilege(rolname, 'public', 'CREATE') FROM pg_roles WHERE rolname = %s",
            (role,),
        ).fetchone()

        assert attributes == (False,) * 6

    def test_pins_the_path_of_every_function_that_sees_past_it(
        self, owner: psycopg.Connection[Any]
    ) -> None:
        loose = [
            routine.name
            for routine in routines_of(owner)
            if routine.definer and (not routine.fixed_path or routine.public)
        ]

        assert loose == []


class TestSeenRed:
    def test_no_policy_at_all(self, owner: psycopg.Connection[Any]) -> None:
        assert list(unprotected(made(owner)))

    def test_enabled_but_not_forced(self, owner: psycopg.Connection[Any]) -> None:
        statements = [line for line in row_policy("probe") if "FORCE" not in line]

        assert list(unprotected(made(owner, *statements)))

    def test_the_company_alone_where_the_unit_counts(self, owner: psycopg.Connection[Any]) -> None:
        assert list(unprotected(made(owner, *company_policy("probe"))))

    def test_a_policy_that_asks_for_nothing(self, owner: psycopg.Connection[Any]) -> None:
        statements = row_policy("probe")[:-1]
        table = made(owner, *statements, "CREATE POLICY x ON probe FOR DELETE USING (true)")

        assert list(unprotected(table))

    def test_the_full_policy_passes(self, owner: psycopg.Connection[Any]) -> None:
        table = made(owner, *row_policy("probe"), f"GRANT SELECT, INSERT ON probe TO {APP}")

        assert [*unprotected(table), *excessive(table)] == []

    @pytest.mark.parametrize(
        "grant",
        [
            f"GRANT DELETE ON probe TO {APP}",
            f"GRANT TRUNCATE ON probe TO {APP}",
            f"GRANT REFERENCES ON probe TO {APP}",
            f"GRANT INSERT ON probe TO {HOST}",
            "GRANT SELECT ON probe TO PUBLIC",
        ],
    )
    def test_a_right_too_many(self, owner: psycopg.Connection[Any], grant: str) -> None:
        assert list(excessive(made(owner, grant)))

    def test_a_fact_that_can_be_changed(self, owner: psycopg.Connection[Any]) -> None:
        owner.execute(f"GRANT UPDATE ON kernel_audit_row TO {APP}")
        row = next(table for table in tables_of(owner) if table.name == "kernel_audit_row")

        assert list(excessive(row))

    def test_a_secret_that_the_app_may_read(self, owner: psycopg.Connection[Any]) -> None:
        owner.execute(f"GRANT SELECT ON accounts_credential TO {APP}")
        table = next(table for table in tables_of(owner) if table.name == "accounts_credential")

        assert list(unprotected(table))

    def test_a_partition_open_to_the_app(self, owner: psycopg.Connection[Any]) -> None:
        owner.execute(
            "CREATE TABLE whole (org_id uuid, at int) PARTITION BY RANGE (at);"
            "CREATE TABLE part PARTITION OF whole FOR VALUES FROM (0) TO (9);"
            f"GRANT SELECT ON part TO {APP}"
        )
        part = next(table for table in tables_of(owner) if table.name == "part")

        assert list(unprotected(part))

    def test_a_definer_function_with_a_loose_path(self, owner: psycopg.Connection[Any]) -> None:
        owner.execute(
            "CREATE FUNCTION loose() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"
        )
        found = next(routine for routine in routines_of(owner) if routine.name == "loose()")

        assert found.definer
        assert found.public
        assert not found.fixed_path
