"""The whole demo company's meters, served bus by bus, with the switch that silences them."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from simulators.community import Community, CommunityError, Meter
from simulators.curves import Curve, measured_hours
from simulators.meters import Course, register_at
from simulators.modbus_server import Collector, ReadRegister

log = logging.getLogger("simulators")

SWITCH_FILE = "silenced.json"
SWITCH_POLL_S = 0.5
HOST = "127.0.0.1"


def build_curves(community: Community, data: Path | None) -> dict[tuple[str, str], Curve]:
    """A curve for each (site, kind): measured where the archive is there, else the built-in day."""
    curves = {}
    for site, files in community.files.items():
        for kind, described in community.curves.items():
            per_day = float(described["per_day"])
            path = data / files[kind] if data and kind in files else None
            hours: list[float] = []
            if path is not None:
                try:
                    hours = measured_hours(path)
                except (OSError, EOFError) as error:
                    log.info("built-in curve site=%s kind=%s reason=%s", site, kind, error)
            if not any(hours):
                hours = [float(weight) for weight in described["daily"]]
            curves[site, kind] = Curve(hours, per_day=per_day)
    return curves


class Plant:
    def __init__(
        self,
        community: Community,
        *,
        course: Course,
        curves: Mapping[tuple[str, str], Curve],
        now_s: Callable[[], float],
    ) -> None:
        self._buses = {bus.key: bus for bus in community.buses}
        self._collectors = {
            bus.key: Collector(
                {
                    meter.unit_id: _reader(
                        meter,
                        seed=community.seed,
                        curve=curves[bus.site, meter.kind],
                        course=course,
                    )
                    for meter in bus.meters
                },
                now_s=now_s,
            )
            for bus in community.buses
        }
        self._silenced: frozenset[str] = frozenset()

    @property
    def meters(self) -> int:
        return sum(len(bus.meters) for bus in self._buses.values())

    async def listen(self, ports: Mapping[str, int]) -> None:
        """Raises CommunityError for a bus without a port, and when a port is taken."""
        missing = [key for key in self._collectors if key not in ports]
        if missing:
            raise CommunityError(f"no port is given for {', '.join(missing)}")
        for key, collector in self._collectors.items():
            try:
                await collector.listen(host=HOST, port=ports[key])
            except OSError as error:
                self.close()
                raise CommunityError(
                    f"port {ports[key]} for {key}: {error.strerror} — is another one running?"
                ) from error

    def close(self) -> None:
        for collector in self._collectors.values():
            collector.close()

    def silence(self, names: frozenset[str]) -> None:
        """`names` are meters as bus/address (LT/B1/3) and whole buses (LT/P)."""
        if names == self._silenced:
            return
        for key, collector in self._collectors.items():
            units = frozenset(
                meter.unit_id
                for meter in self._buses[key].meters
                if f"{key}/{meter.unit_id}" in names
            )
            collector.silence(units, down=key in names)
        log.info("silenced %s", ",".join(sorted(names)) or "none")
        self._silenced = names

    async def watch_switch(self, state: Path) -> None:
        """Follow the switch file for ever. A file that cannot be read leaves things as they are."""
        path = state / SWITCH_FILE
        seen: tuple[int, int] | None = None
        while True:
            try:
                found = path.stat()
                stamp = (found.st_mtime_ns, found.st_size)
                if stamp != seen:
                    self.silence(_names(path))
                    seen = stamp
            except FileNotFoundError:
                self.silence(frozenset())
                seen = None
            except (OSError, ValueError) as error:
                log.warning("switch unreadable path=%s error=%s", path, error)
            await asyncio.sleep(SWITCH_POLL_S)


def _names(path: Path) -> frozenset[str]:
    found = json.loads(path.read_text(encoding="utf-8"))
    match found:
        case {"silenced": [*names]}:
            return frozenset(str(name) for name in names)
    raise ValueError('expected {"silenced": ["LT/B1/3", "LT/P"]}')


def _reader(meter: Meter, *, seed: int, curve: Curve, course: Course) -> ReadRegister:
    places = {
        (register.table, register.address + word): (register, register.words - 1 - word)
        for register in meter.registers
        for word in range(register.words)
    }

    def read(table: str, address: int, now_s: float) -> int | None:
        place = places.get((table, address))
        if place is None:
            return None
        register, below = place
        value = register_at(register, meter, seed=seed, curve=curve, course=course, now_s=now_s)
        return value >> 16 * below & 0xFFFF

    return read
