"""Who may call each route, and what every route owes: one transaction, a shape, an address."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from cloud.kernel.context import Ctx
from cloud.kernel.http import AnyoneLoggedIn, CurrentPrincipal, allow, current_ctx
from cloud.kernel.turns import TurnDoor, turn
from cloud.kernel.ui.render import permission_of
from cloud.main import MODULES, vocabulary
from tests.architecture.web import (
    address,
    asks_who,
    bodies,
    composed,
    dependencies,
    routes_of,
    transactions,
)

PUBLIC = {
    "GET /healthz": "a supervisor asks before anybody can log in",
    "GET /api/v1/session/public": "what the login page shows",
    "POST /api/v1/session": "logging in",
    "DELETE /api/v1/session": "ending a session that may have ended already",
    "GET /assets/{path:path}": "the office's files hold no data",
    "GET /{path:path}": "the office's page holds no data",
    "GET /dashboards/{path:path}": "handed on to the dashboards' process, whose gate asks who",
}
LOGGED_IN = {
    "GET /api/v1/session": "the caller's own facts",
    "PUT /api/v1/session/locale": "the caller's own language",
    "PUT /api/v1/session/password": "the caller's own password",
    "GET /api/v1/ui/preferences/{code}": "the caller's own columns and views",
    "PUT /api/v1/ui/preferences/{code}": "the caller's own columns",
    "POST /api/v1/ui/preferences/{code}/views": "the caller's own views",
    "DELETE /api/v1/ui/preferences/{code}/views/{view_id}": "the caller's own views",
    "GET /api/v1/search": "each source carries its permission, checked inside",
    "GET /api/v1/ui/pages/{code}": "the page's own route carries the permission, checked inside",
    "GET /openapi.json": "the shape of the interface, no data",
    "GET /api/v1/ui/pages/{code}/export": "the list's own route carries the permission",
    "GET /api/v1/ui/exports": "the caller's own exports",
    "GET /api/v1/ui/pages/{code}/import/template": "the import's own permission, checked inside",
    "POST /api/v1/ui/pages/{code}/import": "the import's own permission, checked inside",
    "POST /api/v1/ui/pages/{code}/import/report": "the import's own permission, checked inside",
    "GET /api/v1/ui/exports/{export_id}": "the caller's own export",
    "GET /api/v1/ui/exports/{export_id}/file": "the caller's own export, of a list still theirs",
}
# Addresses outside /api/v1/<module>: the platform's own.
PLATFORM = {
    "GET /healthz",
    "GET /openapi.json",
    "GET /assets/{path:path}",
    "GET /dashboards/{path:path}",
    "GET /{path:path}",
}
ADDRESSED_OTHERWISE = {
    "GET /api/v1/session": "accounts: the session is nobody's module",
    "PUT /api/v1/session/locale": "accounts",
    "PUT /api/v1/session/password": "accounts",
    "GET /api/v1/ui/preferences/{code}": "the kernel",
    "PUT /api/v1/ui/preferences/{code}": "the kernel",
    "POST /api/v1/ui/preferences/{code}/views": "the kernel",
    "DELETE /api/v1/ui/preferences/{code}/views/{view_id}": "the kernel",
    "GET /api/v1/search": "organization: the search goes over every module",
    "POST /api/v1/session": "accounts",
    "DELETE /api/v1/session": "accounts",
    "GET /api/v1/session/public": "accounts",
    "GET /api/v1/ui/pages/{code}": "the kernel",
}
NO_JSON = {
    "GET /openapi.json": "the document itself",
    "GET /assets/{path:path}": "files",
    "GET /{path:path}": "a page",
    "GET /dashboards/{path:path}": "pages and their files",
    "DELETE /api/v1/session": "204",
    "GET /api/v1/devices/live/stream": "text/event-stream",
    "GET /api/v1/ui/pages/{code}/export": "a workbook",
    "GET /api/v1/ui/pages/{code}/import/template": "a workbook",
    "POST /api/v1/ui/pages/{code}/import/report": "a workbook",
    "GET /api/v1/ui/exports/{export_id}/file": "a workbook",
    "GET /api/v1/charging/bills/{bill_id}/print": "application/pdf",
    "GET /api/v1/receiving/receipts/{receipt_id}/print": "application/pdf",
}
# Writes below these addresses move money, so a repeated Idempotency-Key answers from the store.
MONEY = ("/api/v1/receiving/",)
MOVES_NOTHING = {
    "POST /api/v1/receiving/rooms/{room_id}/transfer/trial": "a trial changes nothing",
    "POST /api/v1/receiving/methods": "a master",
    "PATCH /api/v1/receiving/methods/{method_id}": "a master",
    "POST /api/v1/receiving/methods/{method_id}/switch": "a master",
    "POST /api/v1/receiving/deposit-items": "a master",
    "PATCH /api/v1/receiving/deposit-items/{item_id}": "a master",
    "POST /api/v1/receiving/deposit-items/{item_id}/switch": "a master",
}


def unguarded(route: APIRoute) -> Iterator[str]:
    name = address(route)
    permission = permission_of(route.dependant)
    if permission is not None:
        if name in PUBLIC or name in LOGGED_IN:
            yield f"{name} is listed as open and asks for {permission}"
        if not asks_who(route):
            yield f"{name} asks for {permission} of nobody"
    elif asks_who(route):
        if name not in LOGGED_IN:
            yield f"{name} is open to everybody who is logged in, and nothing says why"
    elif name not in PUBLIC:
        yield f"{name} is open to the world, and nothing says why"


def loose(route: APIRoute) -> Iterator[str]:
    opened = transactions(route)
    for child in opened:
        if child.scope != "function":
            yield f"{address(route)} commits after it has answered"
    if TurnDoor.__name__ in _answers(route) and opened:
        yield f"{address(route)} asks a site while it holds a transaction"


def _answers(route: APIRoute) -> set[str]:
    """What its dependencies hand to the route, by name: annotations here are text."""
    return {
        str(getattr(child.call, "__annotations__", {}).get("return"))
        for child in dependencies(route.dependant)
    }


def misshapen(route: APIRoute) -> Iterator[str]:
    name = address(route)
    if name not in PLATFORM | ADDRESSED_OTHERWISE.keys():
        tags = [str(tag) for tag in route.tags]
        if len(tags) != 1 or not route.path.startswith(f"/api/v1/{tags[0]}/"):
            yield f"{name} does not stand below /api/v1/<its module>, its tags are {tags}"
    if name not in NO_JSON and route.response_model is None:
        yield f"{name} does not say what it answers"
    for body in bodies(route):
        if issubclass(body, BaseModel) and body.model_config.get("extra") != "forbid":
            yield f"{name}: {body.__name__} takes fields that it does not know"
    moves = route.path.startswith(MONEY) and "GET" not in (route.methods or ())
    if moves and name not in MOVES_NOTHING and not getattr(route.endpoint, "idempotent", False):
        yield f"{name} moves money and is not idempotent"


def complaints(holder: Any) -> list[str]:
    return [
        line
        for route in routes_of(holder)
        for check in (unguarded, loose, misshapen)
        for line in check(route)
    ]


class TestTheRoutes:
    def test_are_all_found(self) -> None:
        described = {
            f"{method.upper()} {path}"
            for path, methods in composed().openapi()["paths"].items()
            for method in methods
        }

        assert described
        assert described - {address(route) for route in routes_of(composed())} == set()

    def test_are_guarded_and_shaped(self) -> None:
        assert complaints(composed()) == []

    def test_have_one_operation_id_each(self) -> None:
        ids = [route.unique_id for route in routes_of(composed()) if route.include_in_schema]

        assert len(ids) == len(set(ids))

    def test_are_listed_as_exceptions_only_when_they_exist(self) -> None:
        known = {address(route) for route in routes_of(composed())}
        listed = {*PUBLIC, *LOGGED_IN, *PLATFORM, *ADDRESSED_OTHERWISE, *NO_JSON, *MOVES_NOTHING}

        assert listed - known == set()


class TestThePermissions:
    def test_are_each_asked_for_somewhere(self) -> None:
        asked = {permission_of(route.dependant) for route in routes_of(composed())}
        asked |= {function.permission.value for module in MODULES for function in module.functions}

        assert vocabulary() - asked == set()

    def test_are_all_in_a_modules_vocabulary(self) -> None:
        asked = {permission_of(route.dependant) for route in routes_of(composed())} - {None}

        assert asked - vocabulary() == set()

    def test_are_named_after_their_module(self) -> None:
        wrong = [
            permission.value
            for module in MODULES
            for permission in module.permissions or ()
            if not is_well_named(permission.value, module.name)
        ]

        assert wrong == []


def is_well_named(permission: str, module: str) -> bool:
    """`module.resource:action`."""
    head, _, action = permission.partition(":")
    owner, _, resource = head.partition(".")
    return owner == module and resource.isidentifier() and action.isidentifier()


class Sample(StrEnum):
    bill_read = "sample.bill:read"


class Loose(BaseModel):
    amount: int


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: int


ReadBills = Annotated[Ctx, allow(Sample.bill_read)]
LateCommit = Annotated[Ctx, Depends(current_ctx)]
AskBills = Annotated[TurnDoor, turn(Sample.bill_read)]

router = APIRouter(tags=["sample"])


@router.get("/api/v1/sample/good", response_model=Answer)
async def good(ctx: ReadBills) -> Any:
    return ctx


@router.get("/api/v1/sample/world", response_model=Answer)
async def open_to_the_world() -> Any:
    return {}


@router.get("/api/v1/sample/anyone", response_model=Answer)
async def open_to_anyone(ctx: AnyoneLoggedIn) -> Any:
    return ctx


@router.get("/api/v1/sample/principal", response_model=Answer)
async def names_only_the_caller(principal: CurrentPrincipal) -> Any:
    return principal


@router.get("/api/v1/sample/late", response_model=Answer)
async def commits_late(ctx: LateCommit, _: ReadBills) -> Any:
    return ctx


@router.post("/api/v1/sample/both", response_model=Answer)
async def asks_inside(ctx: ReadBills, door: AskBills) -> Any:
    return ctx, door


@router.get("/api/v1/other/here", response_model=Answer)
async def stands_elsewhere(ctx: ReadBills) -> Any:
    return ctx


@router.get("/api/v1/sample/silent")
async def says_no_shape(ctx: ReadBills):  # type: ignore[no-untyped-def]
    return ctx


@router.post("/api/v1/sample/lenient", response_model=Answer)
async def takes_anything(ctx: ReadBills, body: Loose) -> Any:
    return ctx, body


money = APIRouter(tags=["receiving"])


@money.post("/api/v1/receiving/receipts", response_model=Answer)
async def pays_twice(ctx: ReadBills, body: Answer) -> Any:
    return ctx, body


SEEN = {
    "/world": "open to the world",
    "/anyone": "open to everybody who is logged in",
    "/principal": "open to everybody who is logged in",
    "/late": "commits after it has answered",
    "/both": "asks a site while it holds a transaction",
    "/here": "does not stand below",
    "/silent": "does not say what it answers",
    "/lenient": "takes fields that it does not know",
    "/receipts": "is not idempotent",
}


class TestSeenRed:
    @pytest.mark.parametrize("ending", SEEN)
    def test_each_fault_is_said(self, ending: str) -> None:
        app = FastAPI(openapi_url=None)
        app.include_router(router)
        app.include_router(money)

        said = [line for line in complaints(app) if f"{ending} " in line or f"{ending}:" in line]

        assert any(SEEN[ending] in line for line in said)

    def test_the_right_form_passes(self) -> None:
        app = FastAPI(openapi_url=None)
        app.include_router(router)

        assert [line for line in complaints(app) if "/good" in line] == []

    @pytest.mark.parametrize(
        "permission", ["bill:read", "other.bill:read", "sample.bill", "sample.bill:", "sample:read"]
    )
    def test_a_permission_with_another_name(self, permission: str) -> None:
        assert not is_well_named(permission, "sample")
