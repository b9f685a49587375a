"""Accounts, roles and grants: made, refused, and hidden from other companies."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlmodel import col

from cloud.kernel.db import NOTHING, uuid7
from cloud.kernel.errors import NotFound
from cloud.kernel.records import AuditRow
from cloud.modules.accounts import service
from cloud.modules.accounts.models import Role, User
from cloud.modules.accounts.queries import AccountsAuthenticator
from cloud.modules.accounts.service.people import LoginTaken, RoleHeldThere
from cloud.modules.accounts.service.rights import BeyondYourOwn
from cloud.modules.organization.service import UnitNotYours
from tests.kit.world import World

BOUND = text(
    "SELECT " + ", ".join(f"current_setting('app.{n}') AS {n}" for n in NOTHING.settings())
)


async def add_user(world: World, *, password: str = "long-enough") -> User:  # noqa: S107
    async with world.unit(world.headquarters()) as ctx:
        return await service.add_user(
            ctx,
            org_id=world.alpha.site_id,
            login="shoufei",
            name="周晓燕",
            post="",
            password=password,
        )


async def add_role(world: World, *permissions: str) -> Role:
    async with world.unit(world.headquarters()) as ctx:
        return await service.add_role(ctx, code="clerk", name="收费员", permissions=permissions)


class TestAddUser:
    async def test_leaves_a_trace_without_the_password(self, world: World) -> None:
        user = await add_user(world)

        async with world.unit(world.headquarters()) as ctx:
            statement = select(AuditRow).where(col(AuditRow.subject_id) == user.id)
            row = (await ctx.session.execute(statement)).scalar_one()
        assert row.action == "accounts.user.added"
        assert row.after == {"login": "shoufei", "name": "周晓燕"}

    async def test_refuses_a_short_password(self, world: World) -> None:
        with pytest.raises(service.PasswordTooShort) as refusal:
            await add_user(world, password="short")

        assert refusal.value.params == {"length": service.PASSWORD_LENGTH_MIN}

    async def test_refuses_a_login_that_somebody_has(self, world: World) -> None:
        await add_user(world)

        with pytest.raises(LoginTaken):
            await add_user(world)

    async def test_cannot_be_placed_in_another_company(self, world: World) -> None:
        with pytest.raises(ProgrammingError, match="row-level security"):
            async with world.unit() as ctx:
                await service.add_user(
                    ctx,
                    org_id=world.beta.site_id,
                    login="x",
                    name="x",
                    post="",
                    password="long-enough",
                )


class TestSetPassword:
    async def test_reaches_nobody_of_another_company(self, world: World) -> None:
        user = await add_user(world)

        async with world.unit(world.headquarters(world.beta)) as ctx:
            changed = text("SELECT accounts_set_password(:id, 'x')")
            known = (await ctx.session.execute(changed, {"id": user.id})).scalar_one()

        assert known is False


class TestGrantRole:
    async def test_opens_the_unit_and_what_is_below(self, world: World) -> None:
        user, role = await add_user(world), await add_role(world, "resources.room:read")
        async with world.unit(world.headquarters()) as ctx:
            await service.grant_role(
                ctx, user_id=user.id, role_id=role.id, unit_id=world.alpha.region_id
            )

        principal = await AccountsAuthenticator(world.sessions).by_user(user.id)

        assert principal is not None
        assert principal.permissions == {"resources.room:read"}
        assert set(principal.scope.write_orgs) == {
            world.alpha.region_id,
            world.alpha.site_id,
            world.alpha.other_site_id,
        }
        assert set(principal.scope.read_orgs) - set(principal.scope.write_orgs) == {world.alpha.id}
        assert not principal.scope.all

    async def test_at_headquarters_means_the_whole_company(self, world: World) -> None:
        user, role = await add_user(world), await add_role(world)
        async with world.unit(world.headquarters()) as ctx:
            await service.grant_role(ctx, user_id=user.id, role_id=role.id, unit_id=world.alpha.id)

        principal = await AccountsAuthenticator(world.sessions).by_user(user.id)

        assert principal is not None
        assert principal.scope.all

    async def test_refuses_what_the_giver_does_not_hold(self, world: World) -> None:
        user, role = await add_user(world), await add_role(world, "resources.room:read")
        giver = world.at_site(permissions=["accounts.user:write"])

        async with world.unit(giver) as ctx:
            with pytest.raises(BeyondYourOwn) as refusal:
                await service.grant_role(
                    ctx, user_id=user.id, role_id=role.id, unit_id=world.alpha.site_id
                )

        assert [field.path for field in refusal.value.fields] == ["role_id"]

    async def test_refuses_a_unit_that_the_giver_does_not_manage(self, world: World) -> None:
        user, role = await add_user(world), await add_role(world)

        async with world.unit(world.at_site()) as ctx:
            with pytest.raises(UnitNotYours):
                await service.grant_role(
                    ctx, user_id=user.id, role_id=role.id, unit_id=world.alpha.region_id
                )

    async def test_refuses_the_same_twice(self, world: World) -> None:
        user, role = await add_user(world), await add_role(world)
        given = {"user_id": user.id, "role_id": role.id, "unit_id": world.alpha.site_id}

        async with world.unit(world.headquarters()) as ctx:
            await service.grant_role(ctx, **given)
            with pytest.raises(RoleHeldThere):
                await service.grant_role(ctx, **given)

    async def test_makes_a_form_opened_before_it_stale(self, world: World) -> None:
        """The form names all roles of the person: sent as it was, it would take the new one."""
        user, role = await add_user(world), await add_role(world)

        async with world.unit(world.headquarters()) as ctx:
            after = await service.grant_role(
                ctx, user_id=user.id, role_id=role.id, unit_id=world.alpha.site_id
            )

        assert after.version == user.version + 1

    async def test_without_any_opens_nothing(self, world: World) -> None:
        user = await add_user(world)

        principal = await AccountsAuthenticator(world.sessions).by_user(user.id)

        assert principal is not None
        assert principal.permissions == frozenset()
        assert (principal.scope.all, principal.scope.read_orgs, principal.scope.write_orgs) == (
            False, (), (),
        )  # fmt: skip

    @pytest.mark.parametrize("wrong", ["user_id", "role_id"])
    async def test_hides_another_companys(self, world: World, wrong: str) -> None:
        user, role = await add_user(world), await add_role(world)
        ids = {"user_id": user.id, "role_id": role.id, "unit_id": world.beta.site_id}

        async with world.unit(world.headquarters(world.beta)) as ctx:
            with pytest.raises(NotFound):
                await service.grant_role(ctx, **{**ids, wrong: uuid7()})

    async def test_refuses_a_unit_of_another_company(self, world: World) -> None:
        user, role = await add_user(world), await add_role(world)

        with pytest.raises((IntegrityError, NotFound)):
            async with world.unit(world.headquarters()) as ctx:
                await service.grant_role(
                    ctx, user_id=user.id, role_id=role.id, unit_id=world.beta.site_id
                )


class TestEnter:
    """The first statement of a request: who calls, and the transaction bound to their scope."""

    @pytest.mark.parametrize("granted", ["site_id", "region_id", "id"])
    async def test_binds_the_transaction_to_what_was_granted(
        self, world: World, granted: str
    ) -> None:
        role = await add_role(world, "organization.unit:read")
        user = await add_user(world)
        async with world.unit(world.headquarters()) as ctx:
            unit_id = getattr(world.alpha, granted)
            await service.grant_role(ctx, user_id=user.id, role_id=role.id, unit_id=unit_id)
        token = await service.log_in(world.sessions, login="shoufei", password="long-enough")
        authenticator = AccountsAuthenticator(world.sessions)
        expected = await authenticator.by_token(token)
        assert expected is not None

        async with world.sessions(info={"scope": None}) as session:
            principal = await authenticator.enter(session, token)
            bound = (await session.execute(BOUND)).one()

        assert principal == expected
        assert bound._asdict() == expected.scope.settings()

    async def test_binds_to_nothing_for_nobody(self, world: World) -> None:
        async with world.sessions(info={"scope": None}) as session:
            principal = await AccountsAuthenticator(world.sessions).enter(session, "made-up")
            bound = (await session.execute(BOUND)).one()

        assert principal is None
        assert bound._asdict() == NOTHING.settings()


class TestAuthenticator:
    async def test_knows_the_units_above_a_site(self, world: World) -> None:
        above = await AccountsAuthenticator(world.sessions).ancestors(
            world.alpha.id, world.alpha.site_id
        )

        assert above == (world.alpha.region_id, world.alpha.id)

    @pytest.mark.parametrize("whose", ["beta", "nobody"])
    async def test_refuses_a_site_that_is_not_the_companys(self, world: World, whose: str) -> None:
        site_id = world.beta.site_id if whose == "beta" else uuid7()

        with pytest.raises(NotFound):
            await AccountsAuthenticator(world.sessions).ancestors(world.alpha.id, site_id)

    async def test_leaves_no_scope_behind(self, world: World) -> None:
        async with world.sessions() as session:
            await session.execute(
                text("SELECT organization_ancestors(:company, :site)"),
                {"company": world.alpha.id, "site": world.alpha.site_id},
            )
            seen = await session.execute(text("SELECT count(*) FROM organization_unit"))

        assert seen.scalar_one() == 0
