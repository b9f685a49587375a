"""A site: takes messages one at a time, calls services, answers what is to be done after COMMIT.

Plain: no clock, no Ray, no broker. What it keeps in memory is a cache of Postgres that
`committed` brings up to date; losing it costs a query.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from typing import Any
from uuid import UUID

import numpy as np

from cloud.kernel.context import Ctx, Principal
from cloud.modules.devices import queries as devices_queries
from cloud.modules.devices import rules
from cloud.modules.devices import service as devices
from cloud.modules.devices.rules import Numbers, Readings
from cloud.modules.metering import service as metering
from protocols.uplink.messages import (
    Ack,
    Batch,
    Birth,
    CommandResult,
    Events,
    Lane,
    Live,
    Nack,
    Quality,
)

HEARD_EVERY = timedelta(seconds=10)
RELOAD_AFTER = timedelta(seconds=60)
SHOWN_MAX = 1_000

Uplink = Batch | Events | Birth


@dataclass(frozen=True)
class Outcome:
    """What a turn leaves to do once it is committed. `telemetry` is still to be written in it."""

    reply: Ack | Nack | None = None
    telemetry: Readings | None = None
    results: tuple[CommandResult, ...] = ()
    gateway: devices.GatewayNews | None = None
    recorded: Mapping[int, int] = field(default_factory=dict)
    upto: tuple[UUID, Lane, int] | None = None
    birth: Birth | None = None
    heard_at: datetime | None = None


@dataclass(frozen=True)
class News:
    """Something for the screens that watch the site: the leaf of its topic, and JSON."""

    leaf: str
    data: bytes


class Site:
    def __init__(self, site_id: UUID, principal: Principal, ancestors: tuple[UUID, ...]) -> None:
        self.id = site_id
        self.principal = principal
        self.ancestors = ancestors
        self._own: Numbers = np.zeros(0, dtype=np.uint32)
        self._loaded_at: datetime | None = None
        self._slots: dict[int, int] = {}
        self._shown_us: dict[int, int] = {}
        self._birth: Birth | None = None
        self._upto: dict[Lane, int] = {}
        self._backlog: int | None = None
        self._gateway: devices.GatewayNews | None = None
        self._heard_at: datetime | None = None

    async def take(self, ctx: Ctx, message: Uplink, *, max_bytes_per_s: int | None) -> Outcome:
        """One message of the gateway, in the transaction of `ctx`, which is scoped to the site."""
        match message:
            case Birth():
                news = await devices.record_birth(ctx, site_id=self.id, birth=message)
                return Outcome(gateway=news, birth=message)
            case Events():
                taken = await devices.take_events(ctx, site_id=self.id, events=message)
                lane = Lane.EVENT
            case Batch():
                await self._load(ctx, message)
                taken = await devices.take_batch(ctx, site_id=self.id, batch=message, own=self._own)
                lane = message.lane
        if isinstance(taken, devices.Hole):
            return Outcome(reply=Nack(message.epoch, lane, "hole", expect=taken.expect))
        recorded: dict[int, int] = {}
        if lane is Lane.METER and taken.readings is not None:
            recorded = await self._record(ctx, taken.readings)
        heard = await self._note_heard(ctx, self._waiting(message.epoch, lane, taken.upto_seq))
        ack = Ack(message.epoch, lane, taken.upto_seq, rules.micros(ctx.now), max_bytes_per_s)
        return Outcome(
            reply=ack,
            telemetry=taken.readings,
            results=taken.results,
            recorded=recorded,
            upto=(message.epoch, lane, taken.upto_seq),
            heard_at=ctx.now if heard else None,
        )

    def committed(self, outcome: Outcome, *, at: datetime) -> list[News]:
        """Remember what is now in Postgres; answers what screens should know."""
        news = []
        self._heard_at = outcome.heard_at or self._heard_at
        self._slots.update(outcome.recorded)
        if outcome.birth is not None:
            if self._birth is None or self._birth.epoch != outcome.birth.epoch:
                self._upto.clear()
            self._birth = outcome.birth
            self._gateway = outcome.gateway
        if outcome.gateway is not None:
            self._backlog = outcome.gateway.backlog
            news.append(self._gateway_news(outcome.gateway))
        if outcome.upto is not None:
            epoch, lane, upto = outcome.upto
            waiting = self._waiting(epoch, lane, upto)
            if self._birth is not None and epoch == self._birth.epoch:
                self._upto[lane] = max(upto, self._upto.get(lane, 0))
            if waiting is not None and waiting != self._backlog and self._gateway is not None:
                self._backlog = waiting
                self._gateway = devices.GatewayNews(
                    self._gateway.state, self._gateway.since, waiting
                )
                news.append(self._gateway_news(self._gateway))
        if outcome.telemetry is not None:
            news += self._show(outcome.telemetry, at=at)
        return news

    def show(self, live: Live, *, at: datetime) -> list[News]:
        """The latest values as the gateway polls them: for screens only, never stored."""
        readings = rules.readings_of(live)
        return self._show(readings.where(np.isin(readings.points, self._own)), at=at)

    async def _load(self, ctx: Ctx, batch: Batch) -> None:
        """The site's own point numbers, again when unknown ones appear."""
        points = np.frombuffer(batch.points, dtype=np.uint32)
        if self._loaded_at is not None:
            is_fresh = ctx.now - self._loaded_at < RELOAD_AFTER
            if is_fresh or bool(np.isin(points, self._own).all()):
                return
        self._own = await devices_queries.numbers_of_site(ctx, self.id)
        self._loaded_at = ctx.now

    async def _record(self, ctx: Ctx, readings: Readings) -> dict[int, int]:
        """Good values of billing registers that begin a new quarter of an hour go to metering."""
        fresh, slots = [], dict[int, int]()
        for point, at_us, value, quality in zip(
            readings.points.tolist(),
            readings.times_us.tolist(),
            readings.values.tolist(),
            readings.qualities.tolist(),
            strict=True,
        ):
            slot = metering.slot_of(at_us)
            if quality == Quality.GOOD and slots.get(point, self._slots.get(point)) != slot:
                fresh.append((point, at_us, value))
                slots[point] = slot
        if fresh:
            await metering.record_measured(ctx, site_id=self.id, rows=fresh)
        return slots

    async def _note_heard(self, ctx: Ctx, backlog: int | None) -> bool:
        """Written when it is news by ten seconds, or when the backlog changed."""
        is_fresh = self._heard_at is not None and ctx.now - self._heard_at < HEARD_EVERY
        if is_fresh and backlog in {None, self._backlog}:
            return False
        await devices.note_heard(ctx, site_id=self.id, backlog=backlog)
        return True

    def _waiting(self, epoch: UUID, lane: Lane, upto: int) -> int | None:
        """What of the backlog that the gateway spoke of is left; None when it has not spoken."""
        if self._birth is None or self._birth.epoch != epoch:
            return None
        committed: dict[str, int] = {str(known): seq for known, seq in self._upto.items()}
        committed[str(lane)] = max(upto, committed.get(str(lane), 0))
        return devices.waiting(self._birth, committed)

    def _show(self, readings: Readings, *, at: datetime) -> list[News]:
        last = readings.where(rules.newest(readings))
        points = []
        for point, at_us, value, quality in zip(
            last.points.tolist(),
            last.times_us.tolist(),
            last.values.tolist(),
            last.qualities.tolist(),
            strict=True,
        ):
            if at_us > self._shown_us.get(point, -1):
                self._shown_us[point] = at_us
                points.append([point, value if isfinite(value) else None, at_us // 1000, quality])
        return [News("twins", _json({"at": _iso(at), "points": part})) for part in _parts(points)]

    @staticmethod
    def _gateway_news(news: devices.GatewayNews) -> News:
        since = _iso(news.since) if news.since is not None else None
        return News(
            "gateway",
            _json({"state": news.state, "since": since, "backlog": news.backlog}),
        )


def _parts(points: Sequence[Any]) -> list[Sequence[Any]]:
    return [points[start : start + SHOWN_MAX] for start in range(0, len(points), SHOWN_MAX)]


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
