"""The agent's configuration: one strict file, with every mistake in it told at once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, ValidationError, model_validator

from edge_agent.config_mistakes import Mistake, duplicates, explain
from edge_agent.config_yaml import NotYaml, read_yaml
from protocols.modbus.config import ModbusLimits, ModbusPoint, Strict
from protocols.points import Lane
from protocols.uplink import topics

_BYTES_MAX = 16 * 1024 * 1024


class ConfigInvalid(Exception):
    """`str()` is one line for each mistake."""

    def __init__(self, path: Path, mistakes: list[Mistake]) -> None:
        places = [f"{path}:{mistake.line}" if mistake.line else f"{path}" for mistake in mistakes]
        told = zip(places, mistakes, strict=True)
        super().__init__("\n".join(f"{place}: {mistake.text}" for place, mistake in told))
        self.mistakes = mistakes


class BrokerConfig(Strict):
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, lt=65_536)]
    user: Annotated[str, Field(min_length=1)]
    password: Annotated[str, Field(min_length=1, repr=False)]


class PointConfig(ModbusPoint):
    """`every_s` is how often the value is kept; it is read at every poll.

    `deadband` holds for lane tele: a value is kept again when it differs by more from the last one
    that was kept. 0 keeps every change and every repetition.
    """

    lane: Literal[Lane.METER, Lane.TELE]
    every_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    deadband: Annotated[float, Field(ge=0, allow_inf_nan=False, strict=False)] = 0.0


class DeviceConfig(Strict):
    """`code` is the device's name on the platform, for the log."""

    code: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    unit_id: Annotated[int, Field(ge=0, le=247)]
    points: Annotated[list[PointConfig], Field(min_length=1, max_length=1000)]
    limits: ModbusLimits = ModbusLimits()


class BusConfig(Strict):
    code: Annotated[str, Field(min_length=1, max_length=64)]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, lt=65_536)]
    timeout_s: Annotated[float, Field(gt=0, le=30, strict=False)] = 1.0
    poll_every_s: Annotated[float, Field(ge=0.1, le=3600, strict=False)] = 5.0
    devices: Annotated[list[DeviceConfig], Field(max_length=248)]


class StoreLimits(Strict):
    """Upper bounds of what each lane may take on disk."""

    event_mb: Annotated[int, Field(ge=1, le=1024)] = 16
    meter_mb: Annotated[int, Field(ge=1, le=4096)] = 64
    tele_mb: Annotated[int, Field(ge=1, le=65_536)] = 256


class EdgeConfig(Strict):
    version: Literal[1]
    site: Annotated[UUID, Field(strict=False)]
    gateway: Annotated[str, Field(min_length=1, max_length=64)]
    broker: BrokerConfig
    store: Annotated[Path, Field(strict=False)]
    store_limits: StoreLimits = StoreLimits()
    buses: Annotated[list[BusConfig], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _own_user(self) -> "EdgeConfig":
        own = topics.user(self.site)
        if self.broker.user != own:
            raise ValueError(f"broker.user is {self.broker.user!r}, this site's is {own!r}")
        return self

    @property
    def points(self) -> Mapping[int, PointConfig]:
        return {
            point.point: point
            for bus in self.buses
            for device in bus.devices
            for point in device.points
        }


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    config: EdgeConfig
    hash: str


def load(path: Path) -> LoadedConfig:
    """Read and check. A relative `store` is beside the file. Raises ConfigInvalid."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigInvalid(path, [Mistake(0, f"cannot be read: {error.strerror}")]) from error
    if len(data) > _BYTES_MAX:
        raise ConfigInvalid(path, [Mistake(0, f"{len(data)} bytes are too many")])
    try:
        tree, lines, repeated = read_yaml(data)
    except NotYaml as error:
        raise ConfigInvalid(path, [Mistake(error.line, f"not YAML: {error}")]) from error
    mistakes = [*repeated, *duplicates(tree, lines)]
    config = _checked(tree, lines, mistakes)
    if config is None or mistakes:
        raise ConfigInvalid(path, sorted(mistakes))
    if not config.store.is_absolute():
        config = config.model_copy(update={"store": path.parent / config.store})
    return LoadedConfig(config, hashlib.sha256(data).hexdigest()[:16])


def _checked(
    tree: Any, lines: Mapping[tuple[str | int, ...], int], mistakes: list[Mistake]
) -> EdgeConfig | None:
    try:
        return EdgeConfig.model_validate(tree)
    except ValidationError as error:
        mistakes.extend(explain(found, lines) for found in error.errors(include_url=False))
        return None
