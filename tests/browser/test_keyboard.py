"""An accountant and a cashier work by keys alone: what has the focus is seen and is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.async_api import Page, expect

from cloud.main import OFFICE
from tests.kit.browser import CHROMIUM, Watched, watched_browser
from tests.kit.database import TestDatabase
from tests.kit.stack import PASSWORD, seeded_stack, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium (root installs it)"),
    pytest.mark.skipif(not (OFFICE / "index.html").exists(), reason="run `make web` first"),
]

# A ring of 2 px is drawn by what has the focus, by the field round it or by the box of a check.
# `fault` says why it is not seen: there is none, it is cut off, or something lies on it.
FOCUSED = """() => {
  const at = document.activeElement
  if (!at || at === document.body) return ['body', '', 'the focus is lost']
  const token = getComputedStyle(document.documentElement).getPropertyValue('--w-brand').trim()
  const brand = `rgb(${token.slice(1).match(/../g).map((two) => parseInt(two, 16)).join(', ')})`
  const frames = '.el-input__wrapper, .el-select__wrapper, .el-range-editor, label, .field'
  const frame = at.closest(frames)
  const marks = 'input ~ .el-switch__core, input + .el-checkbox__inner'
  const mark = at.parentElement.querySelector(marks)
  const ringed = [mark, frame, at].find((one) => {
    if (!one) return false
    const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(one)
    const line = outlineStyle === 'solid' && outlineWidth === '2px' && outlineColor === brand
    return line || boxShadow.includes(brand)
  })
  const ring = ringed ?? at
  const box = ring.getBoundingClientRect()
  const { outlineStyle, outlineOffset } = getComputedStyle(ring)
  const out = outlineStyle === 'solid' ? Math.max(0, 2 + parseFloat(outlineOffset)) : 0
  let cut = box.right <= 0 || box.bottom <= 0 || box.top >= innerHeight || box.left >= innerWidth
  for (let up = ring.parentElement; up; up = up.parentElement) {
    if (getComputedStyle(up).overflow === 'visible') continue
    const edge = up.getBoundingClientRect()
    cut ||= box.top - out < edge.top - 1 || box.bottom + out > edge.bottom + 1
    cut ||= box.left - out < edge.left - 1 || box.right + out > edge.right + 1
  }
  const above = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)
  const covered = above && !ring.contains(above) && !above.contains(ring)
  const name = at.getAttribute('aria-label') || at.innerText || at.placeholder || at.id
  const kind = at.getAttribute('role') || at.type || at.tagName.toLowerCase()
  const fault = !ringed ? 'no ring' : cut ? 'a ring cut off' : covered ? 'covered' : ''
  return [kind, name.trim(), fault]
}"""


class Focus(NamedTuple):
    kind: str
    name: str
    fault: str


async def test_the_keyboard_is_enough(own_database: TestDatabase, tmp_path: Path) -> None:
    async with seeded_stack(own_database, tmp_path) as stack:
        stack.role("host")
        base = f"http://127.0.0.1:{stack.port}"
        await until(lambda: "host.ready" in stack.tail("host"), "the host", 60)
        async with watched_browser(base) as browser:
            page = await logged_in_by_keys(browser, "kuaiji")
            await the_skip_link_leads_to_the_content(page, base)
            await a_list_is_walked_from_end_to_end(page)
            await the_theme_is_changed_by_keys(page)
            await the_search_keeps_the_focus_and_gives_it_back(page)
            await a_row_opens_its_drawer_and_takes_the_focus_back(page)
            await a_form_of_a_rows_menu_starts_in_its_first_field(page, base)
            await the_columns_are_chosen_by_keys(page)
            page = await logged_in_by_keys(browser, "shoufei")
            await a_payment_is_taken_and_the_next_room_is_named(page, base)
            assert browser.faults == []


async def focus(page: Page) -> Focus:
    """What has the focus now; fails unless it can be seen."""
    for _ in range(30):  # a ring is drawn within .2 s, a dialog comes in as long
        found = Focus(*await page.evaluate(FOCUSED))
        if not found.fault:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"{found.kind} {found.name!r}: {found.fault}")


async def pressed(page: Page, *keys: str) -> Focus:
    for key in keys:
        await page.keyboard.press(key)
    return await focus(page)


async def tabbed_to(page: Page, wanted: Callable[[Focus], bool], most: int = 60) -> list[Focus]:
    """Everything on the way, each of it seen."""
    way: list[Focus] = []
    while not way or not wanted(way[-1]):
        assert len(way) < most, f"not reached: {[one.name for one in way]}"
        way.append(await pressed(page, "Tab"))
    return way


async def logged_in_by_keys(browser: Watched, login: str) -> Page:
    page = await browser.page()
    await page.goto(browser.base)
    await expect(page.get_by_label("账号")).to_be_focused()
    assert (await focus(page)).kind == "text"
    await page.keyboard.type(login)
    await pressed(page, "Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: "login" not in url)
    return page


async def the_skip_link_leads_to_the_content(page: Page, base: str) -> None:
    await page.goto(f"{base}/p/charging.bills?size=20")
    await page.locator("tbody .link").first.wait_for()
    assert (await pressed(page, "Tab")).name == "跳到正文"
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()


async def a_list_is_walked_from_end_to_end(page: Page) -> None:
    way = await tabbed_to(page, lambda at: at.name.startswith("第 2 页"), 160)
    order = [one.name for one in way]
    stops = ["全部", "房号 / 业主 / 单号", "应收单号", "YS", "收款", "每页条数"]
    places = [next(n for n, name in enumerate(order) if name.startswith(stop)) for stop in stops]
    assert places == sorted(places), order
    first = page.locator("tbody .link").first
    number = await first.inner_text()
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: "page=2" in url)
    await expect(first).not_to_have_text(number)  # rows of the first page would go while in use
    assert (await focus(page)).name.startswith("第 2 页")


async def the_theme_is_changed_by_keys(page: Page) -> None:
    await page.get_by_label("切换到深色").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("html")).to_have_class("dark")
    await focus(page)


async def the_search_keeps_the_focus_and_gives_it_back(page: Page) -> None:
    number = page.locator("tbody .link").first
    await number.focus()
    await page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="搜索")
    await expect(field).to_be_focused()
    for key in ("Tab", "Tab", "Tab", "Shift+Tab"):
        await page.keyboard.press(key)
        inside = page.locator(".palette :focus")
        await expect(inside).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(number).to_be_focused()
    await page.evaluate(
        "document.getElementById('main').append(document.createElement('button'));"
        "document.querySelector('#main > button').focus()"
    )
    await page.keyboard.press("Control+k")
    await expect(field).to_be_focused()
    await page.evaluate("document.querySelector('#main > button').remove()")
    await page.keyboard.press("Escape")
    await expect(page.locator("#main")).to_be_focused()
    await number.focus()


async def a_row_opens_its_drawer_and_takes_the_focus_back(page: Page) -> None:
    number = page.locator("tbody .link").first
    await page.keyboard.press("Enter")
    drawer = page.locator(".drawer")
    await expect(drawer).to_be_focused()
    await expect(drawer.locator(".heading")).to_be_visible()
    for _ in range(12):
        await pressed(page, "Tab")
        assert await drawer.locator(":focus").count() == 1
    await page.keyboard.press("Escape")
    await expect(number).to_be_focused()


async def a_form_of_a_rows_menu_starts_in_its_first_field(page: Page, base: str) -> None:
    await page.goto(f"{base}/p/charging.items")
    more = page.locator("tbody .more").first
    await more.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem").filter(visible=True).first).to_be_focused()
    await pressed(page, "Enter")
    form = page.get_by_role("dialog")
    await expect(form.locator(":is(input, textarea)").first).to_be_focused()
    await focus(page)
    await pressed(page, "Shift+Tab", "Shift+Tab")
    assert await form.locator(":focus").count() == 1
    await page.keyboard.press("Escape")
    await expect(form).to_be_hidden()
    await expect(more).to_be_focused()


async def the_columns_are_chosen_by_keys(page: Page) -> None:
    columns = page.get_by_role("button", name="列设置")
    await columns.focus()
    await page.keyboard.press("Enter")
    restore = page.get_by_role("button", name="恢复默认")
    await expect(restore).to_be_focused()
    assert (await pressed(page, "Tab")).kind == "checkbox"
    await page.keyboard.press("Escape")
    await expect(columns).to_be_focused()


async def a_payment_is_taken_and_the_next_room_is_named(page: Page, base: str) -> None:
    await page.goto(f"{base}/counter")
    search = page.get_by_role("combobox", name="房号、业主、电话或车牌")
    await expect(search).to_be_focused()
    await page.keyboard.type("1-1-101")
    await page.get_by_role("option").first.wait_for()
    await page.keyboard.press("Enter")
    check = page.locator(".bills .body").get_by_role("checkbox").first
    await expect(check).to_be_focused()
    assert (await pressed(page, "Space", "Space")).kind == "checkbox"
    await expect(check).to_be_checked()
    await page.keyboard.press("/")
    await expect(page.locator("input.amount").first).to_be_focused()
    await pressed(page, "Escape")
    await expect(check).to_be_focused()
    assert (await tabbed_to(page, lambda at: at.kind == "radio"))[-1].name

    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_text("已收")).to_be_visible()
    await expect(search).to_be_focused()
    await page.keyboard.type("1-1-102")
    await page.get_by_role("option").first.wait_for()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="102")).to_be_visible()
    await expect(page.locator(".bills :focus, .search :focus")).to_have_count(1)
    await focus(page)
