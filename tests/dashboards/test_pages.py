"""What a page says besides its figures: no permission, nothing there, out of date, an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from cloud.kernel.analytics import Analytics
from cloud.kernel.context import Principal
from cloud.kernel.db import make_engine, make_sessions
from cloud.kernel.i18n import load_texts
from cloud.modules.accounts.queries import AccountsAuthenticator
from dashboards.energy.page import EnergyPage
from dashboards.energy.queries import Energy, Flow
from dashboards.finance.page import FinancePage
from dashboards.gate import VISITOR, Visitor
from dashboards.view import DashboardPage, Desk
from tests.cloud.receiving.builders import bill_room, set_fees
from tests.kit.client import TOKEN, OnePerson
from tests.kit.simulators import CHECKOUT
from tests.kit.world import World

TEXTS = ("cloud/kernel/locale", "dashboards/locale")


@pytest.fixture(autouse=True)
async def _drawn(world: World) -> AsyncIterator[None]:
    """What is chosen draws the page in a task of its own. It must end before the connection of
    `world` does: psycopg would read on in memory that is freed, from a file that is another's."""
    yield
    drawing = asyncio.all_tasks() - {asyncio.current_task()}
    if drawing:
        done, late = await asyncio.wait(drawing, timeout=10)
        assert not late
        assert not [task for task in done if task.exception()]


class Person(OnePerson):
    """Whose session and whose database can go away."""

    away = False
    ended = False

    async def by_token(self, token: str) -> Principal | None:
        if self.away:
            raise ConnectionRefusedError
        return None if self.ended else await super().by_token(token)


def opened(
    page: type[DashboardPage], world: World, viewer: Principal
) -> tuple[DashboardPage, Person]:
    person = Person(viewer, AccountsAuthenticator(world.sessions))
    VISITOR.set(Visitor(TOKEN, person))
    desk = Desk(
        analytics=Analytics(world.sessions, world.bus),
        texts=load_texts([CHECKOUT / each for each in TEXTS]),
    )
    return page(desk), person


def viewer(world: World, *permissions: str) -> Principal:
    return replace(world.headquarters(), permissions=frozenset(permissions))


async def test_nobody_looks_without_the_permission(world: World) -> None:
    page, _ = opened(FinancePage, world, viewer(world, "headquarters.energy:read"))

    await page.refresh()

    assert "数据没有加载出来" in page.lead.object
    assert "权限" in page.lead.object
    assert "重试" in page.lead.object


async def test_a_scope_without_data_says_so(world: World) -> None:
    page, _ = opened(FinancePage, world, viewer(world, "headquarters.finance:read"))

    await page.refresh()

    assert "这里还没有应收和实收" in page.lead.object
    assert not page.notice.visible


async def test_the_last_figures_stay_under_a_bar_while_the_database_is_away(world: World) -> None:
    await bill_room(world, await set_fees(world))
    page, person = opened(FinancePage, world, viewer(world, "headquarters.finance:read"))
    await page.refresh()
    shown = page.lead.object
    assert "data-figure" in shown

    person.away = True
    await page.refresh()
    assert page.notice.visible
    assert "连接中断" in page.notice.object
    assert page.lead.object == shown

    person.away = False
    await page.refresh()
    assert not page.notice.visible


async def test_without_figures_a_database_that_is_away_is_an_error(world: World) -> None:
    page, _ = opened(FinancePage, world, viewer(world, "headquarters.finance:read"))
    nowhere = make_engine("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    page.desk = replace(page.desk, analytics=Analytics(make_sessions(nowhere), world.bus))

    await page.refresh()

    assert "数据库" in page.lead.object
    assert "重试" in page.lead.object
    assert not page.notice.visible


async def test_a_session_that_ended_takes_the_figures_away(world: World) -> None:
    await bill_room(world, await set_fees(world))
    page, person = opened(FinancePage, world, viewer(world, "headquarters.finance:read"))
    await page.refresh()

    person.ended = True
    await page.refresh()

    assert "登录已过期" in page.lead.object
    assert "data-figure" not in page.lead.object


async def test_a_date_that_is_none_is_told(world: World) -> None:
    page, _ = opened(FinancePage, world, viewer(world, "headquarters.finance:read"))
    page.controls.as_of = "yesterday"

    await page.refresh()

    assert "yesterday" in page.lead.object
    assert "重试" in page.lead.object


class Counted(EnergyPage):
    loads = 0

    async def load(self, principal: Principal) -> None:
        self.loads += 1
        await super().load(principal)


async def test_the_community_that_the_page_chooses_is_loaded_once(world: World) -> None:
    page, _ = opened(Counted, world, viewer(world, "headquarters.energy:read"))

    await page.refresh()
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    assert page.controls.unit
    assert isinstance(page, Counted)
    assert page.loads == 1


@pytest.mark.parametrize("unit", ["nothing", "beta"])
async def test_energy_of_somebody_elses_community_is_not_found(world: World, unit: str) -> None:
    page, _ = opened(EnergyPage, world, viewer(world, "headquarters.energy:read"))
    page.controls.unit = str(world.beta.site_id) if unit == "beta" else unit

    await page.refresh()

    assert "数据没有加载出来" in page.lead.object
    assert "重试" in page.lead.object


async def test_energy_of_a_community_without_meters_says_what_is_missing(world: World) -> None:
    page, _ = opened(EnergyPage, world, viewer(world, "headquarters.energy:read"))

    await page.refresh()

    assert "还没有总表" in page.lead.object


@pytest.mark.parametrize("water", [{}, {9: 1.5}])
async def test_hours_without_a_reading_are_told_where_the_bars_would_stand(
    world: World, water: dict[int, float]
) -> None:
    page, _ = opened(EnergyPage, world, viewer(world, "headquarters.energy:read"))
    assert isinstance(page, EnergyPage)
    silent = Flow(None, 1, 0)

    page.draw(
        Energy(
            site_id="1",
            site_name="一号",
            sites=(("1", "一号"),),
            meters=2,
            hours=10,
            electricity={9: 3.0},
            water=water,
            power=silent,
            flow=silent,
            heard=True,
        )
    )

    assert "今天还没有读数" in page.no_water.object
    assert (page.no_water.visible, page.water.visible) == (not water, bool(water))
    assert (page.no_electricity.visible, page.electricity.visible) == (False, True)
