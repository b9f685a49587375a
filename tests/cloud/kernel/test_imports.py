"""Imports: what is refused whole, what is refused by row, and that nothing half-done stays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select
from sqlmodel import col

from cloud.kernel.errors import Unprocessable
from cloud.kernel.i18n import Texts
from cloud.kernel.imports import cells
from cloud.kernel.imports.sheet import ROWS_MAX
from cloud.kernel.records import AuditRow
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import ImportColumn
from cloud.modules.customers.models import RoomParty
from cloud.modules.metering.models import Meter, Reading, ReadingSource, ReadingState
from cloud.modules.resources.models import Room, Space
from cloud.modules.resources.permissions import ResourcesPermission
from tests.cloud.metering.builders import add_meter
from tests.cloud.resources.builders import add_room
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]
Rows = Sequence[Sequence[Any]]
ROOMS = "/api/v1/ui/pages/receiving.rooms/import"
OWNERS = "/api/v1/ui/pages/customers.parties/import"
METERS = "/api/v1/ui/pages/metering.meters/import"
READINGS = "/api/v1/ui/pages/metering.readings/import"
ROOM_HEAD = ("楼栋", "单元", "房屋", "建筑面积", "交付日期")


def workbook(head: Sequence[str], rows: Rows, *, merge: str = "") -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for at, row in enumerate([head, *rows]):
        for index, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(at, index, value, day)
            elif isinstance(value, str):
                sheet.write_string(at, index, value)
            else:
                sheet.write(at, index, value)
    if merge:
        sheet.merge_range(merge, "3")
    book.close()
    return stream.getvalue()


async def send(
    caller: httpx.AsyncClient,
    path: str,
    file: bytes,
    *,
    site: object,
    mode: str = "all",
    options: str = "",
) -> httpx.Response:
    query = {"mode": mode, "site_id": str(site), **({"options": options} if options else {})}
    return await caller.post(
        path, params=query, content=file, headers={"Content-Type": "application/octet-stream"}
    )


async def count_of(world: World, model: Any) -> int:
    async with world.unit(world.headquarters()) as ctx:
        found = await ctx.session.execute(select(func.count()).select_from(model))
        return int(found.scalar_one())


class TestCells:
    @pytest.mark.parametrize(
        ("kind", "cell", "value"),
        [
            (Kind.text, "0101", "0101"),
            (Kind.text, "  0101 \u3000", "0101"),
            (Kind.text, ("number", "5.0"), "5"),
            (Kind.text, ("number", "1e+17"), "100000000000000000"),
            (Kind.quantity, ("number", "89.53"), Decimal("89.53")),
            (Kind.quantity, "89.53", Decimal("89.53")),
            (Kind.whole, ("number", "6.0"), 6),
            (Kind.date, ("date", "2026-11-24T00:00:00"), date(2026, 11, 24)),
            (Kind.date, "2026-11-24", date(2026, 11, 24)),
            (Kind.date, "2026/1/4", date(2026, 1, 4)),
            (Kind.date, ("number", "20261124.0"), date(2026, 11, 24)),
            (Kind.date, "2026年11月24日", date(2026, 11, 24)),
            (Kind.flag, "是", True),
            (Kind.flag, ("flag", "0"), False),
            (Kind.text, "   ", None),
        ],
    )
    def test_become_what_the_column_takes(self, kind: Kind, cell: Any, value: Any) -> None:
        assert cells.value_of(ImportColumn("x", "X", kind), cell, Texts()) == value

    @pytest.mark.parametrize(
        ("column", "cell", "refusal"),
        [
            (ImportColumn("x", "X", required=True), " ", cells.CellMissing),
            (ImportColumn("x", "X", Kind.quantity), "89.53㎡", cells.NumberUnreadable),
            (ImportColumn("x", "X", Kind.quantity), "1,234.5", cells.NumberUnreadable),
            (ImportColumn("x", "X", Kind.quantity), "NaN", cells.NumberUnreadable),
            (ImportColumn("x", "X", Kind.quantity), "1e9999999", cells.NumberUnreadable),
            (ImportColumn("x", "X", Kind.quantity), "1.00001", cells.TooManyPlaces),
            (ImportColumn("x", "X", Kind.whole), "1.5", cells.TooManyPlaces),
            (ImportColumn("x", "X", Kind.quantity, least=Decimal(0)), "-1", cells.NumberTooLow),
            (ImportColumn("x", "X", Kind.quantity), "9" * 14, cells.NumberTooLarge),
            (ImportColumn("x", "X", Kind.date), "2026-02-30", cells.DateUnreadable),
            (ImportColumn("x", "X", Kind.date), "24.11.26", cells.DateUnreadable),
            (ImportColumn("x", "X", Kind.flag), "maybe", cells.ChoiceUnknown),
            (ImportColumn("x", "X", length=3), "four", cells.TextTooLong),
        ],
    )
    def test_say_why_they_cannot(
        self, column: ImportColumn, cell: Any, refusal: type[Unprocessable]
    ) -> None:
        with pytest.raises(refusal):
            cells.value_of(column, cell, Texts())


class TestTheFile:
    @pytest.mark.parametrize(
        ("file", "code"),
        [
            (b"Room,Area\n1,2\n", "no-workbook"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"not an old workbook" * 60, "no-workbook"),
            (b"PK\x03\x04 not a zip", "no-workbook"),
            (b"", "no-workbook"),
            (workbook(ROOM_HEAD, []), "sheet-empty"),
            (workbook(ROOM_HEAD, [[" ", "", None]] * 3), "sheet-empty"),
            (workbook(("楼栋", "房屋", "颜色"), [["1", "101", "red"]]), "column-unknown"),
            (workbook(("单元", "房屋"), [["1", "101"]]), "column-missing"),
            (workbook(("楼栋", "房屋", "Room"), [["1", "101", "102"]]), "column-twice"),
            (workbook(ROOM_HEAD, [["1", "1", "101"]], merge="A2:A3"), "cells-merged"),
            (workbook(("楼栋", "房屋"), [["1", str(n)] for n in range(10_001)]), "sheet-too-large"),
            (workbook([f"{n}" for n in range(61)], [["1"]]), "sheet-too-large"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    async def test_is_refused_whole(
        self, world: World, client: Client, file: bytes, code: str
    ) -> None:
        answer = await send(client(world.at_site()), ROOMS, file, site=world.alpha.site_id)

        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert await count_of(world, Space) == 0

    async def test_names_the_merged_cells(self, world: World, client: Client) -> None:
        file = workbook(ROOM_HEAD, [["1", "1", "101"]], merge="A2:B3")

        answer = await send(client(world.at_site()), ROOMS, file, site=world.alpha.site_id)

        assert "A2:B3" in answer.json()["title"]

    async def test_that_unpacks_to_gigabytes_is_refused(self, world: World, client: Client) -> None:
        stream = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(workbook(ROOM_HEAD, [["1", "1", "1"]]))) as honest,
            zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb,
        ):
            for name in honest.namelist():
                if name != "xl/sharedStrings.xml":
                    bomb.writestr(name, honest.read(name))
            with bomb.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
                part.write(b"<sst><si><t>")
                for _ in range(130):
                    part.write(b"x" * 4 * 1024 * 1024)
                part.write(b"</t></si></sst>")

        file = stream.getvalue()
        answer = await send(client(world.at_site()), ROOMS, file, site=world.alpha.site_id)

        assert len(file) < 20 * 1024 * 1024
        assert (answer.status_code, answer.json()["code"]) == (422, "no-workbook")

    async def test_of_100_megabytes_is_refused_before_it_is_read(
        self, world: World, client: Client
    ) -> None:
        answer = await client(world.at_site()).post(
            ROOMS, content=b"", headers={"Content-Length": str(100 * 1024 * 1024)}
        )

        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
        assert "20 MB" in answer.json()["title"]

    async def test_needs_a_community(self, world: World, client: Client) -> None:
        file = workbook(ROOM_HEAD, [["1", "1", "101"]])

        answer = await client(world.at_site()).post(f"{ROOMS}?mode=all", content=file)

        assert (answer.status_code, answer.json()["code"]) == (422, "site-missing")

    async def test_needs_the_permission(self, world: World, client: Client) -> None:
        reader = client(world.at_site(permissions=[ResourcesPermission.room_read]))

        answers = [
            await reader.get(f"{ROOMS}/template"),
            await send(reader, ROOMS, b"", site=world.alpha.site_id),
        ]

        assert {answer.status_code for answer in answers} == {403}

    async def test_goes_into_no_community_of_others(self, world: World, client: Client) -> None:
        file = workbook(ROOM_HEAD, [["1", "1", "101"]])
        caller = client(world.at_site())

        foreign = await send(caller, ROOMS, file, site=world.beta.site_id)
        neighbor = await send(caller, ROOMS, file, site=world.alpha.other_site_id)

        assert (foreign.status_code, neighbor.status_code) == (404, 403)
        assert await count_of(world, Space) == 0


class TestRooms:
    async def test_a_check_keeps_nothing(self, world: World, client: Client) -> None:
        file = workbook(ROOM_HEAD, [["3", "1", "0101", 89.53, date(2024, 6, 30)]])

        answer = await send(
            client(world.at_site()),
            ROOMS,
            file,
            site=world.alpha.site_id,
            mode="check",
            options="create_parents",
        )

        assert answer.json() | {"faults": []} == {
            "mode": "check",
            "rows": 1,
            "blank": 0,
            "valid": 1,
            "added": 0,
            "faulty": 0,
            "faults": [],
        }
        assert await count_of(world, Space) == 0

    async def test_are_added_with_their_buildings(self, world: World, client: Client) -> None:
        rows: Rows = [
            ["3", 1, "0101", 89.53, date(2024, 6, 30)],
            [],
            [3.0, "1", 102, "77.1 ", "2024/7/1"],
            ["V8", None, "1", None, "20240702"],
        ]

        answer = await send(
            client(world.at_site()),
            ROOMS,
            workbook(ROOM_HEAD, rows),
            site=world.alpha.site_id,
            options="create_parents",
        )

        assert answer.status_code == 200, answer.text
        assert (answer.json()["added"], answer.json()["blank"]) == (3, 1)
        async with world.unit() as ctx:
            found = await ctx.session.execute(
                select(col(Space.path), col(Room.building_area), col(Room.handover_on))
                .join(Room, col(Room.id) == col(Space.id))
                .order_by(col(Space.path))
            )
            audited = await ctx.session.execute(
                select(col(AuditRow.after)).where(col(AuditRow.action) == "kernel.list.imported")
            )
        assert [tuple(row) for row in found] == [
            ("3-1-0101", Decimal("89.53"), date(2024, 6, 30)),
            ("3-1-102", Decimal("77.1"), date(2024, 7, 1)),
            ("V8-1", None, date(2024, 7, 2)),
        ]
        assert audited.scalars().all() == [{"page": "receiving.rooms", "rows": 3, "mode": "all"}]

    async def test_names_the_row_the_field_and_the_reason(
        self, world: World, client: Client
    ) -> None:
        rows: Rows = [
            ["3", "1", "101", "89.53㎡", None],
            ["3", "1", "102", 90, None],
            ["3", "1", "102", 90, None],
            ["3", "1", None, 90, "soon"],
            ["3", "1-2", "103", 90, None],
        ]

        answer = await send(
            client(world.at_site()),
            ROOMS,
            workbook(ROOM_HEAD, rows),
            site=world.alpha.site_id,
            mode="check",
            options="create_parents",
        )

        faults = [
            (one["row"], one["field"], one["value"], one["code"]) for one in answer.json()["faults"]
        ]
        assert faults == [
            (2, "Building area", "89.53㎡", "number-unreadable"),
            (4, "Room", "102", "space-already-exists"),
            (5, "Room", "", "cell-missing"),
            (5, "Handed over on", "soon", "date-unreadable"),
            (6, "Unit", "1-2", "hyphen-in-code"),
        ]
        assert answer.json()["valid"] == 1

    async def test_all_or_nothing_leaves_nothing(self, world: World, client: Client) -> None:
        rows: Rows = [["3", "1", "101", 90], ["3", "1", "101", 90]]

        answer = await send(
            client(world.at_site()),
            ROOMS,
            workbook(ROOM_HEAD[:4], rows),
            site=world.alpha.site_id,
            options="create_parents",
        )

        assert (answer.status_code, answer.json()["code"]) == (422, "import-refused")
        assert answer.json()["errors"][0]["path"] == "rows.3.code"
        assert await count_of(world, Space) == 0

    async def test_valid_rows_only_when_that_is_asked(self, world: World, client: Client) -> None:
        rows: Rows = [["3", "1", "101", 90], ["9", "1", "101", -90], ["3", "1", "103", 90]]

        answer = await send(
            client(world.at_site()),
            ROOMS,
            workbook(ROOM_HEAD[:4], rows),
            site=world.alpha.site_id,
            mode="valid",
            options="create_parents",
        )

        assert (answer.json()["added"], answer.json()["faulty"]) == (2, 1)
        assert await count_of(world, Room) == 2

    async def test_a_second_time_finds_them_all_there(self, world: World, client: Client) -> None:
        file = workbook(ROOM_HEAD[:4], [["3", "1", "101", 90], ["3", "1", "102", 90]])
        caller = client(world.at_site())
        site = world.alpha.site_id
        await send(caller, ROOMS, file, site=site, options="create_parents")

        again = await send(caller, ROOMS, file, site=site, mode="valid", options="create_parents")

        assert (again.json()["added"], again.json()["faulty"]) == (0, 2)
        assert {one["code"] for one in again.json()["faults"]} == {"space-already-exists"}

    async def test_makes_no_building_unless_asked(self, world: World, client: Client) -> None:
        file = workbook(ROOM_HEAD[:4], [["3", "1", "101", 90]])

        answer = await send(
            client(world.at_site()), ROOMS, file, site=world.alpha.site_id, mode="check"
        )

        assert answer.json()["faults"][0]["code"] == "building-unknown"

    async def test_a_thousand_with_duplicates_are_all_told(
        self, world: World, client: Client
    ) -> None:
        rows = [[str(1 + n // 100), "1", str(n % 90), 90] for n in range(1_000)]

        answer = await send(
            client(world.at_site()),
            ROOMS,
            workbook(ROOM_HEAD[:4], rows),
            site=world.alpha.site_id,
            mode="check",
            options="create_parents",
        )

        report = answer.json()
        assert (report["rows"], report["valid"], report["faulty"]) == (1_000, 900, 100)
        assert len(report["faults"]) == 100


class TestTheReport:
    async def test_comes_back_corrected(self, world: World, client: Client) -> None:
        caller = client(world.at_site())
        caller.headers["Accept-Language"] = "zh-CN"
        file = workbook(ROOM_HEAD[:4], [["3", "1", "101", 90], ["3", "1", "102", "many"]])
        query = {"site_id": str(world.alpha.site_id), "options": "create_parents"}

        answer = await caller.post(f"{ROOMS}/report", params=query, content=file)

        sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0)
        rows = sheet.to_python()
        assert rows[0][:4] == ["行号", "原因", "楼栋 *", "单元"]
        assert rows[1][:6] == [
            3,
            "建筑面积：「many」不是数字，只写数字，不带单位和千分位。",
            "3",
            "1",
            "102",
            "many",
        ]
        corrected = workbook([str(one) for one in rows[0]], [[*rows[1][:5], "91.5"]])
        again = await send(
            caller, ROOMS, corrected, site=world.alpha.site_id, options="create_parents"
        )
        assert again.json()["added"] == 1


class TestTheTemplate:
    @pytest.mark.parametrize("path", [ROOMS, OWNERS, METERS, READINGS])
    @pytest.mark.parametrize("language", ["zh-CN", "en"])
    async def test_has_the_headings_that_the_import_takes(
        self, world: World, client: Client, path: str, language: str
    ) -> None:
        caller = client(world.at_site())
        caller.headers["Accept-Language"] = language

        template = await caller.get(f"{path}/template")
        answer = await send(caller, path, template.content, site=world.alpha.site_id)

        assert template.status_code == 200
        assert answer.json()["code"] == "sheet-empty"  # and no heading was unknown


class TestOwners:
    HEAD = ("房号", "姓名", "手机", "身份", "产权份额（%）", "开始日期", "缴费人")

    async def test_one_person_may_own_several_rooms(self, world: World, client: Client) -> None:
        async with world.unit() as ctx:
            await add_room(ctx, world.alpha.site_id, code="101")
            await add_room(ctx, world.alpha.site_id, building="2", code="102")
        rows: Rows = [
            ["1-1-101", "张伟", 13800005512, "业主", 100, "2024-01-01", None],
            ["2-1-102", "张伟", "13800005512", None, None, "2024-01-01", "否"],
            ["1-1-101", "李静", "", "租户", None, "2024-02-01", None],
        ]

        answer = await send(
            client(world.at_site()), OWNERS, workbook(self.HEAD, rows), site=world.alpha.site_id
        )

        assert answer.status_code == 200, answer.text
        assert answer.json()["added"] == 3
        async with world.unit() as ctx:
            held = (await ctx.session.execute(select(RoomParty))).scalars().all()
        assert len({one.party_id for one in held}) == 2
        assert sorted((one.role, one.is_payer) for one in held) == [
            ("owner", False),
            ("owner", True),
            ("tenant", False),
        ]

    async def test_tells_unknown_rooms_and_second_payers(
        self, world: World, client: Client
    ) -> None:
        async with world.unit() as ctx:
            await add_room(ctx, world.alpha.site_id, code="101")
        rows: Rows = [
            ["9-9-999", "张伟", "", None, None, "2024-01-01", None],
            ["1-1-101", "张伟", "", None, None, "2024-01-01", None],
            ["1-1-101", "李静", "", None, None, "2024-01-01", None],
            ["1-1-101", "张伟", "", None, None, "2024-01-01", None],
            ["1-1-101", "王敏", "", None, 140, "2024-01-01", "否"],
        ]

        answer = await send(
            client(world.at_site()),
            OWNERS,
            workbook(self.HEAD, rows),
            site=world.alpha.site_id,
            mode="check",
        )

        told = {one["row"]: one["code"] for one in answer.json()["faults"]}
        assert told[2] == "room-unknown"
        assert told[4] == "payer-already-set"
        assert told[5] == "role-already-held"
        assert set(told) == {2, 4, 5, 6}


class TestMeters:
    HEAD = ("表号", "类型", "位置", "倍率", "表位数", "起始读数", "安装日期")

    async def test_are_added_once(self, world: World, client: Client) -> None:
        async with world.unit() as ctx:
            await add_room(ctx, world.alpha.site_id, code="101")
        head = ("Meter number", "Kind", "Place", *self.HEAD[3:])
        rows: Rows = [
            ["E-1", "电", "1-1-101", 40, 5, 12.5, "2024-01-01"],
            [1001.0, "Water", "1-1", None, None, 0, "2024-01-01"],
            ["E-1", "electricity", "1", None, None, 0, "2024-01-01"],
            ["E-9", "steam", "1", None, None, 0, "2024-01-01"],
            ["E-8", "电", "1-1-999", None, 12, 0, "2024-01-01"],
            ["E-7", "电", "1", None, 12, 0, "2024-01-01"],
        ]

        answer = await send(
            client(world.at_site()),
            METERS,
            workbook(head, rows),
            site=world.alpha.site_id,
            mode="valid",
        )

        assert answer.json()["added"] == 2, answer.text
        assert {one["row"]: one["code"] for one in answer.json()["faults"]} == {
            4: "meter-number-taken",
            5: "choice-unknown",
            6: "place-unknown",
            7: "digits-unfit",
        }
        async with world.unit() as ctx:
            meters = (await ctx.session.execute(select(Meter))).scalars().all()
        assert {(one.no, one.multiplier, one.digits) for one in meters} == {
            ("E-1", Decimal(40), 5),
            ("1001", Decimal(1), 6),
        }


class TestReadings:
    HEAD = ("表号", "抄表日期", "读数")

    async def test_go_the_way_of_a_reading_that_is_typed_in(
        self, world: World, client: Client
    ) -> None:
        async with world.unit() as ctx:
            await add_meter(ctx, world.alpha.site_id, no="E-1")
        rows: Rows = [
            ["E-1", "2026-09-30", 100],
            ["E-1", "2026-10-31", 90],
            ["E-1", "2026-10-31", 210.5],
            ["E-1", "2026-10-31", 210.5],
            ["E-1", "2027-10-31", 300],
            ["E-2", "2026-10-31", 300],
            ["E-1", "2026-11-01", "12a"],
        ]

        answer = await send(
            client(world.at_site()),
            READINGS,
            workbook(self.HEAD, rows),
            site=world.alpha.site_id,
            mode="valid",
        )

        assert {one["row"]: one["code"] for one in answer.json()["faults"]} == {
            3: "reading-below-last",
            5: "reading-exists",
            6: "reading-in-future",
            7: "meter-unknown",
            8: "number-unreadable",
        }
        async with world.unit() as ctx:
            kept = (await ctx.session.execute(select(Reading))).scalars().all()
        assert sorted((one.value, one.source) for one in kept) == [
            (Decimal(100), ReadingSource.imported),
            (Decimal("210.5"), ReadingSource.imported),
        ]
        assert {one.state for one in kept} <= {ReadingState.verified, ReadingState.review}


def test_the_bound_fits_the_report() -> None:
    assert ROWS_MAX <= 10_000
