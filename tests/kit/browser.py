"""A real browser that notices what people do not: console errors, refusals, outside requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Watched:
    """A browser whose pages write down every fault; `faults` must be empty at the end."""

    browser: Browser
    base: str
    faults: list[str] = field(default_factory=list)

    async def page(self, *, width: int = 1440, height: int = 900) -> Page:
        context = await self.browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN"
        )
        page = await context.new_page()
        page.set_default_timeout(40_000)
        page.on("console", lambda said: self._note(said.type == "error", f"console: {said.text}"))
        page.on("pageerror", lambda error: self._note(True, f"script: {error}"))
        page.on(
            "response",
            lambda answer: self._note(answer.status >= 400, f"{answer.status} {answer.url}"),
        )
        page.on("request", lambda asked: self._note(self._is_outside(asked.url), asked.url))
        return page

    async def logged_in(self, login: str, password: str) -> Page:
        page = await self.page()
        await page.goto(self.base)
        await page.get_by_label("账号").fill(login)
        await page.get_by_label("密码").fill(password)
        await page.get_by_role("button", name="登录").click()
        await page.wait_for_url(lambda url: "login" not in url)
        return page

    def _note(self, is_fault: bool, what: str) -> None:
        if is_fault:
            self.faults.append(what)

    def _is_outside(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme.startswith("http") and parts.hostname != "127.0.0.1"


@asynccontextmanager
async def watched_browser(base: str) -> AsyncIterator[Watched]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield Watched(browser, base)
        finally:
            await browser.close()
