"""Logging in and out, as a browser does it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text, update
from sqlmodel import col

from cloud.kernel.auth import CSRF_HEADER, SESSION_COOKIE, csrf_token, token_hash
from cloud.modules.accounts import service
from cloud.modules.accounts.models import User
from tests.cloud.accounts.conftest import PASSWORD
from tests.cloud.kernel.test_http import assert_refused
from tests.kit.world import World

SESSION = "/api/v1/session"


async def log_in(
    client: httpx.AsyncClient, password: str = PASSWORD, login: str = "shoufei"
) -> httpx.Response:
    return await client.post(SESSION, json={"login": login, "password": password})


@pytest.mark.usefixtures("clerk")
class TestLogIn:
    async def test_answers_what_the_office_needs(
        self, stranger: httpx.AsyncClient, world: World
    ) -> None:
        boot = (await log_in(stranger)).json()

        assert boot["user"]["name"] == "周晓燕"
        assert boot["permissions"] == ["organization.unit:read", "resources.room:read"]
        assert boot["csrf"] == csrf_token(stranger.cookies[SESSION_COOKIE])
        assert {UUID(unit["id"]) for unit in boot["units"]} == {
            world.alpha.id,
            world.alpha.region_id,
            world.alpha.site_id,
        }
        entries = [entry["page"] for heading in boot["menu"] for entry in heading["children"]]
        assert "organization.units" in entries
        assert "accounts.users" not in entries

    async def test_says_that_a_role_is_missing(
        self, stranger: httpx.AsyncClient, world: World
    ) -> None:
        async with world.unit(world.headquarters()) as ctx:
            await service.add_user(
                ctx,
                org_id=world.alpha.site_id,
                login="xinren",
                name="新人",
                post="",
                password=PASSWORD,
            )

        assert_refused(await log_in(stranger, login="xinren"), 403, "role-missing")

    async def test_sets_a_cookie_that_scripts_cannot_read(
        self, stranger: httpx.AsyncClient
    ) -> None:
        cookie = (await log_in(stranger)).headers["set-cookie"]

        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie

    async def test_lets_the_session_read_and_write(self, stranger: httpx.AsyncClient) -> None:
        boot = (await log_in(stranger)).json()

        read = await stranger.get("/api/v1/organization/units")
        written = await stranger.put(
            f"{SESSION}/locale", json={"locale": "en"}, headers={CSRF_HEADER: boot["csrf"]}
        )

        assert read.json()["total"] == 3
        assert written.json()["user"]["locale"] == "en"

    async def test_takes_blanks_around_the_login(self, stranger: httpx.AsyncClient) -> None:
        assert (await log_in(stranger, login="  shoufei ")).status_code == 200

    async def test_stores_no_token_that_could_be_used(
        self, stranger: httpx.AsyncClient, world: World
    ) -> None:
        await log_in(stranger)
        token = stranger.cookies[SESSION_COOKIE]

        assert token_hash(token) != token.encode()
        async with world.unit() as ctx:
            may_read = await ctx.session.execute(
                text("SELECT has_table_privilege('accounts_session', 'SELECT')")
            )
        assert may_read.scalar_one() is False


@pytest.mark.usefixtures("clerk")
class TestWrongPassword:
    async def test_counts_down_and_then_locks(self, stranger: httpx.AsyncClient) -> None:
        refusals = [await log_in(stranger, "wrong-password") for _ in range(6)]

        left = [response.json()["params"].get("left") for response in refusals]
        assert left == [4, 3, 2, 1, 0, None]
        assert [response.status_code for response in refusals] == [401] * 5 + [429]
        problem = assert_refused(await log_in(stranger), 429, "login-locked")
        assert 0 < problem.params["seconds"] <= service.LOCK_S + 1
        assert problem.title == "Too many wrong passwords. Try again in 15 minutes."

    async def test_an_unknown_login_reads_the_same_and_locks_nobody_else(
        self, stranger: httpx.AsyncClient
    ) -> None:
        unknown = [await log_in(stranger, "wrong-password", "niemand") for _ in range(6)]
        known = await log_in(stranger, "wrong-password")
        right = await log_in(stranger)

        assert known.text == unknown[0].text
        assert [response.status_code for response in unknown] == [401] * 5 + [429]
        assert right.status_code == 200

    async def test_a_right_one_starts_the_count_again(self, stranger: httpx.AsyncClient) -> None:
        await log_in(stranger, "wrong-password")
        await log_in(stranger)

        assert (await log_in(stranger, "wrong-password")).json()["params"] == {"left": 4}

    @pytest.mark.parametrize(
        "body",
        [{}, {"login": "", "password": "x"}, {"login": "x" * 61, "password": "x"},
         {"login": "x", "password": "x" * 201}, {"login": "x", "password": "x", "as": "admin"}],
    )  # fmt: skip
    async def test_a_body_of_another_shape(
        self, stranger: httpx.AsyncClient, body: dict[str, str]
    ) -> None:
        assert_refused(await stranger.post(SESSION, json=body), 422, "unprocessable")


class TestTheSession:
    async def test_ends_with_logging_out(self, stranger: httpx.AsyncClient, clerk: User) -> None:
        await log_in(stranger)
        token = stranger.cookies[SESSION_COOKIE]

        ended = await stranger.delete(SESSION)
        again = await stranger.delete(SESSION)
        stranger.cookies.set(SESSION_COOKIE, token)

        assert (clerk.login, ended.status_code, again.status_code) == ("shoufei", 204, 204)
        assert_refused(await stranger.get(SESSION), 401, "unauthenticated")

    async def test_ends_when_the_account_is_disabled(
        self, stranger: httpx.AsyncClient, clerk: User, world: World
    ) -> None:
        await log_in(stranger)
        assert (await stranger.get(SESSION)).status_code == 200

        async with world.unit(world.headquarters()) as ctx:
            disabled = update(User).where(col(User.id) == clerk.id).values(disabled_at=world.now)
            await ctx.session.execute(disabled)

        assert_refused(await stranger.get(SESSION), 401, "unauthenticated")

    async def test_of_a_disabled_account_cannot_be_opened(
        self, stranger: httpx.AsyncClient, clerk: User, world: World
    ) -> None:
        async with world.unit(world.headquarters()) as ctx:
            disabled = update(User).where(col(User.id) == clerk.id).values(disabled_at=world.now)
            await ctx.session.execute(disabled)

        response = await log_in(stranger)

        assert_refused(response, 401, "wrong-credentials")
        assert "set-cookie" not in response.headers

    async def test_ends_with_a_new_password(
        self, stranger: httpx.AsyncClient, clerk: User, world: World
    ) -> None:
        await log_in(stranger)

        async with world.unit(world.headquarters()) as ctx:
            changed = text("SELECT accounts_set_password(:id, 'x')")
            await ctx.session.execute(changed, {"id": clerk.id})

        assert_refused(await stranger.get(SESSION), 401, "unauthenticated")

    async def test_expires(self, stranger: httpx.AsyncClient, clerk: User, world: World) -> None:
        await log_in(stranger)
        later = {
            "hash": token_hash(stranger.cookies[SESSION_COOKIE]),
            "now": world.now + timedelta(days=400),
        }
        async with world.unit() as ctx:
            found = await ctx.session.execute(
                text("SELECT accounts_principal_of_session(:hash, :now)"), later
            )

        assert found.scalar_one_or_none() is None
        assert clerk.disabled_at is None

    @pytest.mark.parametrize("token", ["", "made-up", "%00", "'; --"])
    async def test_cannot_be_made_up(self, stranger: httpx.AsyncClient, token: str) -> None:
        response = await stranger.get(SESSION, headers={"Cookie": f"{SESSION_COOKIE}={token}"})

        assert_refused(response, 401, "unauthenticated")

    async def test_carries_what_was_granted_since(
        self, stranger: httpx.AsyncClient, clerk: User, world: World
    ) -> None:
        await log_in(stranger)
        async with world.unit(world.headquarters()) as ctx:
            role = await service.add_role(
                ctx, code="boss", name="主管", permissions=["accounts.user:read"]
            )
            await service.grant_role(
                ctx, user_id=clerk.id, role_id=role.id, unit_id=world.alpha.region_id
            )

        boot = (await stranger.get(SESSION)).json()

        assert "accounts.user:read" in boot["permissions"]
        assert str(world.alpha.other_site_id) in {unit["id"] for unit in boot["units"]}


class TestPublicFacts:
    async def test_are_for_everybody(self, stranger: httpx.AsyncClient) -> None:
        facts = (await stranger.get(f"{SESSION}/public")).json()

        assert (facts["demo"], facts["logged_in"]) == (True, False)


class TestLists:
    async def test_show_the_companys_people(
        self, stranger: httpx.AsyncClient, clerk: User, world: World
    ) -> None:
        async with world.unit(world.headquarters()) as ctx:
            role = await service.add_role(
                ctx, code="boss", name="主管",
                permissions=["accounts.user:read", "accounts.role:read"],
            )  # fmt: skip
            await service.grant_role(ctx, user_id=clerk.id, role_id=role.id, unit_id=world.alpha.id)
        await log_in(stranger)

        people = (await stranger.get("/api/v1/accounts/users?q=周")).json()
        roles = (await stranger.get("/api/v1/accounts/roles?sort=-code")).json()

        assert [(row["login"], row["state"]) for row in people["items"]] == [("shoufei", "active")]
        assert people["items"][0]["roles"] == "主管、收费员"
        assert [row["code"] for row in roles["items"]] == ["clerk", "boss"]
        assert roles["items"][1]["people"] == 1

    async def test_need_the_permission(self, stranger: httpx.AsyncClient, clerk: User) -> None:
        await log_in(stranger, login=clerk.login)

        assert_refused(await stranger.get("/api/v1/accounts/users"), 403, "permission-missing")
