"""Devices over HTTP, and the payloads of turns."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.modules.devices.rules import DeviceTemplate

DeviceName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Place = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]

Tone = Literal["mute", "info", "wait", "auto", "ok", "warn", "bad"]


class GatewayRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    site_id: UUID
    site_name: str
    state: Literal["online", "offline", "never"]
    since: datetime | None
    seen_at: datetime | None
    backlog: int
    devices: int
    agent_version: str


class DeviceRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    site_id: UUID
    site_name: str
    code: str
    name: str
    kind: str
    place: str
    gateway_code: str
    bus: str
    unit_id: int
    points: int
    measured_at: datetime | None
    space_id: UUID | None
    state: str
    version: int


class PointLine(BaseModel):
    """`value` is null while its quality is bad, or before the first one came."""

    point_no: int
    label: str
    lane: str
    value: float | None
    unit: str
    measured_at: datetime | None
    register_of: str
    every_s: int


class DeviceDetail(DeviceRead):
    values: list[PointLine]


class DeviceLine(BaseModel):
    code: str
    name: str
    place: str
    bus: str
    unit_id: int
    state: str


class GatewayDetail(GatewayRead):
    attached: list[DeviceLine]


class DeviceSaved(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    state: str
    version: int


class GatewayCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    site_id: UUID
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class GatewayEnrolled(BaseModel):
    """`credentials` is what the agent's configuration needs; nobody can read it again."""

    id: UUID
    code: str
    credentials: str


class DeviceCreate(BaseModel):
    """Its points come from the template: registers, units and how often they are read."""

    model_config = ConfigDict(extra="forbid")

    gateway_id: UUID
    template: DeviceTemplate
    bus: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20)]
    unit_id: Annotated[int, Field(ge=1, le=247)]
    code: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    name: DeviceName
    place: Place | None = None
    space_id: UUID | None = None


class DeviceChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    name: DeviceName
    place: Place | None = None


class Reason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class PointRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    point_no: int
    site_name: str
    device_code: str
    device_name: str
    label: str
    lane: str
    value: float | None
    unit: str
    quality: int | None
    measured_at: datetime | None
    register_of: str


class ReadNowPayload(BaseModel):
    model_config = ConfigDict(extra="forbid")

    device_id: UUID
    command_id: UUID


class CommandAnswer(BaseModel):
    """`outcome` is null while nothing is known of it."""

    command_id: UUID
    outcome: str | None
    value: float | None
    measured_at: datetime | None
    detail: str


class ReadNowAnswer(BaseModel):
    command_id: UUID
    outcome: Literal["done", "failed", "expired", "unknown", "rejected"]
    value: float | None
    measured_at: datetime | None
    detail: str


class SiteOfLive(BaseModel):
    id: UUID
    name: str


class GatewayOfLive(BaseModel):
    state: Literal["online", "offline", "never"]
    since: datetime | None
    backlog: int
    code: str


class Figures(BaseModel):
    online: int
    total: int
    stale: int
    delay_s: float | None
    backlog: int


class Tile(BaseModel):
    device_id: UUID
    name: str
    place: str
    point: int
    value: float | None
    unit: str
    digits: int
    measured_at: datetime | None
    quality: int
    state: Literal["ok", "stale", "offline", "never"]
    second: str | None
    trend: list[tuple[int, float]]


class TileGroup(BaseModel):
    code: str
    label: str
    icon: str
    count: int
    tiles: list[Tile]


class LiveRead(BaseModel):
    """One community's devices as of now."""

    site: SiteOfLive
    gateway: GatewayOfLive
    kpi: Figures
    groups: list[TileGroup]


class History(BaseModel):
    points: list[tuple[int, float]]
    unit: str
    name: str


class EventRead(BaseModel):
    at: datetime
    title: str
    text: str
    tone: Tone


class EventList(BaseModel):
    items: list[EventRead]
