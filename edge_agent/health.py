"""What the gateway says of itself: its birth, renewed while it is connected."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from uuid import UUID, uuid4

from edge_agent import clock
from edge_agent.outbox import Outbox
from protocols.uplink.messages import Birth


def agent_version() -> str:
    try:
        return version("wuye")
    except PackageNotFoundError:
        return "unpackaged"


@dataclass
class Health:
    outbox: Outbox
    config_hash: str
    boot_id: UUID

    @classmethod
    def begin(cls, outbox: Outbox, config_hash: str) -> "Health":
        return cls(outbox, config_hash, uuid4())

    async def birth(self) -> Birth:
        return Birth(
            epoch=self.outbox.epoch,
            boot_id=self.boot_id,
            agent_version=agent_version(),
            config_hash=self.config_hash,
            lanes=await self.outbox.states(),
            clock_synced=clock.is_synced(),
            disk_free=self.outbox.disk_free(),
            at_us=clock.now_us(),
            online=True,
        )

    def gone(self) -> Birth:
        """The will, and the last word of an orderly stop. Says nothing of the lanes."""
        return Birth(
            epoch=self.outbox.epoch,
            boot_id=self.boot_id,
            agent_version=agent_version(),
            config_hash=self.config_hash,
            lanes={},
            clock_synced=clock.is_synced(),
            disk_free=self.outbox.disk_free(),
            at_us=clock.now_us(),
            online=False,
        )
