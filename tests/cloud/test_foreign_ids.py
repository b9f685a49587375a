"""Ids of another community and of another company, in every id field of every route."""

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
from sqlalchemy import select, text

from actors.functions import Functions
from cloud.kernel.auth import CSRF_HEADER, SESSION_COOKIE, csrf_token
from cloud.kernel.context import Ctx, Principal
from cloud.kernel.db import Scope, Sessions, uuid7
from cloud.kernel.runtime import Runtime
from cloud.kernel.settings import Settings
from cloud.kernel.sites import Ask, Sites
from cloud.kernel.uow import unit_of_work
from cloud.main import MODULES, compose, make_seeding, metadata, runtime, vocabulary
from cloud.modules.accounts.queries import AccountsAuthenticator
from tests.architecture.web import address, bodies, composed, dependencies, routes_of
from tests.kit.client import TOKEN, OnePerson
from tests.kit.database import TestDatabase, endpoints_of, rolled_back
from tests.kit.world import build_world

ROOMS = 4
COMMUNITIES = ("LT", "YS")
# Tried in every field besides the kind that it wants.
OTHER_KINDS = ("organization_unit", "resources_room", "charging_bill")
# A list that is asked for a foreign record answers that there is nothing.
EMPTY = ('"total":0', '"items":[]')
# Refused for what they say, whoever's ids they name.
NO_RECORDS_NAMED = {"POST /api/v1/session", "PUT /api/v1/session/locale"}


class HostHere(Sites):
    """A host in this process: the same functions, scope and checks, without broker and queue."""

    def __init__(self, running: Runtime) -> None:
        self._running = running
        functions = (function for module in MODULES for function in module.functions)
        self._functions = Functions(running, functions)

    async def ask(self, ask: Ask) -> dict[str, Any]:
        principal = await self._running.authenticator.by_user(ask.principal_id)
        assert principal is not None
        ancestors = await self._running.authenticator.ancestors(principal.company_id, ask.site_id)
        answer, _ = await self._functions.call(ask, ancestors=ancestors, fence=_unfenced)
        return answer


async def _unfenced(ctx: Ctx) -> None:
    del ctx


@dataclass(frozen=True)
class Caller:
    client: httpx.AsyncClient
    own_site: UUID
    foreign: dict[str, Any]  # table → id of one of its rows


@dataclass(frozen=True)
class Stage:
    """A demo company with rows of every kind, and alpha, which has none of them."""

    database: TestDatabase
    sessions: Sessions
    running: Runtime
    ids: dict[str, UUID]
    company_id: UUID
    alpha_site: UUID
    alpha: Principal


@pytest.fixture(scope="module")
async def stage(
    database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    async with rolled_back(database) as sessions:
        running = runtime(
            settings=Settings(data_dir=tmp_path_factory.mktemp("data")),
            endpoints=endpoints_of(database),
        )
        running.sessions = sessions
        running.authenticator = AccountsAuthenticator(sessions)
        seeding = make_seeding(running, password="long-enough")
        sites = [s for s in seeding.community["sites"] if s["code"] in COMMUNITIES]
        for site in seeding.community["sites"]:
            site["rooms"] = site["rooms"][:ROOMS] if site in sites else site["rooms"][:1]
        for module in MODULES:
            if module.seed is not None:
                await module.seed(seeding)
        world = await build_world(sessions)
        yield Stage(
            database=database,
            sessions=sessions,
            running=running,
            ids=seeding.ids,
            company_id=seeding.ids["company"],
            alpha_site=world.alpha.site_id,
            alpha=world.at_site(),
        )


def client_of(stage: Stage, principal: Principal, data_dir: Path) -> httpx.AsyncClient:
    running = runtime(settings=Settings(data_dir=data_dir), endpoints=endpoints_of(stage.database))
    running.sessions = stage.sessions
    running.bus = stage.running.bus
    running.authenticator = OnePerson(principal, AccountsAuthenticator(stage.sessions))
    running.sites = HostHere(running)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=compose(running), raise_app_exceptions=False),
        base_url="http://wuye.test",
        cookies={SESSION_COOKIE: TOKEN},
        headers={CSRF_HEADER: csrf_token(TOKEN), "Accept-Language": "en"},
    )


async def rows_of(stage: Stage, site_id: UUID) -> dict[str, Any]:
    """One row's id of every table that has rows of the community."""
    everything = Principal(
        company_id=stage.company_id,
        org_id=stage.company_id,
        scope=Scope(company_id=stage.company_id, all=True),
    )
    found = {}
    async with unit_of_work(stage.sessions, everything, bus=stage.running.bus) as ctx:
        for table in metadata().sorted_tables:
            key = "point_no" if "point_no" in table.primary_key.columns else "id"
            if not {key, "org_id"} <= set(table.columns.keys()):
                continue
            statement = select(table.c[key]).where(table.c.org_id == site_id).limit(1)
            row = (await ctx.session.execute(statement)).scalar_one_or_none()
            if row is not None:
                found[table.name] = row
        points = text("SELECT point_no FROM devices_point WHERE org_id = :site LIMIT 1")
        found["point"] = (await ctx.session.execute(points, {"site": site_id})).scalar_one()
    return found


def person_of(stage: Stage, site_id: UUID) -> Principal:
    """Somebody of one community of the demo company who may do everything there."""
    above = (stage.company_id, stage.ids["region:HD"], stage.ids["region:HB"])
    return Principal(
        id=uuid7(),
        company_id=stage.company_id,
        org_id=site_id,
        scope=Scope(
            company_id=stage.company_id, read_orgs=(*above, site_id), write_orgs=(site_id,)
        ),
        permissions=vocabulary(),
    )


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
    questions = [
        param.alias
        for each in dependants
        for param in each.query_params
        if UUID in _flat(param.field_info.annotation)
    ]
    models = [one for one in bodies(route) if issubclass(one, BaseModel)]
    body = sample_body(models[0], foreign) if models else None
    for target in ids:
        values = {name: own_site if name == "site_id" else foreign for name in ids}
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
