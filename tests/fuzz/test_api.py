"""Every operation of the API, called with what its document allows and with what it does not.

Against a real server and a real host on a seeded company, as somebody who may do everything, as a
cashier, and as somebody who may do nothing. WUYE_FUZZ_EXAMPLES says how many calls an operation
gets from each of them; `make fuzz` asks for many.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import sql
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cloud.kernel.auth import CSRF_HEADER
from cloud.kernel.http import KEY_HEADER
from tests.kit.database import TestDatabase
from tests.kit.fuzz import EXAMPLES
from tests.kit.stack import PASSWORD, seeded_stack, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(3600)]

PEOPLE = {"admin": "may do everything", "shoufei": "a cashier", "gongcheng": "may do nothing"}
LEFT_OUT = {
    "GET /api/v1/devices/live/stream": "does not end",
    "DELETE /api/v1/session": "would log the caller out",
    "POST /api/v1/session": "would lock the address out; accounts has its own tests",
}
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
# schemathesis 4.32 rewrites `prefixItems` and then takes its own schema for an invalid one.
SHAPE_NOT_CHECKED = {"GET /api/v1/devices/points/{point}/history"}
SCOPE = (
    "SELECT set_config('app.company', id::text, false), set_config('app.all', 'on', false)"
    " FROM organization_company"
)
THREE = "SELECT id FROM {} ORDER BY id LIMIT 3"
# What makes a call go deep: the ids of real rows in most places that take one.
REAL_IDS = st.sampled_from([True, True, True, False])


async def test_no_call_is_a_bug(own_database: TestDatabase, tmp_path: Path) -> None:
    async with seeded_stack(own_database, tmp_path) as stack:
        stack.role("host")
        stack.role("worker")
        base = f"http://127.0.0.1:{stack.port}"
        await until(lambda: "host.ready" in stack.tail("host"), "the host", 90)
        await until(lambda: is_served(base), "the web process", 90)
        takes_all_permissions_from(own_database, "gongcheng")
        known = ids_of(own_database)
        found = [
            f"{login}, who {means}: {fault}"
            for login, means in PEOPLE.items()
            for fault in faults(caller(base, login), base, known)
        ]
        assert not found, "\n\n".join(found)


def is_served(base: str) -> bool:
    try:
        return requests.get(f"{base}/api/v1/session/public", timeout=5).ok
    except requests.ConnectionError:
        return False


def takes_all_permissions_from(database: TestDatabase, login: str) -> None:
    with psycopg.connect(database.owner_url) as owner:
        owner.execute(SCOPE)
        owner.execute("ALTER TABLE accounts_role_permission NO FORCE ROW LEVEL SECURITY")
        gone = owner.execute(
            "DELETE FROM accounts_role_permission WHERE role_id IN (SELECT role_id"
            " FROM accounts_grant g JOIN accounts_user u ON u.id = g.user_id WHERE u.login = %s)",
            (login,),
        )
        assert gone.rowcount
        owner.execute("ALTER TABLE accounts_role_permission FORCE ROW LEVEL SECURITY")


def ids_of(database: TestDatabase) -> list[str]:
    """A few ids of every table with a company's rows."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(SCOPE)
        tables = owner.execute(
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'id'"
            " AND data_type = 'uuid' AND table_schema = 'public' ORDER BY 1"
        ).fetchall()
        return [
            str(row[0])
            for (table,) in tables
            for row in owner.execute(sql.SQL(THREE).format(sql.Identifier(table))).fetchall()
        ]


def caller(base: str, login: str) -> requests.Session:
    session = requests.Session()
    credentials = {"login": login, "password": PASSWORD}
    answer = session.post(f"{base}/api/v1/session", json=credentials, timeout=30)
    assert answer.status_code == 200, answer.text
    session.headers[CSRF_HEADER] = answer.json()["csrf"]
    return session


def faults(session: requests.Session, base: str, known: list[str]) -> Iterator[str]:
    document = session.get(f"{base}/openapi.json", timeout=30).json()
    schema = schemathesis.openapi.from_dict(document)
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        if operation.label in LEFT_OUT:
            continue
        fault = first_fault(operation, session, base, known)
        if fault is not None:
            yield f"{operation.label}: {fault}"


def first_fault(
    operation: Any, session: requests.Session, base: str, known: list[str]
) -> str | None:
    """What the operation answered that it does not declare, or that is a failure of ours."""
    checks = CHECKS[:2] if operation.label in SHAPE_NOT_CHECKED else CHECKS

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), data=st.data())
    def calls(case: Any, data: st.DataObject) -> None:
        place_ids(case, data, known)
        headers = {KEY_HEADER: f"fuzz-{data.draw(st.uuids())}"}
        response = case.call(base_url=base, session=session, headers=headers, timeout=60)
        assert response.status_code < 500, f"{response.status_code} {response.text}"
        case.validate_response(response, checks=checks)

    try:
        calls()
    except (AssertionError, Failure, FailureGroup) as failure:
        return str(failure)[:1500]
    return None


def place_ids(case: Any, data: st.DataObject, known: list[str]) -> None:
    for holder in (case.path_parameters, case.query, case.body):
        if isinstance(holder, dict):
            for key, value in holder.items():
                if is_id(value) and data.draw(REAL_IDS):
                    holder[key] = data.draw(st.sampled_from(known))


def is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False
