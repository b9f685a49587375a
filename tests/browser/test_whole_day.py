"""One day of a community in the browser: set up, billed, paid at the counter, seen at headquarters.

Only the opening and the closing of the books are read past the screens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import FrameLocator, Locator, Page, expect
from xlsxwriter import Workbook

from cloud.kernel.clock import utc_now
from cloud.kernel.periods import add_months
from cloud.main import OFFICE
from tests.kit.books import Books
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

expect.set_options(timeout=40_000)  # a machine that runs two stacks at once is slow

SITE, REGION = "澜庭花园", "华东区域"
BUILDING = "9"
# Two yuan for the square meter and month: a room of 101 m² owes 202.00.
AREAS = {"101": "101", "102": "102", "103": "103", "104": "104", "105": "105"}
OWNERS = {"101": "钱一", "102": "赵二", "103": "孙三", "104": "李四", "105": "周五"}
PRICE = Decimal(2)
STANDARD = "九幢物业费"


@dataclass(frozen=True)
class Taken:
    """What the cashier took in, less what was reversed."""

    bills: Decimal
    ahead: Decimal


async def test_the_whole_day(own_database: TestDatabase, tmp_path: Path) -> None:
    async with seeded_stack(own_database, tmp_path) as stack:
        for role in ("host", "worker", "dashboards"):
            stack.role(role)
        books = Books(own_database)
        before = Opening(books)
        await until(stack.answers, "the web server", 60)
        async with watched_browser(f"http://127.0.0.1:{stack.port}") as browser:
            await a_wrong_password_is_told(browser)
            browser.faults.clear()  # that refusal was asked for
            accountant = await browser.logged_in("kuaiji", PASSWORD)
            await rooms_and_owners_are_imported(accountant, browser.base, tmp_path)
            await a_standard_is_set_and_bound(accountant, browser.base)
            await the_month_is_billed(accountant, browser.base)
            await accountant.context.close()

            cashier = await browser.logged_in("shoufei", PASSWORD)
            taken = await five_payments_and_one_reversal(cashier, browser.base)
            await cashier.context.close()
            the_books_are_right(books, before, taken)

            manager = await browser.logged_in("quyu", PASSWORD)
            await headquarters_sees_it(manager, browser.base, books, before, taken)
            assert browser.faults == []


async def a_wrong_password_is_told(browser: Watched) -> None:
    page = await browser.page()
    await page.goto(browser.base)
    await page.get_by_label("账号").fill("kuaiji")
    await page.get_by_label("密码").fill("not the password")
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_text("还可以再试 4 次")).to_be_visible()
    await page.context.close()


async def rooms_and_owners_are_imported(page: Page, base: str, folder: Path) -> None:
    rooms = [["楼栋", "单元", "房屋", "建筑面积", "用途", "状态", "交付日期"]]
    rooms += [
        [BUILDING, "1", code, area, "住宅", "已入住", "2024-06-30"] for code, area in AREAS.items()
    ]
    owners = [["房号", "姓名", "手机", "开始日期"]]
    owners += [
        [_path(code), name, f"1390000{code.zfill(4)}", "2024-06-30"]
        for code, name in OWNERS.items()
    ]
    await page.goto(f"{base}/p/receiving.rooms")
    await _imported(page, _workbook(folder / "rooms.xlsx", rooms), "自动新增缺少的楼栋和单元")
    await page.get_by_placeholder("房号 / 房屋").fill(f"{BUILDING}-1-")
    await expect(_rows(page, f"{BUILDING}-1-")).to_have_count(len(AREAS))

    await page.goto(f"{base}/p/customers.parties")
    await _imported(page, _workbook(folder / "owners.xlsx", owners))
    await page.get_by_placeholder("姓名 / 手机").fill(OWNERS["103"])
    await expect(_rows(page, OWNERS["103"])).to_be_visible()


async def _imported(page: Page, workbook: Path, option: str = "") -> None:
    await page.get_by_role("button", name="导入", exact=True).click()
    dialog = page.get_by_role("dialog").filter(has_text="下载模板")
    await dialog.get_by_label("导入到哪个项目").click()
    await page.get_by_role("option", name=SITE).click()
    if option:
        await dialog.get_by_text(option).click()
    await dialog.locator("input[type=file]").set_input_files(workbook)
    await dialog.get_by_role("button", name=f"导入 {len(AREAS)} 行").click()
    await expect(page.get_by_text(f"已导入 {len(AREAS)} 行")).to_be_visible()
    await expect(dialog).to_be_hidden()


async def a_standard_is_set_and_bound(page: Page, base: str) -> None:
    await page.goto(f"{base}/p/charging.standards")
    await page.get_by_role("button", name="新增面积标准").click()
    form = page.get_by_role("dialog").filter(has_text="绑定房间之前不会产生费用")
    await _choose(page, form, "项目", SITE)
    await _choose(page, form, "费项", "物业费")
    await form.get_by_label("名称").fill(STANDARD)
    await form.get_by_label("编码").fill(f"LT-WY-{BUILDING}")
    await form.get_by_label("单价", exact=False).first.fill(f"{PRICE}")
    await _enter_date(form, "生效日", _this_month())
    await form.get_by_label("依据").fill("业主大会决议 2026-1")
    trial = form.get_by_role("status", name="试算")
    await expect(trial).to_contain_text("元")
    await form.get_by_role("button", name="新增", exact=True).click()
    await expect(page.get_by_text(f"已新增标准「{STANDARD}」")).to_be_visible()

    await page.goto(f"{base}/p/charging.bindings")
    await page.get_by_role("button", name="批量绑定").click()
    form = page.get_by_role("dialog").filter(has_text="用量标准会绑定房间对应的表")
    await _choose(page, form, "收费标准", STANDARD)
    await _enter_date(form, "起", _this_month())
    await _choose(page, form, "楼栋", f"{BUILDING}幢")
    await expect(form.get_by_role("status", name="试算")).to_contain_text(f"{len(AREAS)} 个房间")
    await form.get_by_role("button", name="绑定", exact=True).click()
    await expect(page.get_by_text(f"已绑定 {len(AREAS)} 个，跳过 0 个")).to_be_visible()


async def the_month_is_billed(page: Page, base: str) -> None:
    first = _this_month()
    last = add_months(first, 1) - timedelta(days=1)
    await page.goto(f"{base}/p/charging.runs")
    await page.get_by_role("button", name="新增出账批次").click()
    form = page.get_by_role("dialog").filter(has_text="此时还没有出账")
    await _choose(page, form, "项目", SITE)
    await _choose(page, form, "收费项目", "物业费")
    await form.get_by_placeholder("开始日期").fill(f"{first}")
    await form.get_by_placeholder("结束日期").fill(f"{last}")
    await page.keyboard.press("Enter")
    await form.get_by_role("button", name="新增", exact=True).click()

    drawer = page.locator(".drawer")
    await drawer.get_by_role("button", name="试算").click()
    await expect(drawer.get_by_text("已试算")).to_be_visible()
    await drawer.get_by_role("button", name="生成").click()
    asked = page.get_by_role("dialog").filter(has_text=f"{len(AREAS)} 笔草稿")
    await asked.get_by_role("button", name="生成").click()
    await expect(drawer.get_by_text("待发布")).to_be_visible()
    await drawer.get_by_role("button", name="发布").click()
    asked = page.get_by_role("dialog").filter(has_text=f"合计 {sum(map(_due, AREAS)):,.2f}")
    await asked.get_by_role("button", name="发布").click()
    await expect(drawer.get_by_text("已发布")).to_be_visible()

    await page.goto(f"{base}/p/charging.bills")
    await page.get_by_placeholder("房号 / 业主 / 单号").fill(OWNERS["101"])
    await _rows(page, OWNERS["101"]).locator(".link").first.click()
    await expect(drawer.get_by_text("重算一致")).to_be_visible()
    await expect(drawer.get_by_text("借贷相等")).to_be_visible()


async def five_payments_and_one_reversal(page: Page, base: str) -> Taken:
    partial, ahead = Decimal("150.00"), Decimal("50.00")
    await page.goto(f"{base}/counter")
    await _opened(page, "101")
    await page.get_by_label("实收现金").fill("300")
    await expect(page.locator(".change")).to_contain_text(f"{300 - _due('101'):.2f}")
    await _paid(page, _due("101"))

    await _opened(page, "102")
    await _by(page, "微信")
    await page.get_by_label("物业费本次收").fill(f"{partial}")
    await expect(page.get_by_text(f"余 {_due('102') - partial:.2f} 保持待缴")).to_be_visible()
    await _paid(page, partial)

    await _opened(page, "103")
    await _by(page, "刷卡")
    await _paid(page, _due("103"))

    await _opened(page, "104")
    await _by(page, "转账")
    await _paid(page, _due("104"))

    await _opened(page, "105")
    await _by(page, "支付宝")
    await page.locator(".ahead .row").filter(has_text="预存款").locator(".el-checkbox").click()
    await page.get_by_label("预存金额").fill(f"{ahead}")
    await _paid(page, _due("105") + ahead)
    await expect(page.locator(".room")).to_contain_text(f"{ahead}")

    await _opened(page, "103")
    await page.get_by_role("button", name="冲红 ").click()
    asked = page.get_by_role("dialog").filter(has_text="账单恢复待缴")
    await asked.get_by_label("冲红原因").fill("刷错卡")
    await asked.get_by_role("button", name="冲红 ").click()
    await expect(page.get_by_text("已冲红，红字收据")).to_be_visible()
    await expect(page.get_by_label("物业费本次收")).to_have_value(f"{_due('103'):.2f}")

    await page.goto(f"{base}/p/receiving.receipts")
    await expect(_rows(page, f"{BUILDING}幢1单元")).to_have_count(len(AREAS) + 1)
    bills = _due("101") + partial + _due("104") + _due("105")
    return Taken(bills=bills, ahead=ahead)


async def _opened(page: Page, code: str) -> None:
    """A room at the counter, found by its number, with the one bill that it has."""
    await page.get_by_placeholder("房号、业主、电话或车牌").fill(_path(code))
    await page.get_by_role("option").filter(has_text=OWNERS[code]).wait_for()
    await page.keyboard.press("Enter")
    await expect(page.locator(".room")).to_contain_text(OWNERS[code])


async def _by(page: Page, method: str) -> None:
    await page.get_by_role("radio", name=method).click()


async def _paid(page: Page, amount: Decimal) -> None:
    await page.get_by_role("button", name="确认收款").click()
    await expect(page.locator(".last")).to_contain_text(f"已收 {amount:,.2f}")


class Opening:
    """The figures before the day, to see by how much the day moved them."""

    def __init__(self, books: Books) -> None:
        self.received = _received(books)
        self.ahead = -books.balance("220501")


_OF_REGION = (
    "FROM ledger_line l JOIN ledger_entry e ON e.id = l.entry_id"
    " JOIN ledger_account a ON a.id = l.account_id AND a.code = '1122'"
    " JOIN organization_unit u ON u.id = l.org_id"
    " JOIN organization_unit r ON r.id = u.parent_id AND r.code = 'HD'"
)


def _received(books: Books) -> Decimal:
    """Of the region in this month, as its receipts took it off the receivables."""
    return Decimal(
        books.value(
            f"SELECT coalesce(sum(l.credit - l.debit), 0) {_OF_REGION}"
            " WHERE e.source_kind = 'receiving.receipt' AND e.business_on >= %s",
            _this_month(),
        )
    )


def the_books_are_right(books: Books, before: Opening, taken: Taken) -> None:
    journal = books.one("SELECT sum(debit) AS debit, sum(credit) AS credit FROM ledger_line")
    assert journal["debit"] == journal["credit"]
    owed = books.value("SELECT sum(amount - paid) FROM charging_settlement")
    assert owed == books.balance("1122")
    assert _received(books) == before.received + taken.bills
    held = books.value("SELECT sum(amount) FROM receiving_prepaid_move")
    assert held == -books.balance("220501") == before.ahead + taken.ahead


async def headquarters_sees_it(
    page: Page, base: str, books: Books, before: Opening, taken: Taken
) -> None:
    await page.goto(f"{base}/hq")
    frame = page.frame_locator("iframe")
    await expect(frame.locator("[data-figure=received]")).to_be_visible(timeout=60_000)
    assert await _shown(frame, "received") == _received(books) == before.received + taken.bills
    owed = books.value(f"SELECT sum(l.debit - l.credit) {_OF_REGION}")
    assert await _shown(frame, "balance") == owed

    await frame.get_by_label("截至").fill("2020-01-31")
    await expect(frame.get_by_text("这里还没有应收和实收")).to_be_visible()
    await frame.get_by_label("截至").fill(f"{_today()}")
    await expect(frame.locator("tr.group").filter(has_text=REGION)).to_be_visible()
    project = frame.locator("tr.part").filter(has_text=SITE)
    await project.get_by_role("link").first.click()

    await page.wait_for_url(lambda url: "/p/charging.bills" in url)
    await expect(page.locator(".switcher")).to_contain_text(SITE)
    await page.get_by_placeholder("房号 / 业主 / 单号").fill(OWNERS["102"])
    row = _rows(page, OWNERS["102"])
    await expect(row).to_contain_text("部分缴")
    await row.locator(".link").first.click()
    drawer = page.locator(".drawer")
    await drawer.get_by_role("link", name="150.00").click()
    await page.wait_for_url(lambda url: "/p/receiving.receipts" in url)
    await expect(drawer).to_contain_text("微信")
    await expect(drawer).to_contain_text(f"{BUILDING}幢1单元102")


async def _shown(frame: FrameLocator, figure: str) -> Decimal:
    value = await frame.locator(f"[data-figure={figure}]").get_attribute("data-value")
    return Decimal(value or "NaN")


async def _choose(page: Page, form: Locator, field: str, option: str) -> None:
    await form.get_by_label(field, exact=True).click()
    await page.get_by_role("option", name=option).filter(visible=True).first.click()
    if field == "收费项目":  # several may be chosen: the list stays open
        await page.keyboard.press("Escape")


def _rows(page: Page, text: str) -> Locator:
    return page.locator("tbody tr").filter(has_text=text)


async def _enter_date(form: Locator, field: str, on: date) -> None:
    box = form.get_by_label(re.compile(rf"^{field}\s*\*?$"))
    await box.fill(f"{on}")
    await box.press("Tab")


def _workbook(path: Path, rows: list[list[str]]) -> Path:
    with Workbook(path) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    return path


def _path(code: str) -> str:
    return f"{BUILDING}-1-{code}"


def _due(code: str) -> Decimal:
    return Decimal(AREAS[code]) * PRICE


def _today() -> date:
    return utc_now().astimezone(ZoneInfo("Asia/Shanghai")).date()


def _this_month() -> date:
    return _today().replace(day=1)
