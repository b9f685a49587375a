"""Everything that changes devices, and what their gateways send."""

from cloud.modules.devices.service.commands import (
    DeviceHasNoPoint,
    finish_command,
    give_up_command,
    read_now,
)
from cloud.modules.devices.service.gateways import GatewayNews, mark_silent, record_birth, waiting
from cloud.modules.devices.service.ingest import (
    Hole,
    Taken,
    note_heard,
    take_batch,
    take_events,
    write_telemetry,
)
from cloud.modules.devices.service.registry import (
    DeviceSpec,
    PointSpec,
    SiteHasGateway,
    add_devices,
    add_gateway,
    extend_partitions,
)

__all__ = [
    "DeviceHasNoPoint",
    "DeviceSpec",
    "GatewayNews",
    "Hole",
    "PointSpec",
    "SiteHasGateway",
    "Taken",
    "add_devices",
    "add_gateway",
    "extend_partitions",
    "finish_command",
    "give_up_command",
    "mark_silent",
    "note_heard",
    "read_now",
    "record_birth",
    "take_batch",
    "take_events",
    "waiting",
    "write_telemetry",
]
