"""Receipts and bills on paper: what stands on them, and that each copy is counted."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.printing.compiler import PrintingFailed
from cloud.kernel.printing.sheets import print_sheet
from cloud.kernel.records import AuditRow, PrintCount
from cloud.modules.receiving import queries, service
from cloud.modules.receiving.models import Method
from tests.cloud.receiving.builders import Billed, bill_room, set_fees
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]

pdftotext = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils")


async def _paid(world: World) -> tuple[Billed, UUID]:
    billed = await bill_room(world, await set_fees(world))
    async with world.unit() as ctx:
        receipt = await service.take_receipt(
            ctx, room_id=billed.room_id, method=Method.scan, payments=billed.payments()
        )
    return billed, receipt.id


def _text(pdf: bytes) -> str:
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True
    )
    return done.stdout.decode()


class TestPrintReceipt:
    @pdftotext
    async def test_says_who_paid_what_in_figures_and_in_words(
        self, world: World, client: Client
    ) -> None:
        _, receipt_id = await _paid(world)

        answer = await client(world.at_site()).get(
            f"/api/v1/receiving/receipts/{receipt_id}/print", headers={"Accept-Language": "zh-CN"}
        )

        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/pdf"
        assert ".pdf" in answer.headers["content-disposition"]
        text = _text(answer.content)
        for said in ("收款收据", "公司A物业", "1幢1单元101", "物业费", "2026-11-01 ~ 2026-11-30"):
            assert said in text, text
        for said in ("213.08", "218.08", "贰佰壹拾捌元零捌分", "扫码", "测试员"):
            assert said in text, text
        assert "补打" not in text

    @pdftotext
    async def test_marks_and_counts_every_later_copy(self, world: World, client: Client) -> None:
        _, receipt_id = await _paid(world)
        path = f"/api/v1/receiving/receipts/{receipt_id}/print"
        caller = client(world.at_site())

        await caller.get(path)
        second = await caller.get(path, headers={"Accept-Language": "zh-CN"})
        third = await caller.get(path)

        assert "补打第 1 次" in _text(second.content)
        assert "Copy 2" in _text(third.content)
        async with world.unit() as ctx:
            audited = await ctx.session.execute(
                select(col(AuditRow.after)).where(
                    col(AuditRow.action) == "receiving.receipt.printed",
                    col(AuditRow.subject_id) == receipt_id,
                )
            )
        assert [row["copies"] for row in audited.scalars() if row] == [1, 2, 3]

    async def test_counts_nothing_when_no_paper_came_out(self, world: World) -> None:
        _, receipt_id = await _paid(world)
        broken: Any = ({"label": "without a value"},)

        async with world.unit() as ctx:
            sheet = replace(await queries.receipt_sheet(ctx, receipt_id), lines=broken)
        with pytest.raises(PrintingFailed):
            async with world.unit() as ctx:
                await print_sheet(ctx, sheet)

        async with world.unit() as ctx:
            counted = await ctx.session.execute(select(PrintCount))
        assert counted.all() == []

    async def test_hides_another_companys_receipt(self, world: World, client: Client) -> None:
        _, receipt_id = await _paid(world)

        answer = await client(world.headquarters(world.beta)).get(
            f"/api/v1/receiving/receipts/{receipt_id}/print"
        )

        assert answer.status_code == 404


class TestPrintBill:
    @pdftotext
    async def test_says_what_is_due_and_how_it_was_computed(
        self, world: World, client: Client
    ) -> None:
        billed = await bill_room(world, await set_fees(world))
        bill = billed.bills[0]

        answer = await client(world.at_site()).get(
            f"/api/v1/charging/bills/{bill.id}/print", headers={"Accept-Language": "zh-CN"}
        )

        assert answer.status_code == 200, answer.text
        text = _text(answer.content)
        for said in ("缴费通知单", bill.number, "贰佰壹拾叁元零捌分", "213.08 元/月"):
            assert said in text, text

    async def test_hides_another_companys_bill(self, world: World, client: Client) -> None:
        billed = await bill_room(world, await set_fees(world))

        answer = await client(world.headquarters(world.beta)).get(
            f"/api/v1/charging/bills/{billed.bills[0].id}/print"
        )

        assert answer.status_code == 404
