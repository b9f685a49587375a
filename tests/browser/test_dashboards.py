"""A dashboard in the office: what was chosen outlives theme, language, a drill, a dead process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.async_api import FrameLocator, Page, expect
from psycopg import sql

from cloud.main import OFFICE
from tests.kit.browser import CHROMIUM, watched_browser
from tests.kit.database import TestDatabase, with_database
from tests.kit.stack import PASSWORD, Stack, seeded_stack, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium (root installs it)"),
    pytest.mark.skipif(not (OFFICE / "index.html").exists(), reason="run `make web` first"),
]

DAY = "2026-11-10"
FOCUSED = """() => {
  let one = document.activeElement
  while (one.shadowRoot?.activeElement) one = one.shadowRoot.activeElement
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(one)
  return [one.tagName, `${outlineStyle} ${outlineWidth} ${outlineColor}`]
}"""
PICTURES = OFFICE.parents[3] / "build" / "dashboards"


async def test_what_was_chosen_stays(own_database: TestDatabase, tmp_path: Path) -> None:
    async with seeded_stack(own_database, tmp_path) as stack:
        stack.role("dashboards")
        await until(stack.answers, "the web server", 60)
        async with watched_browser(f"http://127.0.0.1:{stack.port}") as browser:
            page = await browser.logged_in("zongbu", PASSWORD)
            frame = await opened(page, browser.base)
            await every_stop_of_tab_shows_the_ring(page, frame)
            await a_day_is_chosen_in_the_readers_language(frame)
            await frame.get_by_role("button", name="本年累计").click()
            await expect(page).to_have_url(re.compile(f"span=year.*as_of={DAY}"))

            await page.get_by_label("切换到深色").click()
            await stands(frame, "dark")
            await page.get_by_title("切换语言").click()
            await expect(frame.get_by_label("As of")).to_have_value(DAY)
            await page.get_by_title("Switch language").click()
            await stands(frame, "dark")

            await frame.locator("tr.part").first.get_by_role("link").first.click()
            await page.wait_for_url(lambda url: "/p/charging.bills" in url)
            await page.go_back()
            await stands(frame, "dark")
            assert browser.faults == []

            await a_dead_process_says_so_and_comes_back(stack, page, frame)
            await a_lost_database_keeps_the_figures(own_database, page, frame)


async def opened(page: Page, base: str) -> FrameLocator:
    await page.goto(f"{base}/hq")
    frame = page.frame_locator("iframe")
    await expect(frame.locator("[data-figure=received]")).to_be_visible(timeout=60_000)
    return frame


async def every_stop_of_tab_shows_the_ring(page: Page, frame: FrameLocator) -> None:
    """From the unit on, through date and buttons, into the links of the table."""
    await frame.get_by_label("单位").focus()
    stops: list[str] = []
    for _ in range(20):
        tag, ring = await frame.locator("html").evaluate(FOCUSED)
        assert ring == "solid 2px rgb(43, 92, 230)", (tag, stops)
        stops.append(tag)
        await page.keyboard.press("Tab")
    assert {"SELECT", "INPUT", "BUTTON", "A"} <= set(stops)
    assert stops[-1] == "A"


async def a_day_is_chosen_in_the_readers_language(frame: FrameLocator) -> None:
    """By typing it, and out of a calendar that speaks what the page speaks."""
    await expect(frame.locator("html")).to_have_attribute("lang", "zh-CN")
    await frame.get_by_label("截至").fill("2026-10-31")
    await frame.get_by_role("button", name="选择日期").click()
    await expect(frame.get_by_text("2026年10月")).to_be_visible()
    await frame.get_by_role("button", name="下个月").click()
    await frame.get_by_role("button", name=DAY).click()
    await expect(frame.get_by_label("截至")).to_have_value(DAY)


async def stands(frame: FrameLocator, theme: str) -> None:
    await expect(frame.get_by_label("截至")).to_have_value(DAY)
    await expect(frame.get_by_role("button", name="本年累计")).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(frame.locator("[data-figure=received]")).to_be_visible()
    await expect(frame.locator("html")).to_have_css("color-scheme", theme)


async def a_dead_process_says_so_and_comes_back(
    stack: Stack, page: Page, frame: FrameLocator
) -> None:
    stack.kill("dashboards")
    await expect(frame.get_by_text("连接中断")).to_be_visible()
    await picture(page, "cut-off")
    await frame.locator("html").evaluate("() => location.reload()")
    await expect(frame.get_by_text("看板正在启动或已停止")).to_be_visible()
    await picture(page, "away")
    stack.role("dashboards")
    await stands_again(frame)


async def stands_again(frame: FrameLocator) -> None:
    await expect(frame.locator("[data-figure=received]")).to_be_visible(timeout=60_000)
    await stands(frame, "dark")


async def a_lost_database_keeps_the_figures(
    database: TestDatabase, page: Page, frame: FrameLocator
) -> None:
    with lost(database):
        await frame.get_by_role("button", name="刷新").click()
        await expect(frame.get_by_text("连接中断，显示的是")).to_be_visible()
        await expect(frame.locator("[data-figure=received]")).to_be_visible()
        await picture(page, "stale")
    await frame.get_by_role("button", name="刷新").click()
    await expect(frame.get_by_text("连接中断，显示的是")).to_be_hidden()


@contextmanager
def lost(database: TestDatabase) -> Iterator[None]:
    """The database takes no connection and has none."""
    name = urlsplit(database.owner_url).path.removeprefix("/")
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    elsewhere = with_database(database.owner_url, "wuye")
    with psycopg.connect(elsewhere, autocommit=True) as owner:
        owner.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield
        finally:
            owner.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


async def picture(page: Page, name: str) -> None:
    await page.screenshot(path=PICTURES / f"{name}.png")
