"""The door: who is let in, when the answer goes out, and how a refusal reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from cloud.kernel.auth import CSRF_HEADER
from cloud.kernel.db import uuid7
from cloud.kernel.errors import RefusedElsewhere
from cloud.kernel.headers import CSP
from cloud.kernel.problems import Problem
from cloud.kernel.sites import Ask, Sites
from cloud.kernel.web import BODY_BYTES_MAX
from tests.cloud.kernel.probe import PROBE, probing
from tests.kit.database import TestDatabase
from tests.kit.world import World

PAYMENTS = "/api/v1/probe/payments"


def assert_refused(response: httpx.Response, status: int, code: str) -> Problem:
    """Asserts the shape of every refusal and answers it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate(response.json())
    assert (problem.status, problem.code) == (status, code)
    assert problem.title
    return problem


class TestCommit:
    async def test_a_transaction_that_fails_at_its_end_is_not_answered_as_done(
        self, committing_probe: httpx.AsyncClient
    ) -> None:
        response = await committing_probe.post("/api/v1/probe/twins")

        assert_refused(response, 409, "document-exists")

    async def test_an_unknown_fault_at_the_end_is_a_bug(
        self, committing_probe: httpx.AsyncClient
    ) -> None:
        assert_refused(await committing_probe.post("/api/v1/probe/doomed"), 500, "internal-error")

    async def test_with_the_default_scope_the_answer_would_have_been_200(
        self, committing_probe: httpx.AsyncClient
    ) -> None:
        response = await committing_probe.post("/api/v1/probe/twins-late")

        assert response.status_code == 200
        assert response.json() == {"ok": True}


class TestCaller:
    async def test_is_asked_to_log_in(self, database: TestDatabase, world: World) -> None:
        async with probing(database, world, None) as stranger:
            assert_refused(await stranger.get("/api/v1/probe/list"), 401, "unauthenticated")

    async def test_needs_the_permission(self, probe: httpx.AsyncClient) -> None:
        problem = assert_refused(
            await probe.get("/api/v1/probe/forbidden"), 403, "permission-missing"
        )

        assert problem.params == {"permission": "probe.payment:never"}

    @pytest.mark.parametrize("token", ["", "of-another-page"])
    async def test_sends_the_pages_token_with_a_write(
        self, probe: httpx.AsyncClient, token: str
    ) -> None:
        headers = {CSRF_HEADER: token, "Idempotency-Key": "1"}

        response = await probe.post(PAYMENTS, json={"amount": "1.00"}, headers=headers)

        assert_refused(response, 403, "csrf-token-wrong")

    async def test_reads_without_it(self, probe: httpx.AsyncClient) -> None:
        response = await probe.get("/api/v1/probe/list", headers={CSRF_HEADER: ""})

        assert response.status_code == 200


