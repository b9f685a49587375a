"""What holds for every route: who is let in, whose rows it reaches, how much it asks for."""

from __future__ import annotations

import types
import typing
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from annotated_types import MinLen
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy import event

from cloud.kernel.auth import CSRF_HEADER
from cloud.kernel.db import uuid7
from tests.architecture.web import address, bodies, composed, dependencies, routes_of
from tests.cloud.stage import Stage, client_of, person_of, rows_of, staged
from tests.kit.database import TestDatabase
from tests.kit.world import World

# Tried in every field besides the kind that it wants.
OTHER_KINDS = ("organization_unit", "resources_room", "charging_bill")
# A list that is asked for a foreign record answers that there is nothing.
EMPTY = ('"total":0', '"items":[]')
# Refused for what they say, whoever's ids they name.
NO_RECORDS_NAMED = {
    "POST /api/v1/session",
    "PUT /api/v1/session/locale",
    "PUT /api/v1/session/password",
}


@dataclass(frozen=True)
class Caller:
    client: httpx.AsyncClient
    own_site: UUID
    foreign: dict[str, Any]  # table → id of one of its rows


@pytest.fixture(scope="module")
async def stage(
    database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    async with staged(database, tmp_path_factory.mktemp("data")) as made:
        yield made


@pytest.fixture(params=["another company", "another community"])
async def caller(
    request: pytest.FixtureRequest, stage: Stage, tmp_path: Path
) -> AsyncIterator[Caller]:
    foreign = await rows_of(stage, stage.ids["site:LT"])
    if request.param == "another company":
        principal, own = stage.alpha, stage.alpha_site
    else:
        own = stage.ids["site:YS"]
        principal = person_of(stage, own)
    async with client_of(stage, principal, tmp_path) as client:
        yield Caller(client=client, own_site=own, foreign=foreign)


def sample(annotation: Any, metadata_: list[Any], foreign: Any) -> Any:
    """A value that the field takes; every id in it is the foreign one."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return sample(arguments[0], [*metadata_, *arguments[1:]], foreign)
    if origin in {typing.Union, types.UnionType}:
        return sample(next(one for one in arguments if one is not type(None)), [], foreign)
    if origin is typing.Literal:
        return arguments[0]
    if origin is dict:
        return {}
    if origin in {list, tuple}:
        return [sample(arguments[0], [], foreign)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation)).value
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return sample_body(annotation, foreign)
    length = max([one.min_length for one in metadata_ if isinstance(one, MinLen)], default=1)
    plain: dict[Any, Any] = {
        UUID: str(foreign),
        str: "x" * length,
        int: 1,
        bool: False,
        Decimal: "1.00",
        date: "2026-11-01",
    }
    return plain[annotation]


def sample_body(model: type[BaseModel], foreign: Any) -> dict[str, Any]:
    return {
        field.alias or name: sample(field.annotation, list(field.metadata), foreign)
        for name, field in model.model_fields.items()
        if field.is_required() or UUID in _flat(field.annotation)
    }


def _flat(annotation: Any) -> set[Any]:
    inner = typing.get_args(annotation)
    return {annotation} | {found for one in inner for found in _flat(one)}


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    json: dict[str, Any] | None


def requests_of(route: APIRoute, own_site: UUID, foreign: Any) -> Iterator[Request]:
    """The route with the foreign id in each of its id fields in turn, then in its body."""
    method = min(route.methods or {"GET"})
    dependants = [route.dependant, *dependencies(route.dependant)]
    ids = [
        param.alias
        for each in dependants
        for param in each.path_params
        if param.field_info.annotation in {UUID, int}
    ]
    days = [
        param.alias
        for each in dependants
        for param in each.path_params
        if param.field_info.annotation is date
    ]
    questions = [
        param.alias
        for each in dependants
        for param in each.query_params
        if UUID in _flat(param.field_info.annotation)
    ]
    models = [one for one in bodies(route) if issubclass(one, BaseModel)]
    body = sample_body(models[0], foreign) if models else None
    for target in ids:
        values: dict[str, Any] = dict.fromkeys(route.param_convertors, "x")
        values |= dict.fromkeys(days, "2026-11-01")
        values |= {name: own_site if name == "site_id" else foreign for name in ids}
        values[target] = foreign
        yield Request(method, route.path.format(**values), body)
    if not ids and body is not None and str(foreign) in str(body):
        yield Request(method, route.path, body)
    for question in questions:
        yield Request(method, f"{route.path}?{question}={foreign}", body)


def is_wrong(response: httpx.Response) -> bool:
    if response.status_code >= 500:
        return True
    if response.is_success:
        return not any(sign in response.text.replace(" ", "") for sign in EMPTY)
    return False


def routes() -> list[APIRoute]:
    return [
        route
        for route in routes_of(composed())
        if route.path.startswith("/api/") and address(route) not in NO_RECORDS_NAMED
    ]


def tables_for(route: APIRoute, tables: typing.Iterable[str]) -> list[str]:
    """Those that the route's own ids name, and some of other kinds; a point is a number."""
    if "{point}" in route.path:
        return ["point"]
    nouns = {name.removesuffix("_id") for name in route.param_convertors}
    fitting = [name for name in tables if any(name.endswith(f"_{noun}") for noun in nouns)]
    return sorted({*fitting, *OTHER_KINDS})


async def answers(
    caller: Caller, chosen: list[APIRoute]
) -> AsyncIterator[tuple[APIRoute, Request, httpx.Response]]:
    for route in chosen:
        for table in tables_for(route, caller.foreign):
            for request in requests_of(route, caller.own_site, caller.foreign[table]):
                headers = {"Idempotency-Key": str(uuid7())}
                yield (
                    route,
                    request,
                    await caller.client.request(
                        request.method, request.url, json=request.json, headers=headers
                    ),
                )


class TestForeignIds:
    async def test_reach_nothing(self, caller: Caller) -> None:
        wrong, told_apart = [], set[str]()
        async for route, request, response in answers(caller, routes()):
            if is_wrong(response):
                wrong.append(f"{request} {response.status_code} {response.text[:200]}")
            if response.status_code in {403, 404, 409} or response.is_success:
                told_apart.add(address(route))

        assert not wrong, "\n" + "\n".join(wrong)
        assert shape_only(told_apart) == set()

    async def test_own_ids_would_have_been_noticed(self, stage: Stage, tmp_path: Path) -> None:
        site_id = stage.ids["site:LT"]
        async with client_of(stage, person_of(stage, site_id), tmp_path) as client:
            mine = Caller(client, site_id, await rows_of(stage, site_id))
            reading = [
                route
                for route in routes()
                if route.methods == {"GET"} and route.response_model is not None
            ]
            seen = [
                route.path
                async for route, _, response in answers(mine, reading)
                if is_wrong(response)
            ]

        assert {
            "/api/v1/charging/bills",
            "/api/v1/charging/bills/{bill_id}",
            "/api/v1/receiving/receipts/{receipt_id}",
            "/api/v1/devices/points/{point}/history",
        } <= set(seen)

    async def test_the_stage_has_rows_of_every_kind(self, stage: Stage) -> None:
        found = set(await rows_of(stage, stage.ids["site:LT"]))

        assert {"charging_bill", "receiving_receipt", "metering_meter", "ledger_entry"} <= found
        assert {"resources_room", "customers_party", "devices_device", "charging_run"} <= found


def shape_only(told_apart: set[str]) -> set[str]:
    """Routes that name records and were only ever refused for the shape of what was sent."""
    naming = {
        address(route)
        for route in routes()
        if any(True for _ in requests_of(route, uuid7(), 1 if "{point}" in route.path else uuid7()))
    }
    return naming - told_apart


Clients = typing.Callable[..., httpx.AsyncClient]
# Refused before anybody asks who calls: their answer is for everybody, see test_routes.PUBLIC.
OPEN = {"GET /api/v1/session/public", "POST /api/v1/session", "DELETE /api/v1/session"}
OF_ONESELF = {
    "GET /api/v1/ui/preferences/{code}",
    "PUT /api/v1/ui/preferences/{code}",
    "POST /api/v1/ui/preferences/{code}/views",
    "DELETE /api/v1/ui/preferences/{code}/views/{view_id}",
    "GET /api/v1/search",
    "GET /api/v1/session",
    "PUT /api/v1/session/locale",
    "PUT /api/v1/session/password",
    "GET /api/v1/ui/pages/{code}",
    "GET /api/v1/ui/pages/{code}/export",
    "GET /api/v1/ui/exports",
    "GET /api/v1/ui/pages/{code}/import/template",
    "POST /api/v1/ui/pages/{code}/import",
    "POST /api/v1/ui/pages/{code}/import/report",
    "GET /api/v1/ui/exports/{export_id}",
    "GET /api/v1/ui/exports/{export_id}/file",
}


def first_request(route: APIRoute) -> Request:
    """The route with made-up ids and no body: whoever may not enter is not told what is missing."""
    values = {name: 1 if name == "point" else uuid7() for name in route.param_convertors}
    return Request(min(route.methods or {"GET"}), route.path.format(**values), None)


async def refusals(client: httpx.AsyncClient, but: set[str]) -> dict[str, str]:
    found = {}
    for route in routes_of(composed()):
        if not route.path.startswith("/api/") or address(route) in but:
            continue
        request = first_request(route)
        response = await client.request(request.method, request.url)
        code = response.json().get("code") if response.status_code >= 400 else "let in"
        found[address(route)] = f"{response.status_code} {code}"
    return found


class TestStrangers:
    async def test_are_let_in_nowhere(self, client: Clients, world: World) -> None:
        stranger = client(world.headquarters())
        stranger.cookies.clear()

        assert set((await refusals(stranger, OPEN)).values()) == {"401 unauthenticated"}


class TestThePowerless:
    async def test_may_call_nothing_but_their_own_session(
        self, client: Clients, world: World
    ) -> None:
        powerless = client(world.at_site(permissions=()))

        found = await refusals(powerless, OPEN | OF_ONESELF)

        assert set(found.values()) == {"403 permission-missing"}


class TestAnotherPage:
    async def test_can_write_nothing(self, client: Clients, world: World) -> None:
        forged = client(world.headquarters())
        del forged.headers[CSRF_HEADER]
        reading = {address(r) for r in routes_of(composed()) if r.methods == {"GET"}}

        found = await refusals(forged, OPEN | reading)

        assert found
        assert set(found.values()) == {"403 csrf-token-wrong"}


class TestLists:
    async def test_take_no_more_statements_for_more_rows(
        self, stage: Stage, tmp_path: Path
    ) -> None:
        lists = [route for route in routes() if is_list(route)]
        grown, rows = {}, {}
        person = person_of(stage, stage.ids["site:LT"])
        async with client_of(stage, person, tmp_path) as client:
            for route in lists:
                await client.get(f"{route.path}?size=1")
                one = await counted(stage, client, f"{route.path}?size=1")
                many = await counted(stage, client, f"{route.path}?size=200")
                rows[route.path] = many.rows
                if many.statements > one.statements or many.statements > STATEMENTS_MAX:
                    grown[route.path] = (one.statements, many.statements)

        assert grown == {}
        assert sum(1 for count in rows.values() if count > 1) > len(lists) // 2


STATEMENTS_MAX = 6


def is_list(route: APIRoute) -> bool:
    answer = route.response_model
    return isinstance(answer, type) and {"items", "total"} <= set(
        getattr(answer, "model_fields", {})
    )


@dataclass(frozen=True)
class Counted:
    statements: int
    rows: int


async def counted(stage: Stage, client: httpx.AsyncClient, url: str) -> Counted:
    """How many statements of its own a request takes: the transaction's frame is left out."""
    said: list[str] = []

    def note(*arguments: Any) -> None:
        said.append(str(arguments[2]))

    connection = stage.sessions.kw["bind"].sync_connection
    event.listen(connection, "before_cursor_execute", note)
    try:
        response = await client.get(url)
    finally:
        event.remove(connection, "before_cursor_execute", note)
    assert response.status_code == 200, response.text
    frame = ("SAVEPOINT", "RELEASE", "SET CONSTRAINTS", "SELECT set_config")
    own = [line for line in said if not line.strip().startswith(frame)]
    return Counted(len(own), len(response.json()["items"]))
