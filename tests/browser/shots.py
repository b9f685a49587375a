"""Pictures of the back office in both themes, languages and window sizes.

python tests/browser/shots.py --base URL --login NAME --password WORD --out DIRECTORY [--only NAME]
Fails on a console error, on an answer of 500 or more, and on a request to another host.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The first values are pushed within one poll of the bus.
PUSHED_MS = 6_000
# A page has its heading, and nothing on it still waits for an answer.
DRAWN = """() => document.fonts.status === 'loaded'
  && document.querySelector('.shell, #login-name')
  && !document.querySelector('.shimmer, .el-loading-mask, [aria-busy=true]')"""
DRAWN_MS = 15_000
MOVED_MS = 250  # a drawer and a dialog take .18 s to come
SIZES = {"1440": (1440, 900), "1366": (1366, 768)}


@dataclass
class Options:
    base: str
    login: str
    password: str
    out: Path
    only: str
    room: str
    site: str
    faults: list[str] = field(default_factory=list)
    # What should be looked at, and where it was first seen. Names are Chinese by right.
    notes: dict[str, str] = field(default_factory=dict)


def _bills(page: Page, options: Options) -> None:
    page.goto(f"{options.base}/p/charging.bills")
    page.wait_for_selector("tbody tr td .link")


def _drawer(page: Page, options: Options) -> None:
    _bills(page, options)
    page.locator("tbody tr td .link").nth(2).click()
    page.wait_for_selector(".drawer .heading")


def _selection(page: Page, options: Options) -> None:
    _bills(page, options)
    for row in (1, 2, 4):
        page.locator("tbody tr .el-checkbox").nth(row).click()


def _counter(page: Page, options: Options) -> None:
    page.goto(f"{options.base}/counter")
    page.locator(".counter input[role=combobox]").fill(options.room)
    page.wait_for_selector(".result")
    page.keyboard.press("Enter")
    page.wait_for_selector(".bills")


def _counter_empty(page: Page, options: Options) -> None:
    page.goto(f"{options.base}/counter")


def _live(page: Page, options: Options) -> None:
    page.goto(f"{options.base}/live")
    page.wait_for_selector(".tile")
    page.wait_for_selector(".trend footer")
    page.wait_for_timeout(PUSHED_MS)


def _runs(page: Page, options: Options) -> None:
    page.goto(f"{options.base}/p/charging.runs")
    page.locator("tbody tr td .link").first.click()
    page.wait_for_selector(".drawer .heading")


def _receipts(page: Page, options: Options) -> None:
    page.goto(f"{options.base}/p/receiving.receipts")
    page.wait_for_selector(".grid")


def _form(page: Page, options: Options) -> None:
    page.goto(f"{options.base}/p/charging.runs")
    page.locator(".head .el-button--primary").click()
    page.wait_for_selector(".el-dialog .field")
    page.locator(".el-dialog .foot .el-button--primary").click()


def _sites(page: Page, options: Options) -> None:
    _bills(page, options)
    page.locator(".switcher").click()
    page.wait_for_selector(".el-popover .row")


def _search(page: Page, options: Options) -> None:
    _bills(page, options)
    page.keyboard.press("Control+k")
    page.locator(".palette input").fill(options.room)
    page.wait_for_selector(".palette .hit .tag")


def _entries(page: Page) -> list[tuple[str, str]]:
    """(name, path) of everything in the viewer's menu."""
    menu = page.evaluate("fetch('/api/v1/session').then((answer) => answer.json())")["menu"]
    return [
        (entry["code"], entry["view"] or f"/p/{entry['page']}")
        for heading in menu
        for entry in heading["children"]
    ]


def _declared(page: Page, code: str) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "code => fetch(`/api/v1/ui/pages/${code}`).then((answer) => answer.json())", code
    )
    return found


def _walk(page: Page, options: Options, suffix: str) -> None:
    """Every entry of the menu, the drawer of its first row, and its forms."""
    for code, path in _entries(page):
        name = code.replace("/", "-")
        page.goto(f"{options.base}{path}")
        if not path.startswith("/p/"):
            page.wait_for_timeout(PUSHED_MS)  # dashboards and live screens are drawn by what comes
            _shoot(page, options, f"page-{name}-{suffix}")
            continue
        page.wait_for_selector(".table-page .head")
        _shoot(page, options, f"page-{name}-{suffix}")
        declared = _declared(page, code)
        links = page.locator("tbody tr td .link")
        if declared.get("detail") and links.count():
            links.first.click()
            page.wait_for_selector(".drawer .heading")
            _shoot(page, options, f"detail-{name}-{suffix}")
            page.keyboard.press("Escape")
        for action in declared.get("actions", []):
            if action["form"] and action["placement"] in {"primary", "toolbar"}:
                page.goto(f"{options.base}{path}")
                _press_in_head(page, action["label"])
                page.wait_for_selector(".el-dialog .field")
                _shoot(page, options, f"form-{name}-{action['code']}-{suffix}")
        _rows_forms(page, options, name=name, declared=declared, suffix=suffix)