class TestRefusals:
    @pytest.mark.parametrize(
        ("language", "title"),
        [
            ("en", "There is no such record, or it is not yours to see."),
            ("en-GB,en;q=0.9", "There is no such record, or it is not yours to see."),
            ("zh-CN", "记录不存在，或不在你的查看范围内。"),
            ("fr", "记录不存在，或不在你的查看范围内。"),
        ],
    )
    async def test_speak_the_callers_language(
        self, probe: httpx.AsyncClient, language: str, title: str
    ) -> None:
        response = await probe.get(
            f"/api/v1/probe/units/{uuid7()}", headers={"Accept-Language": language}
        )

        assert assert_refused(response, 404, "not-found").title == title

    async def test_hide_what_is_out_of_scope_like_what_is_absent(
        self, probe: httpx.AsyncClient, world: World
    ) -> None:
        addresses = [world.beta.site_id, world.alpha.other_site_id, uuid7()]

        answers = [await probe.get(f"/api/v1/probe/units/{each}") for each in addresses]

        assert len({response.text for response in answers}) == 1
        assert_refused(answers[0], 404, "not-found")

    async def test_say_which_field_is_wrong(self, probe: httpx.AsyncClient) -> None:
        response = await probe.post(PAYMENTS, json={"amount": "1.005", "note": "?"})

        problem = assert_refused(response, 422, "unprocessable")
        assert [(field.path, field.code) for field in problem.errors] == [
            ("amount", "decimal_max_places"),
            ("note", "extra_forbidden"),
        ]
        assert problem.errors[0].message == "No more than 2 decimal places."

    async def test_say_it_in_chinese(self, probe: httpx.AsyncClient) -> None:
        response = await probe.post(
            PAYMENTS, json={"amount": "-1"}, headers={"Accept-Language": "zh-CN"}
        )

        problem = assert_refused(response, 422, "unprocessable")
        assert problem.errors[0].message == "必须大于 0。"

    async def test_carry_a_services_own_field_errors(self, probe: httpx.AsyncClient) -> None:
        response = await probe.post(
            PAYMENTS, json={"amount": "1001"}, headers={"Idempotency-Key": "a"}
        )

        problem = assert_refused(response, 422, "amount-too-large")
        assert problem.title == "At most 1000 can be paid here."
        assert problem.errors[0].path == "amount"

    @pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"text"', b""])
    async def test_take_a_body_that_is_no_object(
        self, probe: httpx.AsyncClient, body: bytes
    ) -> None:
        response = await probe.post(
            PAYMENTS, content=body, headers={"Content-Type": "application/json"}
        )

        assert_refused(response, 422, "unprocessable")

    @pytest.mark.parametrize(
        "query",
        ["page=0", "page=x", "size=201", "size=0", "site_id=everywhere", "q=" + "长" * 101],
    )
    async def test_take_a_query_that_makes_no_sense(
        self, probe: httpx.AsyncClient, query: str
    ) -> None:
        response = await probe.get(f"/api/v1/probe/list?{query}")

        problem = assert_refused(response, 422, "unprocessable")
        assert problem.errors[0].path == query.partition("=")[0]

    async def test_an_id_that_is_none(self, probe: httpx.AsyncClient) -> None:
        problem = assert_refused(await probe.get("/api/v1/probe/units/1"), 422, "unprocessable")

        assert problem.errors[0].path == "unit_id"
        assert problem.errors[0].code == "uuid_parsing"

    async def test_an_address_that_is_none(self, probe: httpx.AsyncClient) -> None:
        assert_refused(await probe.get("/api/v1/probe/nowhere"), 404, "no-such-address")

    async def test_a_method_that_the_address_does_not_take(self, probe: httpx.AsyncClient) -> None:
        problem = assert_refused(await probe.delete(PAYMENTS), 405, "method-not-allowed")

        assert problem.title == "This address does not take DELETE."

    async def test_a_body_that_is_too_large(self, probe: httpx.AsyncClient) -> None:
        response = await probe.post(PAYMENTS, content=b"x" * (BODY_BYTES_MAX + 1))

        assert_refused(response, 413, "body-too-large")

    async def test_a_body_of_unknown_length(self, probe: httpx.AsyncClient) -> None:
        async def endless() -> AsyncIterator[bytes]:
            yield b'{"amount": '
            yield b'"1.00"}'

        response = await probe.post(PAYMENTS, content=endless())

        assert_refused(response, 411, "length-required")

    async def test_a_bug_shows_its_incident_and_nothing_else(
        self, probe: httpx.AsyncClient
    ) -> None:
        response = await probe.get("/api/v1/probe/broken")

        problem = assert_refused(response, 500, "internal-error")
        assert UUID(problem.incident or "").version == 7
        assert "bug" not in response.text


