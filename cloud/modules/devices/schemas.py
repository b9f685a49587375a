"""Devices over HTTP, and the payloads of turns."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

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
