"""Somebody of headquarters reads the collection of all communities, and drills into the bills."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.async_api import FrameLocator, expect

from cloud.kernel.clock import utc_now
from cloud.main import OFFICE
from tests.kit.browser import CHROMIUM, watched_browser
from tests.kit.database import TestDatabase
from tests.kit.stack import PASSWORD, Stack, seeded_stack, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium (root installs it)"),
    pytest.mark.skipif(not (OFFICE / "index.html").exists(), reason="run `make web` first"),
]


async def test_headquarters_reads_figures_and_drills_down(
    own_database: TestDatabase, tmp_path: Path
) -> None:
    async with seeded_stack(own_database, tmp_path) as stack:
        stack.role("dashboards")
        await until(lambda: _is_up(stack), "the dashboards", 90)
        books = await _books(stack)
        async with watched_browser(f"http://127.0.0.1:{stack.port}") as browser:
            page = await browser.logged_in("zongbu", PASSWORD)
            await page.goto(f"{browser.base}/hq")
            frame = page.frame_locator("iframe")
            await expect(frame.locator("[data-figure=balance]")).to_be_visible(timeout=60_000)
            assert await _shown(frame, "balance") == books["balance"]
            assert await _shown(frame, "received") == books["received"]

            today = utc_now().astimezone(ZoneInfo("Asia/Shanghai")).date()
            before = today.replace(day=1) - timedelta(days=1)
            await frame.get_by_label("截至").fill(f"{before}")
            await expect(frame.locator("[data-figure=balance]")).not_to_have_attribute(
                "data-value", str(books["balance"])
            )
            await frame.get_by_label("截至").fill(f"{before.replace(year=2020)}")
            await expect(frame.get_by_text("这里还没有应收和实收")).to_be_visible()
            await frame.get_by_label("截至").fill(f"{today}")

            project = frame.locator("tr.part").filter(has_text="澜庭花园")
            await project.get_by_role("link").nth(2).click()
            await page.wait_for_url(lambda url: "/p/charging.bills" in url)
            await expect(page.locator("tbody tr").first).to_be_visible()
            await expect(page.locator(".switcher")).to_contain_text("澜庭花园")
            assert browser.faults == []


async def _is_up(stack: Stack) -> bool:
    """They refuse whoever is not logged in; before that the relay says that they are away."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{stack.port}") as client:
        try:
            return (await client.get("/dashboards/ready")).status_code == 401
        except httpx.TransportError:
            return False


async def _books(stack: Stack) -> dict[str, Decimal]:
    """The same two figures as the office's own lists sum them up."""
    today = utc_now().astimezone(ZoneInfo("Asia/Shanghai")).date()
    async with stack.person("zongbu") as client:
        chart = (await client.get("/api/v1/ledger/accounts?q=1122")).json()
        span = f"period_from={today.replace(day=1)}&period_to={today}"
        receipts = (await client.get(f"/api/v1/receiving/receipts?{span}")).json()
    return {
        "balance": Decimal(chart["sums"]["balance"]),
        "received": Decimal(receipts["sums"]["amount"]),
    }


async def _shown(frame: FrameLocator, figure: str) -> Decimal:
    value = await frame.locator(f"[data-figure={figure}]").get_attribute("data-value")
    return Decimal(value or "NaN")
