"""A small module of the tests' own: routes whose effects the kernel's promises can be read from."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import String, bindparam, func, select, text

from cloud.kernel.auth import CSRF_HEADER, SESSION_COOKIE, csrf_token
from cloud.kernel.context import Ctx, Principal
from cloud.kernel.errors import FieldError, Unprocessable
from cloud.kernel.hot import Hot
from cloud.kernel.http import allow, current_ctx, idempotent
from cloud.kernel.listing import Listed
from cloud.kernel.numbering import next_number
from cloud.kernel.settings import Settings
from cloud.kernel.sites import NoSites, Sites
from cloud.kernel.turns import TurnDoor, turn
from cloud.kernel.web import Office, make_app
from cloud.main import runtime
from cloud.modules.accounts.queries import AccountsAuthenticator
from cloud.modules.organization.models import Unit
from tests.kit.client import TOKEN, OnePerson
from tests.kit.database import TestDatabase, endpoints_of
from tests.kit.world import World


class Abandoned(Exception):
    """The business transaction fails after it has done its work."""


@asynccontextmanager
async def abandoned(world: World) -> AsyncIterator[Ctx]:
    """A unit of work that fails at its end."""
    with contextlib.suppress(Abandoned):
        async with world.unit() as ctx:
            yield ctx
            raise Abandoned


class ProbePermission(StrEnum):
    pay = "probe.payment:add"
    never = "probe.payment:never"


PROBE = frozenset({ProbePermission.pay.value})

Pay = Annotated[Ctx, allow(ProbePermission.pay)]
Never = Annotated[Ctx, allow(ProbePermission.never)]
PayInTurn = Annotated[TurnDoor, turn(ProbePermission.pay)]
# What FastAPI does by default: the COMMIT comes after the answer.
PayLate = Annotated[Ctx, Depends(current_ctx)]


class AmountTooLarge(Unprocessable):
    message = "At most {limit} can be paid here."


class Payment(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Annotated[Decimal, Field(gt=0, decimal_places=2)]


class PaymentRead(BaseModel):
    number: str
    amount: Decimal


_HANG_UP = Hot(select(func.pg_terminate_backend(func.pg_backend_pid())), bool)
_REFUSE = Hot(select(func.probe_refuse(bindparam("sqlstate", type_=String()))), str)

router = APIRouter(prefix="/api/v1/probe", tags=["probe"])


@router.post("/payments", response_model=PaymentRead, status_code=201)
@idempotent(PaymentRead, status=201)
async def pay(ctx: Pay, payment: Payment) -> Any:
    return await _pay(ctx, payment)


@router.post("/refunds", response_model=PaymentRead, status_code=201)
@idempotent(PaymentRead, status=201)
async def refund(ctx: Pay, payment: Payment) -> Any:
    return await _pay(ctx, payment)


async def _pay(ctx: Ctx, payment: Payment) -> dict[str, Any]:
    number = await next_number(ctx, org_id=ctx.principal.org_id, series="SK")
    if payment.amount > 1000:
        raise AmountTooLarge(
            limit=1000, fields=(FieldError("amount", "less_than_equal", {"le": 1000}),)
        )
    return {"number": number, "amount": payment.amount}


@router.post("/twins", response_model=None)
async def add_twins(ctx: Pay) -> dict[str, bool]:
    return await _twins(ctx)


@router.post("/twins-late", response_model=None)
async def add_twins_late(ctx: PayLate) -> dict[str, bool]:
    return await _twins(ctx)


async def _twins(ctx: Ctx) -> dict[str, bool]:
    """Two rows that a constraint refuses only when the transaction ends."""
    await ctx.session.execute(text("INSERT INTO probe_twin VALUES (1), (1)"))
    return {"ok": True}


@router.post("/doomed", response_model=None)
async def add_doomed(ctx: Pay) -> dict[str, bool]:
    """A row that the database refuses at the end of the transaction, for no reason we know."""
    await ctx.session.execute(text("INSERT INTO probe_doomed VALUES (1)"))
    return {"ok": True}


@router.get("/units/{unit_id}", response_model=None)
async def read_unit(ctx: Pay, unit_id: UUID) -> dict[str, str]:
    unit = await ctx.get(Unit, unit_id)
    return {"name": unit.name}


@router.get("/forbidden", response_model=None)
async def read_forbidden(ctx: Never) -> dict[str, str]:
    return {"name": ctx.principal.name}


@router.get("/broken", response_model=None)
async def read_broken(ctx: Pay) -> dict[str, str]:
    raise RuntimeError(f"a bug that {ctx.principal.name} ran into")


@router.get("/states/{sqlstate}", response_model=None)
async def read_state(ctx: Pay, sqlstate: str) -> dict[str, str]:
    """The database refuses with the given state."""
    await ctx.session.execute(
        text("SELECT set_config('probe.state', :state, true)"), {"state": sqlstate}
    )
    await ctx.session.execute(
        text(
            "DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE ="
            " current_setting('probe.state'); END $$"
        )
    )
    return {}


@router.get("/hung-up", response_model=None)
async def read_hung_up(ctx: Pay) -> dict[str, str]:
    """The server ends the connection in the middle of a read by the driver itself."""
    await _HANG_UP.all(ctx.session)
    return {}


@router.get("/misused", response_model=None)
async def misuse_the_driver(ctx: Pay) -> None:
    """A value that the driver cannot adapt: its own complaint, without a state."""
    await ctx.session.execute(text("SELECT :value"), {"value": object()})


@router.get("/hot-states/{sqlstate}", response_model=None)
async def read_hot_state(ctx: Pay, sqlstate: str) -> dict[str, str]:
    """The database refuses a read by the driver itself with the given state."""
    await _REFUSE.all(ctx.session, sqlstate=sqlstate)
    return {}


@router.get("/list", response_model=None)
async def read_list(ctx: Pay, listing: Listed) -> dict[str, Any]:
    return {"page": listing.page, "size": listing.size, "q": listing.q, "at": ctx.now}


@router.post("/sites/{site_id}/finish", response_model=None)
async def finish(door: PayInTurn, site_id: UUID, payment: Payment) -> Any:
    return await door.ask("probe.payment.finish", site_id=site_id, amount=str(payment.amount))


def probing(
    database: TestDatabase,
    world: World,
    principal: Principal | None,
    *,
    routers: Sequence[APIRouter] = (router,),
    office: Path | None = None,
    sites: Sites | None = None,
) -> httpx.AsyncClient:
    """A client of an application that has only `routers`, logged in as `principal`."""
    running = runtime(
        settings=Settings(data_dir=office or Path("nowhere")),
        endpoints=endpoints_of(database),
        sites=sites or NoSites(),
    )
    running.sessions = world.sessions
    running.bus = world.bus
    real = AccountsAuthenticator(world.sessions)
    running.authenticator = OnePerson(principal, real) if principal else real
    app = make_app(running, routers, lifespan=None)
    if office is not None:
        Office(office).mount(app)
    headers = {"Accept-Language": "en"}
    cookies = {}
    if principal is not None:
        headers[CSRF_HEADER] = csrf_token(TOKEN)
        cookies[SESSION_COOKIE] = TOKEN
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url="http://wuye.test",
        cookies=cookies,
        headers=headers,
    )
