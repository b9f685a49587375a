"""The meters of the demo company as they hang on their buses, read from the community file."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Only true and false are truth values, as in YAML 1.2: a meter number is called `no`."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in found if tag != "tag:yaml.org,2002:bool"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))

REGISTERS_OF_TYPE = {"uint16": 1, "uint32": 2}


class CommunityError(Exception):
    """The community file cannot be served; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Register:
    code: str
    table: str
    address: int
    words: int
    scale: Decimal


@dataclass(frozen=True, slots=True)
class Meter:
    """`rooms` is how many rooms' use it carries; `start`, what it showed when it began."""

    no: str
    kind: str
    unit_id: int
    rooms: int
    registers: tuple[Register, ...]
    start: float


@dataclass(frozen=True, slots=True)
class Bus:
    key: str
    site: str
    meters: tuple[Meter, ...]


@dataclass(frozen=True, slots=True)
class Community:
    seed: int
    buses: tuple[Bus, ...]
    curves: dict[str, dict[str, Any]]
    files: dict[str, dict[str, str]]


def read_community(path: Path, sites: Collection[str] | None = None) -> Community:
    """`sites` are the codes to serve; None means all."""
    try:
        with path.open(encoding="utf-8") as file:
            tree = yaml.load(file, Loader=_Loader)  # noqa: S506 (derived from SafeLoader)
        return _community(tree, sites)
    except OSError as error:
        raise CommunityError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise CommunityError(f"{path}: not YAML: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise CommunityError(f"{path}: {type(error).__name__} {error}") from error


def _community(tree: dict[str, Any], sites: Collection[str] | None) -> Community:
    known = [site["code"] for site in tree["sites"]]
    for code in sites or ():
        if code not in known:
            raise CommunityError(f"there is no site {code}; the file has {', '.join(known)}")
    models = {
        kind: tuple(_register(point) for point in model["points"])
        for kind, model in tree["models"].items()
    }
    chosen = [site for site in tree["sites"] if sites is None or site["code"] in sites]
    return Community(
        seed=tree["seed"],
        buses=tuple(bus for site in chosen for bus in _buses(site, models)),
        curves=tree["curves"],
        files={site["code"]: site.get("files", {}) for site in chosen},
    )


def _register(point: dict[str, Any]) -> Register:
    words = REGISTERS_OF_TYPE.get(point["type"])
    if words is None:
        raise CommunityError(f"type {point['type']} of {point['code']} is not simulated")
    return Register(
        point["code"], point["table"], point["address"], words, Decimal(str(point["scale"]))
    )


def _buses(site: dict[str, Any], models: dict[str, tuple[Register, ...]]) -> Iterator[Bus]:
    meters: dict[str, dict[int, Meter]] = {bus["code"]: {} for bus in site["buses"]}

    def add(bus: str, meter: Meter) -> None:
        if bus not in meters:
            raise CommunityError(f"{meter.no} hangs on bus {bus}, which {site['code']} lacks")
        if meter.unit_id in meters[bus]:
            other = meters[bus][meter.unit_id].no
            raise CommunityError(f"{meter.no} and {other} have the same address on {bus}")
        meters[bus][meter.unit_id] = meter

    for shared in site["shared"]:
        kind = shared["kind"]
        add(
            shared["bus"],
            Meter(
                shared["no"],
                kind,
                shared["device"],
                shared["rooms"],
                models[kind],
                start=float(shared["start"]),
            ),
        )
    for room in site["rooms"]:
        building = room["at"].split("-")[0]
        for (kind, model), start in zip(models.items(), room["start"], strict=True):
            if kind in room:
                no, unit_id = room[kind]
                add(f"B{building}", Meter(no, kind, unit_id, 1, model, start=float(start)))
    for code, by_unit in meters.items():
        yield Bus(f"{site['code']}/{code}", site["code"], tuple(by_unit.values()))
