"""Somebody with one role here and another one there: what each permits stays where it is held."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.auth import CSRF_HEADER
from cloud.kernel.context import Principal
from cloud.kernel.errors import PermissionMissing
from cloud.modules.accounts import service
from cloud.modules.accounts.models import Grant, User
from cloud.modules.accounts.queries import AccountsAuthenticator
from cloud.modules.accounts.rules import Place
from cloud.modules.accounts.service.people import RoleClosed
from tests.cloud.accounts.conftest import PASSWORD
from tests.cloud.accounts.test_api import log_in
from tests.cloud.kernel.test_exports import sheets
from tests.cloud.kernel.test_http import assert_refused
from tests.cloud.resources.builders import add_room
from tests.kit.world import World

SEES = "resources.room:read"
ADDS = "resources.space:add"
ROOMS = "/api/v1/resources/rooms"
BUILDINGS = "/api/v1/resources/buildings"


async def a_person(world: World, **held: tuple[UUID, list[str]]) -> UUID:
    """Whose roles, by their code, each hold in one unit."""
    async with world.unit(world.headquarters()) as ctx:
        user = await service.add_user(
            ctx, org_id=world.alpha.id, login="shoufei", name="周晓燕", post="", password=PASSWORD
        )
        for code, (unit_id, permissions) in held.items():
            role = await service.add_role(ctx, code=code, name=code, permissions=permissions)
            await service.grant_role(ctx, user_id=user.id, role_id=role.id, unit_id=unit_id)
    return user.id


async def principal_of(world: World, user_id: UUID) -> Principal:
    principal = await AccountsAuthenticator(world.sessions).by_user(user_id)
    assert principal is not None
    return principal


class TestActing:
    async def test_is_only_where_the_permission_is_held(self, world: World) -> None:
        alpha = world.alpha
        user_id = await a_person(
            world, here=(alpha.site_id, [SEES, ADDS]), there=(alpha.other_site_id, [SEES])
        )
        principal = await principal_of(world, user_id)

        adding, seeing = principal.acting(ADDS), principal.acting(SEES)

        assert principal.permissions == {SEES, ADDS}
        assert adding.scope.write_orgs == (alpha.site_id,)
        assert adding.permissions == {SEES, ADDS}
        assert set(seeing.scope.write_orgs) == {alpha.site_id, alpha.other_site_id}
        assert seeing.permissions == {SEES}

    async def test_what_holds_above_holds_below(self, world: World) -> None:
        alpha = world.alpha
        user_id = await a_person(world, hq=(alpha.id, [SEES]), here=(alpha.site_id, [ADDS]))
        principal = await principal_of(world, user_id)

        assert principal.acting(SEES).scope.all
        assert principal.acting(SEES).permissions == {SEES}
        assert principal.acting(ADDS).scope.write_orgs == (alpha.site_id,)
        assert not principal.acting(ADDS).scope.all
        assert principal.acting(ADDS).permissions == {SEES, ADDS}

    async def test_does_not_widen_inside_one_site(self, world: World) -> None:
        alpha = world.alpha
        user_id = await a_person(
            world, here=(alpha.site_id, [SEES]), there=(alpha.other_site_id, [SEES, ADDS])
        )
        inside = (await principal_of(world, user_id)).acting(SEES).narrowed(alpha.site_id, ())

        with pytest.raises(PermissionMissing):
            inside.acting(ADDS)
        assert inside.acting(SEES).scope.write_orgs == (alpha.site_id,)

    async def test_one_role_in_two_units_is_nothing_to_keep_apart(self, world: World) -> None:
        alpha = world.alpha
        user_id = await a_person(
            world, here=(alpha.site_id, [SEES]), there=(alpha.other_site_id, [SEES])
        )

        assert (await principal_of(world, user_id)).holdings == ()


@pytest.fixture
async def both(world: World, stranger: httpx.AsyncClient) -> httpx.AsyncClient:
    """Sees the rooms of one community, and adds to another; each has a room 101."""
    alpha = world.alpha
    async with world.unit(world.headquarters()) as ctx:
        await add_room(ctx, alpha.site_id, building="8")
        await add_room(ctx, alpha.other_site_id, building="9")
    await a_person(world, here=(alpha.site_id, [SEES]), there=(alpha.other_site_id, [ADDS]))
    boot = (await log_in(stranger)).json()
    stranger.headers[CSRF_HEADER] = boot["csrf"]
    return stranger


class TestOverHttp:
    async def test_a_list_shows_where_it_may_be_read(
        self, both: httpx.AsyncClient, world: World
    ) -> None:
        everywhere = (await both.get(ROOMS)).json()
        elsewhere = await both.get(ROOMS, params={"site_id": str(world.alpha.other_site_id)})

        assert [room["path"] for room in everywhere["items"]] == ["8-1-101"]
        assert_refused(elsewhere, 403, "project-not-yours")

    async def test_a_write_reaches_where_it_may_be_written(
        self, both: httpx.AsyncClient, world: World
    ) -> None:
        wanted = {"code": "7", "name": "7幢"}
        here = {**wanted, "site_id": str(world.alpha.site_id)}
        there = {**wanted, "site_id": str(world.alpha.other_site_id)}

        refused = await both.post(BUILDINGS, json=here)
        added = await both.post(BUILDINGS, json=there)

        assert_refused(refused, 403, "project-not-yours")
        assert added.status_code == 201

    async def test_a_search_finds_where_it_may_be_read(self, both: httpx.AsyncClient) -> None:
        found = (await both.get("/api/v1/search", params={"q": "101"})).json()

        titles = [hit["title"] for group in found["groups"] for hit in group["hits"]]
        assert titles == ["8幢1单元101"]

    async def test_a_file_holds_what_the_list_shows(self, both: httpx.AsyncClient) -> None:
        answer = await both.get("/api/v1/ui/pages/receiving.rooms/export")

        told = str(sheets(answer.content))
        assert "8-1-101" in told
        assert "9-1-101" not in told


class TestChangeUser:
    async def test_leaves_different_roles_where_they_are(self, world: World) -> None:
        alpha = world.alpha
        user_id = await a_person(
            world, here=(alpha.site_id, [SEES]), there=(alpha.other_site_id, [ADDS])
        )
        async with world.unit(world.headquarters()) as ctx:
            user = await ctx.get(User, user_id)
            held = (
                (await ctx.session.execute(select(Grant).where(col(Grant.user_id) == user_id)))
                .scalars()
                .all()
            )
            await service.change_user(
                ctx, user_id=user_id, version=user.version, name="周小燕", post="", phone=None,
                place=Place(
                    org_id=alpha.id,
                    department_id=None,
                    role_ids=frozenset(grant.role_id for grant in held),
                    unit_ids=frozenset(grant.unit_id for grant in held),
                ),
            )  # fmt: skip

        assert (await principal_of(world, user_id)).acting(ADDS).scope.write_orgs == (
            alpha.other_site_id,
        )


class TestCloseRole:
    async def test_is_waited_for_by_who_would_give_the_role(self, committed: World) -> None:
        world = committed
        async with world.unit(world.headquarters()) as ctx:
            role = await service.add_role(ctx, code="clerk", name="收费员", permissions=[SEES])

        async def give() -> None:
            async with world.unit(world.headquarters()) as ctx:
                await service.open_account(
                    ctx, login="xinren", name="新人", post="", phone="",
                    place=Place(
                        org_id=world.alpha.site_id,
                        department_id=None,
                        role_ids=frozenset({role.id}),
                        unit_ids=frozenset({world.alpha.site_id}),
                    ),
                )  # fmt: skip

        async with world.unit(world.headquarters()) as ctx:
            await service.close_role(ctx, role_id=role.id, reason="x")
            giving = asyncio.ensure_future(give())
            await asyncio.wait({giving}, timeout=1)
            assert not giving.done()

        with pytest.raises(RoleClosed):
            await giving