def _press_in_head(page: Page, label: str) -> None:
    """A button of the list's head, or another way to add in the menu of its last one."""
    head = page.locator(".head .buttons")
    asked = head.get_by_role("button", name=label, exact=True)
    head.locator("button").first.wait_for()
    if not asked.count():
        head.locator(".el-dropdown__caret-button").click()
        page.wait_for_timeout(MOVED_MS)
        asked = page.get_by_role("menuitem", name=label, exact=True)
    asked.click()


def _rows_forms(
    page: Page, options: Options, *, name: str, declared: dict[str, Any], suffix: str
) -> None:
    """The forms that the first row offers: its own word, or what is behind the dots."""
    for action in declared.get("actions", []):
        if not action["form"] or action["placement"] != "row":
            continue
        page.goto(f"{options.base}/p/{declared['code']}")
        page.wait_for_selector(".table-page .head")
        page.wait_for_function(DRAWN, timeout=DRAWN_MS)
        row = page.locator("tbody tr .actions").first
        if not row.count():
            return
        asked = row.get_by_role("button", name=action["label"], exact=True)
        if not asked.count() and row.locator(".more").count():
            row.locator(".more").click()
            page.wait_for_timeout(MOVED_MS)
            asked = page.get_by_role("menuitem", name=action["label"], exact=True)
        if asked.count() != 1 or not asked.is_visible():
            continue
        asked.click()
        page.wait_for_selector(".el-dialog .field")
        _shoot(page, options, f"form-{name}-{action['code']}-{suffix}")


def _grid(page: Page, options: Options) -> None:
    page.goto(f"{options.base}/grid")
    page.locator(".cell").first.hover()
    page.wait_for_timeout(MOVED_MS)


def _room(page: Page, options: Options) -> None:
    page.goto(f"{options.base}/p/receiving.rooms")
    room = page.evaluate(
        """([q, site]) => fetch(`/api/v1/resources/rooms?q=${q}&site_id=${site}&size=20`)
            .then((answer) => answer.json())""",
        [options.room, options.site],
    )["items"][0]
    page.goto(f"{options.base}/rooms/{room['id']}")


def _statement(page: Page, options: Options) -> None:
    _counter(page, options)
    page.locator(".counter h3 a.link").first.click()
    page.wait_for_selector("main h1, main h2")


def _import(page: Page, options: Options) -> None:
    page.goto(f"{options.base}/p/receiving.rooms")
    page.wait_for_selector(".head .buttons")
    page.locator(".head .buttons .lucide-upload").click()
    page.wait_for_selector(".el-dialog")


def _columns(page: Page, options: Options) -> None:
    _bills(page, options)
    page.locator(".filters .tools button").last.click()
    page.wait_for_timeout(MOVED_MS)


def _empty(page: Page, options: Options) -> None:
    _bills(page, options)
    page.locator(".filters input").first.fill("0-0-0")
    page.wait_for_selector(".table-page .empty, .state")


SCENES: dict[str, Callable[[Page, Options], None]] = {
    "bills": _bills,
    "drawer": _drawer,
    "selection": _selection,
    "counter": _counter,
    "counter-empty": _counter_empty,
    "live": _live,
    "runs": _runs,
    "receipts": _receipts,
    "form": _form,
    "sites": _sites,
    "search": _search,
    "grid": _grid,
    "room": _room,
    "statement": _statement,
    "import": _import,
    "columns": _columns,
    "empty": _empty,
}


def _watch(context: BrowserContext, options: Options) -> None:
    home = urlsplit(options.base).netloc

    def on_response(status: int, url: str) -> None:
        if status >= 500:
            options.faults.append(f"{status} {url}")

    context.on("response", lambda answer: on_response(answer.status, answer.url))
    context.on(
        "request",
        lambda request: (
            options.faults.append(f"outside: {request.url}")
            if urlsplit(request.url).scheme.startswith("http")
            and urlsplit(request.url).netloc != home
            else None
        ),
    )
    context.on(
        "console",
        lambda message: (
            options.faults.append(f"console: {message.text}") if message.type == "error" else None
        ),
    )


