"""Exports: the list's own rows and rights, cells as people read them, long ones in the worker."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlmodel import col

from cloud.kernel.bulk import insert_rows
from cloud.kernel.context import Principal
from cloud.kernel.db import uuid7
from cloud.kernel.exports import service
from cloud.kernel.exports.jobs import expire_exports, write_export
from cloud.kernel.exports.models import Export, ExportState
from cloud.kernel.files import Files
from cloud.kernel.jobs import Work
from cloud.kernel.records import AuditRow
from cloud.kernel.settings import Settings
from cloud.main import declared_pages, runtime, work_of
from cloud.modules.accounts.queries import AccountsAuthenticator
from cloud.modules.customers.permissions import CustomersPermission
from tests.cloud.receiving.builders import bill_room, set_fees
from tests.kit.client import OnePerson, client_of
from tests.kit.database import TestDatabase, endpoints_of
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]
BILLS = "/api/v1/ui/pages/charging.bills/export"
PARTIES = "/api/v1/ui/pages/customers.parties/export"
ZH = {"Accept-Language": "zh-CN"}


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


async def add_parties(
    world: World, count: int, *, name: str = "业主", principal: Principal | None = None
) -> None:
    site_id = world.alpha.site_id
    async with world.unit(principal) as ctx:
        stamp = ctx.stamp(site_id)
        columns = ("id", *stamp, "version", "name", "kind", "phone", "note")
        rows = [
            (uuid7(), *stamp.values(), 1, f"{name}{n}", "person", "13800005512", "")
            for n in range(count)
        ]
        await insert_rows(ctx, "customers_party", columns, rows)


class TestExportPage:
    async def test_has_the_columns_and_the_kinds_of_the_page(
        self, world: World, client: Client
    ) -> None:
        billed = await bill_room(world, await set_fees(world))

        answer = await client(world.at_site()).get(BILLS, headers=ZH)

        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(service.XLSX)
        bills = sheets(answer.content)["应收单"]
        assert bills[0][:4] == ["应收单号", "房号", "业主", "费项"]
        assert [row[0] for row in bills[1:3]] == sorted(
            (bill.number for bill in billed.bills), reverse=True
        )
        assert bills[2][1] == "1幢1单元101"
        assert bills[2][4] == "2026-11-01 ~ 2026-11-30"
        assert bills[2][5] == 213.08
        assert isinstance(bills[2][8], date)
        assert bills[2][9] == "待缴"
        assert bills[3][0] == "筛选合计"
        assert bills[3][5] == 218.08

    async def test_says_who_took_what_and_when(self, world: World, client: Client) -> None:
        fees = await set_fees(world)
        await bill_room(world, fees)
        query = {"state": "unpaid", "item_id": str(fees.garbage)}

        answer = await client(world.at_site()).get(BILLS, params=query, headers=ZH)

        about = dict(row[:2] for row in sheets(answer.content)["说明"])
        assert about["列表"] == "应收单"
        assert about["导出人"] == "测试员"
        assert about["费项"] == "垃圾费"
        assert about["状态"] == "待缴"
        assert about["行数"] == "1"
        async with world.unit() as ctx:
            audited = await ctx.session.execute(
                select(col(AuditRow.after)).where(col(AuditRow.action) == "kernel.list.exported")
            )
        assert audited.scalars().all() == [{"page": "charging.bills", "query": query, "rows": 1}]

    async def test_takes_more_than_one_batch_in_order(self, world: World, client: Client) -> None:
        await add_parties(world, 2_500)

        answer = await client(world.at_site()).get(f"{PARTIES}?sort=-name", headers=ZH)

        rows = next(iter(sheets(answer.content).values()))
        names = [row[0] for row in rows[1:]]
        assert len(names) == len(set(names)) == 2_500

    async def test_a_formula_stays_text(self, world: World, client: Client) -> None:
        await add_parties(world, 1, name='=HYPERLINK("http://x","')

        answer = await client(world.at_site()).get(PARTIES)

        rows = next(iter(sheets(answer.content).values()))
        assert rows[1][0] == '=HYPERLINK("http://x","0'

    async def test_holds_only_what_the_list_holds_for_its_viewer(
        self, world: World, client: Client
    ) -> None:
        await add_parties(world, 3)

        answer = await client(world.at_other_site()).get(PARTIES)

        assert len(next(iter(sheets(answer.content).values()))) == 1

    async def test_refuses_a_list_that_is_not_the_callers(
        self, world: World, client: Client
    ) -> None:
        cashier = world.at_site(permissions=[CustomersPermission.party_read])

        answer = await client(cashier).get(BILLS)

        assert (answer.status_code, answer.json()["code"]) == (404, "page-unknown")

    @pytest.mark.parametrize("page", ["charging.bill", "nothing.at-all"])
    async def test_refuses_what_is_no_list(self, world: World, client: Client, page: str) -> None:
        answer = await client(world.at_site()).get(f"/api/v1/ui/pages/{page}/export")

        assert answer.status_code == 404

    @pytest.mark.parametrize(
        "query", ["state=nonsense", "period_from=yesterday", "sort=color", "item_id=7"]
    )
    async def test_refuses_a_filter_as_the_list_does(
        self, world: World, client: Client, query: str
    ) -> None:
        caller = client(world.at_site())

        answer = await caller.get(f"{BILLS}?{query}")
        list_answer = await caller.get(f"/api/v1/charging/bills?{query}")

        assert answer.status_code == list_answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == list_answer.json()["errors"][0]["code"]

    async def test_a_community_of_another_company_is_refused(
        self, world: World, client: Client
    ) -> None:
        answer = await client(world.at_site()).get(f"{BILLS}?site_id={world.beta.site_id}")

        assert answer.status_code == 404


@pytest.fixture
async def long_list(
    own_database: TestDatabase, committed: World, tmp_path: Path
) -> AsyncIterator[tuple[httpx.AsyncClient, Work, World]]:
    """A list too long to answer at once, its reader, and what the worker stands on."""
    principal = committed.at_site()
    await add_parties(committed, service.ROWS_AT_ONCE + 1, principal=principal)
    endpoints = endpoints_of(own_database)
    running = runtime(settings=Settings(data_dir=tmp_path), endpoints=endpoints)
    running.sessions = committed.sessions
    running.authenticator = OnePerson(principal, AccountsAuthenticator(committed.sessions))
    running.pages = declared_pages(running)
    async with client_of(
        endpoints, committed, principal, sites=running.sites, data_dir=tmp_path
    ) as caller:
        yield caller, work_of(running), committed


async def _run(work: Work, world: World, export: dict[str, Any], *, user_id: object) -> None:
    await write_export(
        work, company_id=str(world.alpha.id), export_id=export["id"], user_id=str(user_id)
    )


async def _owner(world: World) -> Any:
    async with world.unit(world.headquarters()) as ctx:
        return (await ctx.session.execute(select(col(Export.created_by)))).scalars().first()


class TestLongExport:
    async def test_is_made_by_the_worker_and_downloaded(
        self, long_list: tuple[httpx.AsyncClient, Work, World]
    ) -> None:
        caller, work, world = long_list

        asked = await caller.get(PARTIES)
        assert asked.status_code == 202, asked.text
        early = await caller.get(f"/api/v1/ui/exports/{asked.json()['id']}/file")
        await _run(work, world, asked.json(), user_id=await _owner(world))
        history = (await caller.get("/api/v1/ui/exports")).json()["items"]
        file = await caller.get(f"/api/v1/ui/exports/{asked.json()['id']}/file")

        assert (early.status_code, early.json()["code"]) == (409, "export-not-done")
        assert [(one["state"], one["total"], one["written"]) for one in history] == [
            ("done", 5_001, 5_001)
        ]
        assert len(next(iter(sheets(file.content).values()))) == 5_002

    async def test_hides_a_colleagues_export(
        self, long_list: tuple[httpx.AsyncClient, Work, World], own_database: TestDatabase
    ) -> None:
        caller, work, world = long_list
        asked = await caller.get(PARTIES)
        colleague = client_of(
            endpoints_of(own_database),
            world,
            world.at_site(),
            sites=work.sites,  # type: ignore[arg-type]
            data_dir=Path("unused"),
        )

        async with colleague:
            read = await colleague.get(f"/api/v1/ui/exports/{asked.json()['id']}")
            history = await colleague.get("/api/v1/ui/exports")

        assert read.status_code == 404
        assert history.json() == {"items": []}

    async def test_says_why_it_failed_and_leaves_no_file(
        self, long_list: tuple[httpx.AsyncClient, Work, World]
    ) -> None:
        caller, work, world = long_list
        asked = await caller.get(PARTIES)

        await _run(work, world, asked.json(), user_id=uuid7())  # an account that is gone

        read = (await caller.get(f"/api/v1/ui/exports/{asked.json()['id']}")).json()
        assert (read["state"], read["failure"]) == ("failed", "Log in first.")
        assert isinstance(work.files, Files)
        assert [path for path in work.files.root.rglob("*") if path.is_file()] == []

    async def test_is_bounded_for_each_person(
        self, long_list: tuple[httpx.AsyncClient, Work, World]
    ) -> None:
        caller, _, _ = long_list
        for _ in range(service.RUNNING_MAX):
            assert (await caller.get(PARTIES)).status_code == 202

        refused = await caller.get(PARTIES)

        assert (refused.status_code, refused.json()["code"]) == (429, "exports-running")

    async def test_is_kept_a_week(self, long_list: tuple[httpx.AsyncClient, Work, World]) -> None:
        caller, work, world = long_list
        asked = (await caller.get(PARTIES)).json()
        await _run(work, world, asked, user_id=await _owner(world))
        async with world.unit(world.headquarters()) as ctx:
            export = (await ctx.session.execute(select(Export))).scalar_one()
            export.finished_at = datetime.fromisoformat("2026-01-01T00:00:00+00:00")

        await expire_exports(work)

        read = (await caller.get(f"/api/v1/ui/exports/{asked['id']}")).json()
        assert read["state"] == ExportState.expired
        assert (await caller.get(f"/api/v1/ui/exports/{asked['id']}/file")).status_code == 409
