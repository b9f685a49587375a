"""The simulated meters of the demo company as a part: their ports and their state."""

from pathlib import Path
from typing import Any

import yaml

from cloud.embedded.files import write_json
from cloud.embedded.ports import free_port, is_answering


class SimulatedMeters:
    def __init__(self, community: Path, state: Path, archive: Path) -> None:
        """`archive` is the folder of measured consumption, used where it exists."""
        self._community = community
        self._archive = archive
        self.state = state
        self.ports = {key: free_port() for key in _read_buses(community)}

    @property
    def sites(self) -> list[str]:
        return sorted({key.partition("/")[0] for key in self.ports})

    def write_ports(self) -> None:
        self.state.mkdir(exist_ok=True, mode=0o700)
        write_json(self.state / "ports.json", self.ports)

    def arguments(self) -> tuple[str, ...]:
        return (
            *("--community", str(self._community), "--state", str(self.state)),
            *("--ports", str(self.state / "ports.json")),
            *(("--data", str(self._archive)) if self._archive.is_dir() else ()),
        )

    def is_ready(self) -> bool:
        return all(is_answering("127.0.0.1", port) for port in self.ports.values())

    def endpoint(self) -> dict[str, Any]:
        return {"ports": self.ports, "state_dir": str(self.state), "speed": 1}


def _read_buses(community: Path) -> list[str]:
    """["LT/B1", …]"""
    described = yaml.safe_load(community.read_text(encoding="utf-8"))
    return [f"{site['code']}/{bus['code']}" for site in described["sites"] for bus in site["buses"]]
