"""Everything that changes devices, and what their gateways send."""

from cloud.modules.devices.rules import PointSpec
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
from cloud.modules.devices.service.lifecycle import (
    AddressTaken,
    DeviceCodeTaken,
    GatewayCodeTaken,
    Passwords,
    add_device,
    change_device,
    disable_device,
    enable_device,
    enrol_gateway,
    renew_credentials,
)
from cloud.modules.devices.service.registry import (
    DeviceSpec,
    SiteHasGateway,
    add_devices,
    add_gateway,
    extend_partitions,
)

__all__ = [
    "AddressTaken",
    "DeviceCodeTaken",
    "DeviceHasNoPoint",
    "DeviceSpec",
    "GatewayCodeTaken",
    "GatewayNews",
    "Hole",
    "Passwords",
    "PointSpec",
    "SiteHasGateway",
    "Taken",
    "add_device",
    "add_devices",
    "add_gateway",
    "change_device",
    "disable_device",
    "enable_device",
    "enrol_gateway",
    "extend_partitions",
    "finish_command",
    "give_up_command",
    "mark_silent",
    "note_heard",
    "read_now",
    "record_birth",
    "renew_credentials",
    "take_batch",
    "take_events",
    "waiting",
    "write_telemetry",
]
