"""People and roles: nobody gives what they do not hold, and somebody can always administer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from cloud.kernel.auth import CSRF_HEADER
from cloud.kernel.context import Principal
from cloud.kernel.errors import NotFound, StaleVersion
from cloud.main import vocabulary
from cloud.modules.accounts import service
from cloud.modules.accounts.models import Role, User
from cloud.modules.accounts.queries import AccountsAuthenticator
from cloud.modules.accounts.rules import Place
from cloud.modules.accounts.service.people import (
    FirstPassword,
    LoginTaken,
    NotYourself,
    UserStateSame,
)
from cloud.modules.accounts.service.rights import (
    ADMINISTRATION,
    BeyondYourOwn,
    LastAdministrator,
    PersonAbove,
)
from cloud.modules.accounts.service.roles import PermissionUnknown, RoleCodeTaken, RoleInUse
from cloud.modules.organization.service import HeadquartersOnly, UnitNotYours
from tests.cloud.kernel.test_http import assert_refused
from tests.kit.world import World

Clients = Callable[..., httpx.AsyncClient]
USERS = "/api/v1/accounts/users"


def place(org_id: UUID, roles: Iterable[UUID] = (), units: Iterable[UUID] = ()) -> Place:
    return Place(
        org_id=org_id,
        department_id=None,
        role_ids=frozenset(roles),
        unit_ids=frozenset(units),
    )


async def a_role(world: World, *permissions: str, code: str = "clerk") -> Role:
    async with world.unit(world.headquarters()) as ctx:
        return await service.add_role(ctx, code=code, name=code, permissions=permissions)


async def a_person(
    world: World, login: str, where: Place, actor: Principal | None = None
) -> FirstPassword:
    async with world.unit(actor or world.headquarters()) as ctx:
        return await service.open_account(
            ctx, login=login, name=login, post="", phone="", place=where
        )


async def change(world: World, user_id: UUID, where: Place, actor: Principal | None = None) -> User:
    async with world.unit(actor or world.headquarters()) as ctx:
        user = await ctx.get(User, user_id)
        return await service.change_user(
            ctx, user_id=user_id, version=user.version, name=user.name, post="", phone=None,
            place=where,
        )  # fmt: skip


async def an_administrator(world: World, login: str = "boss", code: str = "boss") -> FirstPassword:
    role = await a_role(world, *ADMINISTRATION, code=code)
    return await a_person(world, login, place(world.alpha.id, [role.id], [world.alpha.id]))


class TestOpenAccount:
    async def test_gives_a_password_that_must_be_replaced(self, world: World) -> None:
        role = await a_role(world, "resources.room:read")

        made = await a_person(
            world, "new", place(world.alpha.site_id, [role.id], [world.alpha.site_id])
        )

        principal = await AccountsAuthenticator(world.sessions).by_user(made.id)
        assert principal is not None
        assert principal.password_due
        assert principal.scope.write_orgs == (world.alpha.site_id,)
        assert len(made.password) >= service.PASSWORD_LENGTH_MIN

    async def test_refuses_permissions_that_the_giver_lacks(self, world: World) -> None:
        role = await a_role(world, "ledger.entry:read")
        giver = world.at_site(permissions=["accounts.user:write", "accounts.user:read"])

        with pytest.raises(BeyondYourOwn) as refusal:
            await a_person(
                world,
                "new",
                place(world.alpha.site_id, [role.id], [world.alpha.site_id]),
                giver,
            )

        assert refusal.value.params == {"permission": "ledger.entry:read"}

    async def test_refuses_units_that_the_giver_does_not_manage(self, world: World) -> None:
        role = await a_role(world, "resources.room:read")

        with pytest.raises(UnitNotYours):
            await a_person(
                world,
                "new",
                place(world.alpha.site_id, [role.id], [world.alpha.region_id]),
                world.at_site(),
            )

    async def test_refuses_a_login_that_is_taken_in_any_company(self, world: World) -> None:
        await a_person(world, "taken", place(world.alpha.site_id))

        with pytest.raises(LoginTaken):
            await a_person(
                world, "taken", place(world.beta.site_id), world.headquarters(world.beta)
            )

    async def test_hides_another_companys_units(self, world: World) -> None:
        with pytest.raises(NotFound):
            await a_person(world, "new", place(world.beta.site_id))


class TestChangeUser:
    async def test_replaces_roles_and_units(self, world: World) -> None:
        first, second = await a_role(world, code="one"), await a_role(world, code="two")
        made = await a_person(
            world, "moves", place(world.alpha.site_id, [first.id], [world.alpha.site_id])
        )

        await change(
            world, made.id, place(world.alpha.region_id, [second.id], [world.alpha.region_id])
        )

        principal = await AccountsAuthenticator(world.sessions).by_user(made.id)
        assert principal is not None
        assert principal.org_id == world.alpha.region_id
        assert world.alpha.other_site_id in principal.scope.write_orgs

    async def test_refuses_a_person_who_works_above(self, world: World) -> None:
        role = await a_role(world)
        made = await a_person(
            world, "above", place(world.alpha.site_id, [role.id], [world.alpha.region_id])
        )

        with pytest.raises(PersonAbove):
            await change(world, made.id, place(world.alpha.site_id), world.at_site())

    async def test_refuses_an_old_version(self, world: World) -> None:
        made = await a_person(world, "stale", place(world.alpha.site_id))

        with pytest.raises(StaleVersion):
            async with world.unit(world.headquarters()) as ctx:
                await service.change_user(
                    ctx, user_id=made.id, version=9, name="x", post="", phone=None,
                    place=place(world.alpha.site_id),
                )  # fmt: skip


class TestResetPassword:
    async def test_of_somebody_who_may_do_more_is_refused(self, world: World) -> None:
        role = await a_role(world, "ledger.entry:read")
        made = await a_person(
            world, "more", place(world.alpha.site_id, [role.id], [world.alpha.site_id])
        )
        weaker = world.at_site(permissions=["accounts.user:write"])

        with pytest.raises(PersonAbove):
            async with world.unit(weaker) as ctx:
                await service.reset_password(ctx, user_id=made.id)

    async def test_hides_another_companys(self, world: World) -> None:
        made = await a_person(world, "other", place(world.alpha.site_id))

        with pytest.raises(NotFound):
            async with world.unit(world.headquarters(world.beta)) as ctx:
                await service.reset_password(ctx, user_id=made.id)


class TestDisable:
    async def test_ends_the_sessions_at_once_and_for_ever(
        self, world: World, stranger: httpx.AsyncClient
    ) -> None:
        role = await a_role(world, "organization.unit:read")
        made = await a_person(
            world, "leaves", place(world.alpha.site_id, [role.id], [world.alpha.site_id])
        )
        await stranger.post("/api/v1/session", json={"login": "leaves", "password": made.password})

        async with world.unit(world.headquarters()) as ctx:
            await service.disable_user(ctx, user_id=made.id, reason="离职")
        assert_refused(await stranger.get("/api/v1/session"), 401, "unauthenticated")
        async with world.unit(world.headquarters()) as ctx:
            await service.enable_user(ctx, user_id=made.id)
        assert_refused(await stranger.get("/api/v1/session"), 401, "unauthenticated")

    async def test_refuses_oneself_and_twice(self, world: World) -> None:
        made = await a_person(world, "twice", place(world.alpha.id))
        oneself = replace(world.headquarters(), id=made.id)

        with pytest.raises(NotYourself):
            async with world.unit(oneself) as ctx:
                await service.disable_user(ctx, user_id=made.id, reason="x")
        async with world.unit(world.headquarters()) as ctx:
            await service.disable_user(ctx, user_id=made.id, reason="x")
            with pytest.raises(UserStateSame):
                await service.disable_user(ctx, user_id=made.id, reason="x")


class TestTheLastAdministrator:
    async def test_cannot_be_disabled(self, world: World) -> None:
        boss = await an_administrator(world)

        with pytest.raises(LastAdministrator):
            async with world.unit(world.headquarters()) as ctx:
                await service.disable_user(ctx, user_id=boss.id, reason="x")

    async def test_cannot_lose_the_role(self, world: World) -> None:
        boss = await an_administrator(world)

        with pytest.raises(LastAdministrator):
            await change(world, boss.id, place(world.alpha.id))

    async def test_cannot_be_locked_out_by_a_change_of_the_role(self, world: World) -> None:
        role = await a_role(world, *ADMINISTRATION, code="boss")
        await a_person(world, "boss", place(world.alpha.id, [role.id], [world.alpha.id]))

        with pytest.raises(LastAdministrator):
            async with world.unit(world.headquarters()) as ctx:
                await service.set_permissions(
                    ctx, role_id=role.id, version=1, permissions=[], known=vocabulary()
                )

    async def test_is_nobody_who_holds_the_right_at_a_project_only(self, world: World) -> None:
        boss = await an_administrator(world)
        looks = await a_role(world, "accounts.user:read", code="looks")
        mends = await a_role(world, *ADMINISTRATION, code="mends")
        other = await a_person(world, "other", place(world.alpha.id, [looks.id], [world.alpha.id]))
        async with world.unit(world.headquarters()) as ctx:
            await service.grant_role(
                ctx, user_id=other.id, role_id=mends.id, unit_id=world.alpha.site_id
            )

        with pytest.raises(LastAdministrator):
            async with world.unit(world.headquarters()) as ctx:
                await service.disable_user(ctx, user_id=boss.id, reason="x")

    async def test_one_of_two_may_go(self, world: World) -> None:
        boss = await an_administrator(world)
        await an_administrator(world, "boss2", "boss2")

        async with world.unit(world.headquarters()) as ctx:
            gone = await service.disable_user(ctx, user_id=boss.id, reason="x")

        assert gone.disabled_at == world.now

    async def test_two_at_once_cannot_both_take_another_away(self, committed: World) -> None:
        world = committed
        bosses = [
            await an_administrator(world),
            await an_administrator(world, "boss2", "boss2"),
        ]

        async def disable(boss: FirstPassword) -> User:
            async with world.unit(world.headquarters()) as ctx:
                return await service.disable_user(ctx, user_id=boss.id, reason="x")

        ends = await asyncio.gather(*map(disable, bosses), return_exceptions=True)

        assert sorted(type(end).__name__ for end in ends) == ["LastAdministrator", "User"]


class TestRoles:
    async def test_are_set_copied_and_closed(self, world: World) -> None:
        role = await a_role(world, "resources.room:read")
        async with world.unit(world.headquarters()) as ctx:
            await service.set_permissions(
                ctx, role_id=role.id, version=1,
                permissions=["ledger.entry:read"], known=vocabulary(),
            )  # fmt: skip
            copied = await service.copy_role(ctx, role_id=role.id, code="copy", name="副本")
            closed = await service.close_role(ctx, role_id=role.id, reason="x")

        assert closed.closed_on == world.now.date()
        user = await a_person(
            world, "holds", place(world.alpha.site_id, [copied.id], [world.alpha.site_id])
        )
        principal = await AccountsAuthenticator(world.sessions).by_user(user.id)
        assert principal is not None
        assert principal.permissions == {"ledger.entry:read"}

    async def test_with_holders_stay(self, world: World) -> None:
        role = await a_role(world)
        await a_person(world, "h", place(world.alpha.site_id, [role.id], [world.alpha.site_id]))

        with pytest.raises(RoleInUse):
            async with world.unit(world.headquarters()) as ctx:
                await service.close_role(ctx, role_id=role.id, reason="x")

    async def test_take_no_unknown_permission(self, world: World) -> None:
        role = await a_role(world)

        with pytest.raises(PermissionUnknown):
            async with world.unit(world.headquarters()) as ctx:
                await service.set_permissions(
                    ctx, role_id=role.id, version=1, permissions=["no.such:read"],
                    known=vocabulary(),
                )  # fmt: skip

    async def test_take_nothing_that_the_giver_lacks(self, world: World) -> None:
        role = await a_role(world)
        giver = replace(world.headquarters(), permissions=frozenset({"accounts.role:write"}))

        with pytest.raises(BeyondYourOwn):
            async with world.unit(giver) as ctx:
                await service.set_permissions(
                    ctx, role_id=role.id, version=1, permissions=["ledger.entry:read"],
                    known=vocabulary(),
                )  # fmt: skip

    async def test_are_headquarters_business(self, world: World) -> None:
        role = await a_role(world)

        with pytest.raises(HeadquartersOnly):
            async with world.unit() as ctx:
                await service.change_role(ctx, role_id=role.id, version=1, name="x", note="")

    async def test_have_one_code_each(self, world: World) -> None:
        await a_role(world)

        with pytest.raises(RoleCodeTaken):
            await a_role(world)

    async def test_are_hidden_from_another_company(self, world: World) -> None:
        role = await a_role(world)

        with pytest.raises(NotFound):
            async with world.unit(world.headquarters(world.beta)) as ctx:
                await service.change_role(ctx, role_id=role.id, version=1, name="x", note="")


class TestFirstLogin:
    async def test_lets_nothing_through_but_the_own_password(
        self, world: World, stranger: httpx.AsyncClient
    ) -> None:
        role = await a_role(world, "organization.unit:read")
        made = await a_person(
            world, "first", place(world.alpha.site_id, [role.id], [world.alpha.site_id])
        )
        login = {"login": "first", "password": made.password}
        boot = (await stranger.post("/api/v1/session", json=login)).json()
        stranger.headers[CSRF_HEADER] = boot["csrf"]

        assert boot["user"]["password_due"] is True
        assert_refused(await stranger.get("/api/v1/organization/units"), 403, "password-due")
        wrong = {"present": "not-this-one", "password": "my-own-password"}
        assert_refused(
            await stranger.put("/api/v1/session/password", json=wrong), 422, "password-wrong"
        )
        same = {"present": made.password, "password": made.password}
        assert_refused(
            await stranger.put("/api/v1/session/password", json=same), 422, "password-same"
        )
        right = {"present": made.password, "password": "my-own-password"}
        changed = await stranger.put("/api/v1/session/password", json=right)

        assert changed.json()["user"]["password_due"] is False
        assert (await stranger.get("/api/v1/organization/units")).status_code == 200


class TestRefusals:
    async def test_call_a_permission_by_its_name(self, client: Clients, world: World) -> None:
        response = await client(world.at_site(permissions=())).get(
            USERS, headers={"Accept-Language": "zh-CN"}
        )

        problem = assert_refused(response, 403, "permission-missing")
        assert "员工账号 · 查看" in problem.title
        assert problem.params == {"permission": "accounts.user:read"}

    async def test_every_permission_has_a_name(self, client: Clients, world: World) -> None:
        answer = await client(world.headquarters()).get(
            "/api/v1/accounts/permissions", headers={"Accept-Language": "zh-CN"}
        )

        labels = [
            text
            for module in answer.json()["modules"]
            for subject in module["subjects"]
            for text in (module["label"], subject["label"], *(
                one["label"] for one in subject["permissions"]
            ))
        ]  # fmt: skip
        assert [label for label in labels if label.isascii()] == []
