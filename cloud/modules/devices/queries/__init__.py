"""Reads of devices."""

from cloud.modules.devices.queries.live import Say, events, history, live
from cloud.modules.devices.queries.pages import gateway_choices, read_device, read_gateway
from cloud.modules.devices.queries.records import (
    PointOfBus,
    all_gateways,
    answer_of,
    command_answer,
    gateway_of_site,
    list_devices,
    list_gateways,
    list_points,
    numbers_of_site,
    point_by_number,
    points_of_device,
    points_of_gateway,
)

__all__ = [
    "PointOfBus",
    "Say",
    "all_gateways",
    "answer_of",
    "command_answer",
    "events",
    "gateway_choices",
    "gateway_of_site",
    "history",
    "list_devices",
    "list_gateways",
    "list_points",
    "live",
    "numbers_of_site",
    "point_by_number",
    "points_of_device",
    "points_of_gateway",
    "read_device",
    "read_gateway",
]
