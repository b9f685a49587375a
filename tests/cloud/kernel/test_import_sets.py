"""Imports write in sets: as many statements for a thousand rows as for one, and told by row."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import event, func, select
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import AppError
from cloud.kernel.records import AuditRow
from cloud.kernel.sites import NoSites
from cloud.modules.customers.models import Party
from cloud.modules.metering import service as metering
from cloud.modules.metering.models import Reading, ReadingSource
from cloud.modules.metering.service import TakenOff
from cloud.modules.resources.models import Room, Space
from tests.cloud.kernel.test_imports import METERS, OWNERS, READINGS, ROOMS, Rows, send, workbook
from tests.cloud.metering.builders import add_meter
from tests.cloud.resources.builders import add_room
from tests.kit.client import client_of
from tests.kit.database import TestDatabase, endpoints_of
from tests.kit.world import World

Client = Callable[..., httpx.AsyncClient]
ROOM_HEAD = ("楼栋", "单元", "房屋", "建筑面积")
OWNER_HEAD = ("房号", "姓名", "手机", "开始日期")
METER_HEAD = ("表号", "类型", "位置", "起始读数", "安装日期")
READING_HEAD = ("表号", "抄表日期", "读数")
# Digits are padded in the key that orders rooms: these make it longer than its column.
UNFIT = "1a2b3c4d5e6f7g8h9i0j"


async def statements(world: World, caller: httpx.AsyncClient, path: str, file: bytes) -> int:
    said: list[str] = []

    def note(*arguments: Any) -> None:
        said.append(str(arguments[2]))

    connection = world.sessions.kw["bind"].sync_connection
    event.listen(connection, "before_cursor_execute", note)
    try:
        answer = await send(caller, path, file, site=world.alpha.site_id, options="create_parents")
    finally:
        event.remove(connection, "before_cursor_execute", note)
    assert answer.status_code == 200, answer.text
    return len(said)


def row_of(path: str, number: int, text: str) -> list[Any]:
    rows: dict[str, list[Any]] = {
        ROOMS: [f"B{text}", "1", str(number), 90],
        OWNERS: ["1-1-101", f"住户{text}{number}", "", "2024-01-01"],
        METERS: [f"M-{text}{number}", "电", "1-1-101", 0, "2024-01-01"],
        READINGS: [f"E-{number}", f"2026-10-{text}", number],
    }
    return rows[path]


class TestStatements:
    @pytest.mark.parametrize(
        ("path", "head"),
        [
            (ROOMS, ROOM_HEAD),
            (OWNERS, (*OWNER_HEAD, "身份")),
            (METERS, METER_HEAD),
            (READINGS, READING_HEAD),
        ],
    )
    async def test_are_as_many_for_more_rows(
        self, world: World, client: Client, path: str, head: tuple[str, ...]
    ) -> None:
        async with world.unit() as ctx:
            await add_room(ctx, world.alpha.site_id, code="101")
            for number in range(60):
                await add_meter(ctx, world.alpha.site_id, no=f"E-{number}")
        caller = client(world.at_site())

        def file(count: int, text: str) -> bytes:
            more = ["家庭成员"] if path == OWNERS else []
            return workbook(head, [[*row_of(path, n, text), *more] for n in range(count)])

        await statements(world, caller, path, file(2, "01"))  # what only the first one asks
        few = await statements(world, caller, path, file(2, "02"))
        many = await statements(world, caller, path, file(60, "03"))

        assert many == few
        assert few < 30


class TestAThousandRooms:
    async def test_with_duplicates_come_in_without_them(self, world: World, client: Client) -> None:
        caller = client(world.at_site())
        there = workbook(ROOM_HEAD, [["1", "1", str(n), 90] for n in range(50)])
        rows: Rows = [[str(1 + n // 100), "1", str(n % 90), 90] for n in range(1_000)]
        site = world.alpha.site_id
        await send(caller, ROOMS, there, site=site, options="create_parents")

        answer = await send(
            caller, ROOMS, workbook(ROOM_HEAD, rows), site=site, mode="valid",
            options="create_parents",
        )  # fmt: skip

        report = answer.json()
        assert (report["added"], report["faulty"]) == (850, 150)
        assert {one["code"] for one in report["faults"]} == {"space-already-exists"}
        known = [
            *range(2, 52),
            *(2 + 100 * house + n for house in range(10) for n in range(90, 100)),
        ]
        assert [one["row"] for one in report["faults"]] == sorted(known)

    async def test_leave_a_row_of_the_audit_trail_each(self, world: World, client: Client) -> None:
        file = workbook(ROOM_HEAD, [["3", str(n % 2), str(n), 90] for n in range(20)])

        await send(
            client(world.at_site()), ROOMS, file, site=world.alpha.site_id,
            options="create_parents",
        )  # fmt: skip

        async with world.unit() as ctx:
            found = await ctx.session.execute(
                select(AuditRow).where(col(AuditRow.subject_kind) == "resources.space")
            )
            rows = found.scalars().all()
            nodes = await ctx.session.execute(select(col(Space.id), col(Space.path)))
            paths = {node.id: node.path for node in nodes}
        assert Counter(row.action for row in rows) == {
            "resources.building.added": 1,
            "resources.unit.added": 2,
            "resources.room.added": 20,
        }
        assert all(row.after is not None and row.before is None for row in rows)
        assert {row.subject_id: (row.after or {})["path"] for row in rows} == paths


class TestWhatTheDatabaseRefuses:
    async def test_is_told_by_row_and_keeps_the_others(self, world: World, client: Client) -> None:
        rows: Rows = [
            [UNFIT, UNFIT, "1", 90],
            *(["3", "1", str(n), 90] for n in range(20)),
            [UNFIT, "1", "2", 90],
            ["3", "1", UNFIT, 90],
            ["3", "1", "1", 90],
            *(["4", "1", str(n), 90] for n in range(20)),
            ["4", UNFIT, UNFIT, 90],
            ["4", UNFIT, UNFIT, 90],
        ]

        answer = await send(
            client(world.at_site()), ROOMS, workbook(ROOM_HEAD, rows), site=world.alpha.site_id,
            mode="valid", options="create_parents",
        )  # fmt: skip

        report = answer.json()
        told = [(one["row"], one["field"], one["code"]) for one in report["faults"]]
        assert told == [
            (2, "", "row-unfit"),
            (25, "Room", "space-already-exists"),
            (46, "", "row-unfit"),
            (47, "", "row-unfit"),
        ]
        assert report["added"] == len(rows) - 4
        async with world.unit() as ctx:
            found = await ctx.session.execute(select(func.count()).select_from(Room))
            assert found.scalar_one() == len(rows) - 4

    async def test_takes_all_back_when_all_are_wanted(self, world: World, client: Client) -> None:
        rows: Rows = [["3", "1", "101", 90], [UNFIT, UNFIT, "1", 90]]

        answer = await send(
            client(world.at_site()), ROOMS, workbook(ROOM_HEAD, rows), site=world.alpha.site_id,
            options="create_parents",
        )  # fmt: skip

        assert (answer.status_code, answer.json()["code"]) == (422, "import-refused")
        assert answer.json()["errors"][0]["path"] == "rows.3"
        async with world.unit() as ctx:
            found = await ctx.session.execute(select(func.count()).select_from(Space))
            assert found.scalar_one() == 0

    async def test_may_be_a_number_that_another_community_has(
        self, world: World, client: Client
    ) -> None:
        async with world.unit() as ctx:
            await add_room(ctx, world.alpha.site_id, code="101")
        async with world.unit(world.at_other_site()) as ctx:
            await add_meter(ctx, world.alpha.other_site_id, no="M-7")
        rows: Rows = [[f"M-{n}", "电", "1-1-101", 0, "2024-01-01"] for n in range(20)]

        answer = await send(
            client(world.at_site()), METERS, workbook(METER_HEAD, rows),
            site=world.alpha.site_id, mode="valid",
        )  # fmt: skip

        report = answer.json()
        assert [(one["row"], one["code"]) for one in report["faults"]] == [(9, "row-exists")]
        assert report["added"] == 19


class TestTwoAtOnce:
    @pytest.mark.parametrize("mode", ["all", "valid"])
    async def test_import_the_same_file_once(
        self, committed: World, own_database: TestDatabase, tmp_path: Path, mode: str
    ) -> None:
        rooms = workbook(ROOM_HEAD, [["3", "1", str(n), 90] for n in range(200)])
        people = workbook(
            OWNER_HEAD, [[f"3-1-{n}", f"住户{n}", "", "2024-01-01"] for n in range(200)]
        )

        async def both(path: str, file: bytes) -> list[tuple[int, int, str]]:
            return sorted(
                await asyncio.gather(*(one(path, file, tmp_path / str(n)) for n in range(2)))
            )

        async def one(path: str, file: bytes, folder: Path) -> tuple[int, int, str]:
            async with client_of(
                endpoints_of(own_database), committed, committed.at_site(), sites=NoSites(),
                data_dir=folder,
            ) as caller:  # fmt: skip
                answer = await send(
                    caller, path, file, site=committed.alpha.site_id, mode=mode,
                    options="create_parents",
                )  # fmt: skip
            said = answer.json()
            codes = {fault["code"] for fault in said.get("faults") or said.get("errors") or ()}
            return answer.status_code, said.get("added", 0), ",".join(codes)

        told = [await both(ROOMS, rooms), await both(OWNERS, people)]

        refused = 422 if mode == "all" else 200
        assert told == [
            sorted([(200, 200, ""), (refused, 0, "space-already-exists")]),
            sorted([(200, 200, ""), (refused, 0, "role-already-held")]),
        ]
        async with committed.unit() as ctx:
            for model in (Room, Party):
                found = await ctx.session.execute(select(func.count()).select_from(model))
                assert found.scalar_one() == 200


class TestReadings:
    async def test_many_are_judged_as_one_after_the_other(self, world: World) -> None:
        async with world.unit() as ctx:
            apart = [await add_meter(ctx, world.alpha.site_id, no=f"A-{n}") for n in range(2)]
            together = [await add_meter(ctx, world.alpha.site_id, no=f"B-{n}") for n in range(2)]
            one_by_one = [
                await _alone(ctx, reading) for reading in _readings([each.id for each in apart])
            ]
            told = await metering.record_readings(
                ctx,
                readings=_readings([each.id for each in together]),
                source=ReadingSource.imported,
            )
            in_a_set = [_said(one) for one in told]

            assert in_a_set == one_by_one
            assert len({code for code, *_ in in_a_set}) >= 5
            kept = await ctx.session.execute(select(func.count()).select_from(Reading))
            assert kept.scalar_one() == 2 * sum(isinstance(one, Reading) for one in told)


def _readings(meters: list[UUID]) -> list[TakenOff]:
    """Days back and forth, values too low and too high, a day twice, and a day to come."""
    first = date(2026, 1, 5)
    shown = [
        (0, 10), (31, 40), (31, 40), (62, 35), (62, 70), (20, 30), (90, 9_000), (93, 75),
        (40, 90), (120, 160), (500, 170), (119, 100), (150, 1_000_000), (151, 99_990), (152, 12),
    ]  # fmt: skip
    return [
        TakenOff(meter, Decimal(value), first + timedelta(days))
        for days, value in shown
        for meter in meters
    ]


async def _alone(ctx: Ctx, reading: TakenOff) -> tuple[str, str]:
    try:
        told: Reading | AppError = await metering.record_reading(
            ctx, **vars(reading), source=ReadingSource.imported
        )
        await ctx.session.flush()
    except AppError as error:
        told = error
    return _said(told)


def _said(told: Reading | AppError) -> tuple[str, str]:
    if isinstance(told, AppError):
        return told.code, str({**told.params, "no": ""})
    return str(told.state), f"{told.value} {told.read_at} {told.reason} {told.reading_on}"