def _context(
    browser: Browser, options: Options, *, size: str, theme: str, locale: str
) -> BrowserContext:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN" if locale == "zh" else "en-US",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
    )
    context.add_init_script(f"localStorage.setItem('wuye.theme', '{theme}')")
    if options.site:
        context.add_init_script(f"localStorage.setItem('wuye.site', '{options.site}')")
    return context


def _log_in(page: Page, options: Options, locale: str) -> None:
    page.goto(f"{options.base}/login")
    page.locator("#login-name").fill(options.login)
    page.locator("#login-password").fill(options.password)
    page.locator("form .enter").click()
    page.wait_for_selector(".shell")
    wanted = "EN" if locale == "en" else "中"
    button = page.locator(".bar .words")
    if wanted not in button.inner_text():
        button.click()
        page.wait_for_function(
            "word => document.querySelector('.bar .words').innerText.includes(word)", arg=wanted
        )
    _settle_quietly(page)


# What the office says itself, besides the company's own names and words.
OWN_WORDS = "nav, th, button, label, h1, h2, h3, .el-dialog__title, .empty, .state, .legend"
CHINESE = re.compile(r"[\u4e00-\u9fff]{2,}")


def _untranslated(page: Page) -> list[str]:
    """Chinese in the office's own words while it speaks English."""
    if page.evaluate("document.documentElement.lang") != "en":
        return []
    said = page.locator(OWN_WORDS).all_inner_texts()
    return sorted({line for text in said for line in text.splitlines() if CHINESE.search(line)})


def _overflows(page: Page) -> bool:
    """A page that can be scrolled sideways is laid out wrong."""
    return bool(
        page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    )


def _choose_site(page: Page, options: Options) -> None:
    """The live screen is of one project: the first, unless one was named."""
    if not options.site:
        units = page.evaluate("fetch('/api/v1/session').then((answer) => answer.json())")["units"]
        options.site = next(unit["id"] for unit in units if unit["kind"] == "project")
    page.evaluate("site => localStorage.setItem('wuye.site', site)", options.site)
    page.context.add_init_script(f"localStorage.setItem('wuye.site', '{options.site}')")


def _shoot(page: Page, options: Options, name: str) -> None:
    _settle_quietly(page)
    for line in _untranslated(page):
        options.notes.setdefault(f"Chinese: {line}", name)
    if _overflows(page):
        options.notes.setdefault(f"wider than the window: {name}", name)
    path = options.out / f"{name}.png"
    page.screenshot(path=str(path))
    sys.stdout.write(f"{path}\n")


def _settle_quietly(page: Page) -> None:
    """Until what was asked for is drawn. A pushed stream keeps the network busy for ever."""
    page.wait_for_function(DRAWN, timeout=DRAWN_MS)
    page.wait_for_timeout(MOVED_MS)


def _round(browser: Browser, options: Options, *, size: str, theme: str, locale: str) -> None:
    context = _context(browser, options, size=size, theme=theme, locale=locale)
    page = context.new_page()
    suffix = f"{size}-{theme}-{locale}"
    if not options.only or options.only == "login":
        page.goto(f"{options.base}/login")
        page.wait_for_selector("#login-name")
        _shoot(page, options, f"login-{suffix}")
    _watch(context, options)
    _log_in(page, options, locale)
    _choose_site(page, options)
    for name, scene in SCENES.items():
        if options.only and name not in options.only.split(","):
            continue
        scene(page, options)
        _shoot(page, options, f"{name}-{suffix}")
    if not options.only or "walk" in options.only.split(","):
        _walk(page, options, suffix)
    context.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    parser.add_argument("--login", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--out", type=Path, default=Path("build/shots"))
    parser.add_argument(
        "--only", default="", help="scene names separated by commas; walk is the menu"
    )
    parser.add_argument(
        "--rounds",
        default=",".join(
            f"{size}:{theme}:{locale}"
            for size in SIZES
            for theme in ("light", "dark")
            for locale in ("zh", "en")
        ),
    )
    parser.add_argument("--room", default="1-1-101", help="a room that owes something")
    parser.add_argument("--site", default="", help="id of the project to look at")
    arguments = parser.parse_args()
    options = Options(
        base=arguments.base.rstrip("/"),
        login=arguments.login,
        password=arguments.password,
        out=arguments.out,
        only=arguments.only,
        room=arguments.room,
        site=arguments.site,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for one in arguments.rounds.split(","):
            size, theme, locale = one.split(":")
            _round(browser, options, size=size, theme=theme, locale=locale)
        browser.close()
    for note, name in options.notes.items():
        sys.stdout.write(f"{note} ({name})\n")
    for fault in options.faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if options.faults else 0


if __name__ == "__main__":
    sys.exit(main())