class TestTheDatabase:
    @pytest.mark.parametrize(
        ("sqlstate", "status", "code"),
        [
            ("23505", 409, "document-exists"),
            ("23503", 404, "reference-unknown"),
            ("42501", 404, "reference-unknown"),
            ("55P03", 503, "database-away"),
            ("57P01", 503, "database-away"),
            ("08006", 503, "database-away"),
            ("22012", 500, "internal-error"),
        ],
    )
    async def test_refuses_in_the_callers_words(
        self, probe: httpx.AsyncClient, sqlstate: str, status: int, code: str
    ) -> None:
        assert_refused(await probe.get(f"/api/v1/probe/states/{sqlstate}"), status, code)

    async def test_is_not_away_when_we_misuse_the_driver(self, probe: httpx.AsyncClient) -> None:
        assert_refused(await probe.get("/api/v1/probe/misused"), 500, "internal-error")

    @pytest.mark.parametrize(
        ("sqlstate", "status", "code"),
        [("55P03", 503, "database-away"), ("22012", 500, "internal-error")],
    )
    async def test_refuses_a_hot_read_alike(
        self, committing_probe: httpx.AsyncClient, sqlstate: str, status: int, code: str
    ) -> None:
        response = await committing_probe.get(f"/api/v1/probe/hot-states/{sqlstate}")
        assert_refused(response, status, code)

    async def test_is_away_when_it_hangs_up_in_mid_read(
        self, committing_probe: httpx.AsyncClient, committed: World
    ) -> None:
        assert_refused(await committing_probe.get("/api/v1/probe/hung-up"), 503, "database-away")

        unit = f"/api/v1/probe/units/{committed.alpha.site_id}"
        assert (await committing_probe.get(unit)).status_code == 200


class TestEveryAnswer:
    @pytest.mark.parametrize("path", ["/api/v1/probe/list", "/api/v1/probe/nowhere"])
    async def test_carries_the_security_headers(self, probe: httpx.AsyncClient, path: str) -> None:
        headers = (await probe.get(path)).headers

        assert headers["content-security-policy"] == CSP
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert UUID(headers["x-request-id"]).version == 7

    def test_lets_no_foreign_host_in(self) -> None:
        assert "http" not in CSP
        assert "script-src 'self';" in CSP

    async def test_of_a_bug_carries_them_too(self, probe: httpx.AsyncClient) -> None:
        headers = (await probe.get("/api/v1/probe/broken")).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"]


class TestOpenApi:
    async def test_is_for_people_who_are_logged_in(
        self, probe: httpx.AsyncClient, database: TestDatabase, world: World
    ) -> None:
        async with probing(database, world, None) as stranger:
            assert_refused(await stranger.get("/openapi.json"), 401, "unauthenticated")

        assert PAYMENTS in (await probe.get("/openapi.json")).json()["paths"]


class Refusing(Sites):
    """A host that refuses, and keeps what it was asked."""

    asked: Ask | None = None

    async def ask(self, ask: Ask) -> dict[str, Any]:
        self.asked = ask
        raise RefusedElsewhere(
            status=409, code="stale-version", text="Somebody changed {what}.", params={"what": "it"}
        )


class TestTurnRoutes:
    async def test_ask_the_site_with_the_payload(
        self, database: TestDatabase, world: World
    ) -> None:
        sites, site_id = Refusing(), world.alpha.site_id
        principal = world.at_site(permissions=PROBE)
        async with probing(database, world, principal, sites=sites) as client:
            await client.post(f"/api/v1/probe/sites/{site_id}/finish", json={"amount": "2.50"})

        assert sites.asked is not None
        assert sites.asked.site_id == site_id
        assert sites.asked.function == "probe.payment.finish"
        assert sites.asked.payload == {"amount": "2.50"}
        assert sites.asked.principal_id == principal.id

    async def test_pass_a_hosts_refusal_on(self, database: TestDatabase, world: World) -> None:
        principal = world.at_site(permissions=PROBE)
        async with probing(database, world, principal, sites=Refusing()) as client:
            response = await client.post(
                f"/api/v1/probe/sites/{world.alpha.site_id}/finish", json={"amount": "2.50"}
            )

        assert assert_refused(response, 409, "stale-version").title == "Somebody changed it."

    async def test_say_when_no_host_answers(self, probe: httpx.AsyncClient, world: World) -> None:
        response = await probe.post(
            f"/api/v1/probe/sites/{world.alpha.site_id}/finish", json={"amount": "2.50"}
        )

        assert_refused(response, 503, "site-unavailable")

    async def test_need_the_permission_first(self, database: TestDatabase, world: World) -> None:
        principal = world.at_site(permissions=())
        async with probing(database, world, principal) as client:
            response = await client.post(
                f"/api/v1/probe/sites/{world.alpha.site_id}/finish", json={"amount": "2.50"}
            )

        assert_refused(response, 403, "permission-missing")


