"""The agent: its buses, its outbox and its uplink, run together and stopped in order."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from edge_agent.commands import CommandDesk
from edge_agent.config import LoadedConfig
from edge_agent.health import Health
from edge_agent.live import LiveBoard
from edge_agent.outbox import Outbox, limits_from
from edge_agent.supervisor import BusSupervisor
from edge_agent.uplink import Uplink
from protocols.points import Lane

log = logging.getLogger("edge")


async def run_agent(
    loaded: LoadedConfig,
    stop: asyncio.Event,
    *,
    on_commit: Callable[[Lane], None] | None = None,
) -> None:
    """Until `stop` is set. Raises Unusable when the store cannot be opened."""
    config = loaded.config
    limits = config.store_limits
    outbox = Outbox(
        config.store,
        limits_from(
            [
                (Lane.EVENT, limits.event_mb),
                (Lane.METER, limits.meter_mb),
                (Lane.TELE, limits.tele_mb),
            ]
        ),
        on_commit=on_commit,
    )
    try:
        live = LiveBoard()
        buses = [BusSupervisor(bus, outbox=outbox, live=live) for bus in config.buses]
        desk = CommandDesk(buses, outbox)
        uplink = Uplink(
            config,
            outbox=outbox,
            live=live,
            health=Health.begin(outbox, loaded.hash),
            take=desk.take,
        )
        log.info(
            "started gateway=%s buses=%d points=%d epoch=%s",
            config.gateway,
            len(buses),
            len(config.points),
            outbox.epoch,
        )
        await _run_together(stop, buses, desk, uplink, outbox)
    finally:
        await outbox.close()
    log.info("stopped")


async def _run_together(
    stop: asyncio.Event,
    buses: Sequence[BusSupervisor],
    desk: CommandDesk,
    uplink: Uplink,
    outbox: Outbox,
) -> None:
    """A task that fails takes the agent down: whoever supervises it starts it again."""
    async with asyncio.TaskGroup() as group:
        pollers = [group.create_task(bus.run(), name=bus.standing.name) for bus in buses]
        others = [group.create_task(part.run()) for part in (desk, uplink, outbox)]
        await stop.wait()
        for task in pollers:
            task.cancel()
        await asyncio.wait(pollers, timeout=1)
        await uplink.say_goodbye()
        for task in others:
            task.cancel()
