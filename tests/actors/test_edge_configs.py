"""What the cloud writes for a gateway is what the edge agent accepts."""

from __future__ import annotations

import json

from actors.edge_configs import write_edge_configs
from cloud.kernel.settings import SimulatorsEndpoint
from edge_agent.config import load
from protocols.points import Lane
from tests.actors.conftest import Plant


async def test_agent_reads_what_is_written(plant: Plant) -> None:
    runtime = plant.runtime()
    simulators = SimulatorsEndpoint(ports={"AS1/B1": 15020})
    runtime.endpoints = runtime.endpoints.model_copy(update={"simulators": simulators})
    paths = await write_edge_configs(runtime)
    assert [path.parent.name for path in paths] == ["AS1"]  # the other's bus has no address
    assert paths[0].stat().st_mode & 0o777 == 0o600
    config = load(paths[0]).config
    passwords = json.loads((plant.data_dir / "gateways.json").read_text())
    assert config.site == plant.site_id
    assert config.broker.password == passwords[str(plant.site_id)]
    assert len(passwords) == 2
    assert {number: point.lane for number, point in config.points.items()} == {
        plant.energy: Lane.METER,
        plant.tele: Lane.TELE,
    }
    assert await write_edge_configs(runtime) == paths
    assert json.loads((plant.data_dir / "gateways.json").read_text()) == passwords
    await runtime.sessions.kw["bind"].dispose()
