"""JSON routes of devices, and the stream behind the live screen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import StreamingResponse

from cloud.kernel.auth import SESSION_COOKIE
from cloud.kernel.choices import Choices, Typed
from cloud.kernel.context import Principal
from cloud.kernel.i18n import pick_locale
from cloud.kernel.listing import Listed, Page
from cloud.kernel.runtime import Runtime
from cloud.kernel.uow import unit_of_work
from cloud.modules.devices import queries, service
from cloud.modules.devices.models import Device, DeviceKind, DeviceState, GatewayState, PointLane
from cloud.modules.devices.permissions import (
    CommandDevices,
    DevicesPermission,
    ReadDevices,
    ReadGateways,
    ReadLive,
    ReadPoints,
    WriteDevices,
    WriteGateways,
)
from cloud.modules.devices.rules import KIND, POINTS
from cloud.modules.devices.schemas import (
    DeviceChange,
    DeviceCreate,
    DeviceDetail,
    DeviceRead,
    DeviceSaved,
    EventList,
    GatewayCreate,
    GatewayDetail,
    GatewayEnrolled,
    GatewayRead,
    History,
    LiveRead,
    PointRead,
    ReadNowAnswer,
    Reason,
)
from cloud.modules.organization import queries as organization

HEARTBEAT_S = 10.0
HEARTBEATS_PER_CHECK = 6

POINT_MAX = 2**31 - 1  # the column is an integer


router = APIRouter(prefix="/api/v1/devices", tags=["devices"])


class Inbox(Protocol):
    """What one listener has not read yet."""

    async def get(self) -> tuple[str, bytes] | None:
        """The next (event, data); None when the listener was too slow and is dropped."""


class Feed(Protocol):
    """News of communities as their hosts publish them; the composition root provides it."""

    def listen(self, site_id: UUID) -> AbstractAsyncContextManager[Inbox]: ...


@router.get("/gateways", response_model=Page[GatewayRead])
async def list_gateways(
    ctx: ReadGateways, listing: Listed, state: GatewayState | None = None
) -> dict[str, Any]:
    return await queries.list_gateways(ctx, listing, state=state)


@router.post("/gateways", response_model=GatewayEnrolled, status_code=201)
async def enrol_gateway(
    ctx: WriteGateways, request: Request, wanted: GatewayCreate
) -> GatewayEnrolled:
    return await service.enrol_gateway(
        ctx, _passwords(request), site_id=wanted.site_id, code=wanted.code
    )


@router.get("/gateways/choices", response_model=Choices)
async def gateway_choices(ctx: ReadGateways, q: Typed = "", site_id: UUID | None = None) -> Choices:
    return await queries.gateway_choices(ctx, q, site_id=site_id)


@router.get("/gateways/{gateway_id}", response_model=GatewayDetail)
async def read_gateway(ctx: ReadGateways, gateway_id: UUID) -> GatewayDetail:
    return await queries.read_gateway(ctx, gateway_id)


@router.post("/gateways/{gateway_id}/credentials", response_model=GatewayEnrolled)
async def renew_credentials(
    ctx: WriteGateways, request: Request, gateway_id: UUID
) -> GatewayEnrolled:
    return await service.renew_credentials(ctx, _passwords(request), gateway_id=gateway_id)


@router.get("/devices", response_model=Page[DeviceRead])
async def list_devices(
    ctx: ReadDevices,
    listing: Listed,
    kind: DeviceKind | None = None,
    state: DeviceState | None = None,
) -> dict[str, Any]:
    return await queries.list_devices(ctx, listing, kind=kind, state=state)


@router.post("/devices", response_model=DeviceSaved, status_code=201)
async def add_device(ctx: WriteDevices, wanted: DeviceCreate) -> Device:
    return await service.add_device(ctx, gateway_id=wanted.gateway_id, spec=_spec(wanted))


@router.get("/devices/{device_id}", response_model=DeviceDetail)
async def read_device(ctx: ReadDevices, device_id: UUID) -> DeviceDetail:
    return await queries.read_device(ctx, device_id)


@router.patch("/devices/{device_id}", response_model=DeviceSaved)
async def change_device(ctx: WriteDevices, device_id: UUID, wanted: DeviceChange) -> Device:
    return await service.change_device(ctx, device_id=device_id, **wanted.model_dump())


@router.post("/devices/{device_id}/disable", response_model=DeviceSaved)
async def disable_device(ctx: WriteDevices, device_id: UUID, why: Reason) -> Device:
    return await service.disable_device(ctx, device_id=device_id, reason=why.reason)


@router.post("/devices/{device_id}/enable", response_model=DeviceSaved)
async def enable_device(ctx: WriteDevices, device_id: UUID) -> Device:
    return await service.enable_device(ctx, device_id=device_id)


@router.get("/points", response_model=Page[PointRead])
async def list_points(
    ctx: ReadPoints, listing: Listed, lane: PointLane | None = None
) -> dict[str, Any]:
    return await queries.list_points(ctx, listing, lane=lane)


@router.get("/live", response_model=LiveRead)
async def read_live(ctx: ReadLive, request: Request, site_id: UUID) -> LiveRead:
    return await queries.live(ctx, site_id=site_id, say=_say(request, ctx.principal))


@router.get("/events", response_model=EventList)
async def list_events(ctx: ReadLive, request: Request, site_id: UUID) -> EventList:
    return await queries.events(ctx, site_id=site_id, say=_say(request, ctx.principal))


@router.get("/points/{point}/history", response_model=History)
async def read_history(
    ctx: ReadLive,
    point: Annotated[int, Path(ge=1, le=POINT_MAX)],
    hours: Annotated[int, Query(ge=1, le=24 * 31)] = 24,
) -> History:
    return await queries.history(ctx, point_no=point, hours=hours)


@router.post("/devices/{device_id}/read-now", response_model=ReadNowAnswer)
async def read_now(door: CommandDevices, request: Request, device_id: UUID) -> dict[str, Any]:
    runtime: Runtime = request.app.state.runtime
    async with unit_of_work(runtime.sessions, door.principal, bus=runtime.bus) as ctx:
        site_id = (await ctx.get(Device, device_id)).org_id
    return await door.ask(
        "devices.device.read_now",
        site_id=site_id,
        device_id=str(device_id),
        command_id=door.request_id,
    )


@router.get("/live/stream", response_class=StreamingResponse)
async def stream_live(ctx: ReadLive, request: Request, site_id: UUID) -> StreamingResponse:
    await organization.get_site(ctx, site_id)
    return StreamingResponse(
        _stream(request, site_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(request: Request, site_id: UUID) -> AsyncIterator[bytes]:
    """Until the browser leaves, falls behind, or may no longer see the community."""
    feed: Feed = request.app.state.live
    async with feed.listen(site_id) as inbox:
        gateway = await _gateway_now(request, site_id)
        if gateway is None:
            return
        yield _event("gateway", gateway)
        beats = 0
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    news = await inbox.get()
            except TimeoutError:
                beats += 1
                if beats % HEARTBEATS_PER_CHECK == 0 and not await _gateway_now(request, site_id):
                    return
                yield b": still here\n\n"
                continue
            if news is None:
                return
            yield _event(*news)


async def _gateway_now(request: Request, site_id: UUID) -> bytes | None:
    """None when the session ended or the viewer lost the community. A unit of work of its own."""
    runtime: Runtime = request.app.state.runtime
    principal = await runtime.authenticator.by_token(request.cookies.get(SESSION_COOKIE, ""))
    if principal is None or DevicesPermission.live_read not in principal.permissions:
        return None
    principal = principal.acting(DevicesPermission.live_read)
    if not principal.scope.all and site_id not in principal.scope.write_orgs:
        return None
    async with unit_of_work(runtime.sessions, principal, bus=runtime.bus) as ctx:
        gateway = await queries.gateway_of_site(ctx, site_id)
    news = {
        "state": gateway.state if gateway else GatewayState.never,
        "since": gateway.since.isoformat() if gateway and gateway.since else None,
        "backlog": gateway.backlog if gateway else 0,
    }
    return json.dumps(news).encode()


def _passwords(request: Request) -> service.Passwords:
    found: service.Passwords = request.app.state.gateway_passwords
    return found


def _spec(wanted: DeviceCreate) -> service.DeviceSpec:
    return service.DeviceSpec(
        bus=wanted.bus,
        unit_id=wanted.unit_id,
        code=wanted.code,
        name=wanted.name,
        kind=KIND[wanted.template],
        place=wanted.place or "",
        space_id=wanted.space_id,
        points=POINTS[wanted.template],
    )


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def _say(request: Request, principal: Principal) -> queries.Say:
    texts = request.app.state.runtime.texts
    locale = pick_locale(request.headers.get("accept-language"), principal.locale)
    return lambda key: str(texts.label(key, locale))