@pytest.fixture
async def office(
    database: TestDatabase, world: World, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    built = tmp_path / "office"
    built.mkdir()
    (built / "index.html").write_text("<!doctype html><title>office</title>")
    (built / "main-1a2b3c4d.js").write_text("plain")
    (built / "main-1a2b3c4d.js.br").write_bytes(b"packed")
    (built / "logo.svg").write_text("<svg/>")
    (tmp_path / "secret").write_text("secret")
    (built / "link").symlink_to(tmp_path / "secret")
    async with probing(database, world, None, office=built) as client:
        yield client


class TestOffice:
    @pytest.mark.parametrize("path", ["/", "/counter", "/p/charging.bills", "/p/x?y=1"])
    async def test_every_address_is_the_page(self, office: httpx.AsyncClient, path: str) -> None:
        response = await office.get(path)

        assert response.status_code == 200
        assert "office" in response.text
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["content-security-policy"] == CSP

    async def test_hashed_files_are_kept_for_ever(self, office: httpx.AsyncClient) -> None:
        response = await office.get("/assets/main-1a2b3c4d.js", headers={"Accept-Encoding": ""})

        assert response.text == "plain"
        assert response.headers["content-type"].startswith("text/javascript")
        assert "immutable" in response.headers["cache-control"]

    async def test_other_files_are_asked_for_again(self, office: httpx.AsyncClient) -> None:
        assert (await office.get("/assets/logo.svg")).headers["cache-control"] == "no-cache"

    async def test_packed_files_go_to_who_takes_them(self, office: httpx.AsyncClient) -> None:
        request = office.build_request(
            "GET", "/assets/main-1a2b3c4d.js", headers={"Accept-Encoding": "gzip, br"}
        )
        response = await office.send(request, stream=True)
        raw = b"".join([part async for part in response.aiter_raw()])

        assert raw == b"packed"
        assert response.headers["content-encoding"] == "br"
        assert response.headers["vary"] == "Accept-Encoding"

    @pytest.mark.parametrize(
        "path",
        [
            "/assets/%2e%2e/index.html",
            "/assets/..%2f..%2fsecret",
            "/assets/%2e%2e/%2e%2e/secret",
            "/assets//etc/hostname",
            "/assets/%2fetc%2fhostname",
            "/assets/link",
            "/assets/",
            "/assets/main-1a2b3c4d.js/x",
            "/assets/x%00y",
        ],
    )
    async def test_leads_nowhere_else(self, office: httpx.AsyncClient, path: str) -> None:
        request = office.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=path.encode())

        response = await office.send(request)

        assert "secret" not in response.text
        assert_refused(response, 404, "no-such-address")

    async def test_an_unknown_api_address_is_no_page(self, office: httpx.AsyncClient) -> None:
        assert_refused(await office.get("/api/v1/nowhere"), 404, "no-such-address")

    async def test_says_when_it_is_not_built(
        self, database: TestDatabase, world: World, tmp_path: Path
    ) -> None:
        async with probing(database, world, None, office=tmp_path) as client:
            response = await client.get("/")

        assert response.status_code == 503
        assert "make web" in response.text
