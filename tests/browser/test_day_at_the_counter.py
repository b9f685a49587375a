"""An accountant bills last month and transfers a room on screen; a cashier takes a payment and
reverses it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from cloud.kernel.clock import utc_now
from cloud.main import OFFICE
from tests.kit.browser import CHROMIUM, Watched, watched_browser
from tests.kit.database import TestDatabase
from tests.kit.stack import PASSWORD, seeded_stack, until

SHANGHAI = ZoneInfo("Asia/Shanghai")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium (root installs it)"),
    pytest.mark.skipif(not (OFFICE / "index.html").exists(), reason="run `make web` first"),
]


async def test_a_day_at_the_counter(own_database: TestDatabase, tmp_path: Path) -> None:
    async with seeded_stack(own_database, tmp_path) as stack:
        stack.role("host")
        stack.role("worker")
        base = f"http://127.0.0.1:{stack.port}"
        await until(lambda: "host.ready" in stack.tail("host"), "the host", 60)
        async with watched_browser(base) as browser:
            await a_wrong_password_is_told(browser)
            browser.faults.clear()  # that refusal was asked for
            await past_days_are_handed_over(await browser.logged_in("shoufei", PASSWORD), base)
            accountant = await browser.logged_in("kuaiji", PASSWORD)
            await last_month_is_billed(accountant, base)
            await a_room_goes_to_another_owner(accountant, base)
            await a_payment_is_taken_and_reversed(
                await browser.logged_in("shoufei", PASSWORD), base
            )
            assert browser.faults == []


def today() -> date:
    return utc_now().astimezone(SHANGHAI).date()


async def a_wrong_password_is_told(browser: Watched) -> None:
    page = await browser.page()
    await page.goto(browser.base)
    await page.get_by_label("账号").fill("kuaiji")
    await page.get_by_label("密码").fill("not the password")
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_text("还可以再试 4 次")).to_be_visible()


async def past_days_are_handed_over(page: Page, base: str) -> None:
    """Of the demo's shifts only today's is open."""
    await page.goto(f"{base}/p/receiving.shifts")
    rows = page.locator("tbody tr")
    await expect(rows.filter(has_text="已交班").first).to_be_visible()
    assert await rows.filter(has_text="未交班").count() <= 1
    await page.context.close()


async def last_month_is_billed(page: Page, base: str) -> None:
    last = today().replace(day=1) - timedelta(days=1)
    await page.goto(f"{base}/p/charging.runs")
    await page.get_by_role("button", name="新增出账批次").click()
    form = page.get_by_role("dialog").filter(has_text="此时还没有出账")
    await form.get_by_label("项目", exact=True).click()
    await page.get_by_role("option", name="澜庭花园").click()
    await form.get_by_label("收费项目").click()
    await page.get_by_role("option", name="水费").click()
    await form.get_by_placeholder("开始日期").fill(f"{last.replace(day=1)}")
    await form.get_by_placeholder("结束日期").fill(f"{last}")
    await page.keyboard.press("Enter")
    await form.get_by_role("button", name="新增", exact=True).click()

    drawer = page.locator(".drawer")
    await drawer.get_by_role("button", name="试算").click()
    await expect(drawer.get_by_text("已试算")).to_be_visible()
    await drawer.get_by_role("button", name="生成").click()
    asked = page.get_by_role("dialog").filter(has_text="80 笔草稿")
    await asked.get_by_role("button", name="生成").click()
    await expect(drawer.get_by_text("待发布")).to_be_visible()
    await drawer.get_by_role("button", name="发布").click()
    asked = page.get_by_role("dialog").filter(has_text="发布后不可修改")
    await asked.get_by_role("button", name="发布").click()
    await expect(drawer.get_by_text("已发布")).to_be_visible()

    await page.goto(f"{base}/p/charging.bills")
    await page.locator("tbody tr").filter(has_text="水费").first.locator(".link").first.click()
    await expect(drawer.get_by_text("重算一致")).to_be_visible()
    await expect(drawer.get_by_text("借贷相等")).to_be_visible()


async def a_room_goes_to_another_owner(page: Page, base: str) -> None:
    await page.goto(f"{base}/p/receiving.rooms")
    await page.get_by_placeholder("房号 / 房屋").fill("1-1-801")
    await page.get_by_role("button", name="1-1-801", exact=True).first.click()
    people = page.locator(".people li")
    before = await people.first.locator("b").inner_text()
    await page.get_by_role("button", name="过户").click()

    form = page.get_by_role("dialog").filter(has_text="由新业主接手")
    day = form.get_by_label("过户日期")
    await day.fill(f"{today()}")
    await day.press("Tab")
    await form.get_by_role("radio", name="欠费由新业主承担").click()
    await form.get_by_label("新业主").click()
    others = page.get_by_role("option").filter(visible=True, has_not_text=before)
    chosen = await others.first.inner_text()
    await others.first.click()
    await page.keyboard.press("Escape")
    trial = form.get_by_role("status", name="试算")
    await expect(trial).to_contain_text("由新业主承担")
    await form.get_by_role("button", name="过户", exact=True).click()

    await expect(form).to_be_hidden()
    payer = people.filter(has=page.locator(".tone-info", has_text="缴费"))
    await expect(payer.locator("b")).to_have_text(chosen.split()[0])
    await expect(people.filter(has_text=before)).to_contain_text("已结束")


async def a_payment_is_taken_and_reversed(page: Page, base: str) -> None:
    await page.goto(f"{base}/counter")
    await page.get_by_placeholder("房号、业主、电话或车牌").fill("1-1-101")
    await page.get_by_role("option").first.wait_for()
    await page.keyboard.press("Enter")
    pay = page.get_by_role("button", name="确认收款")
    await pay.click()
    await expect(page.get_by_text("已收")).to_be_visible()
    await page.goto(f"{base}/p/receiving.receipts")
    newest = page.locator("tbody tr").first
    await newest.locator(".link").first.click()
    drawer = page.locator(".drawer")
    await drawer.get_by_role("button", name="冲红").click()
    asked = page.get_by_role("dialog").filter(has_text="原因")
    await asked.get_by_label("原因").fill("收错房号")
    await asked.get_by_role("button", name="冲红").click()
    await expect(drawer.get_by_text("已冲红", exact=True)).to_be_visible()
