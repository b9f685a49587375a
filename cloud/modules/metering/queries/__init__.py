"""Reads of metering."""

from cloud.modules.metering.queries.cutoff import (
    Cutoff,
    NoUsage,
    PeriodUsage,
    readings_at_cutoff,
    register_of,
    usage_for_period,
)
from cloud.modules.metering.queries.meter import meter_choices, point_choices, read_meter
from cloud.modules.metering.queries.records import (
    UNITS,
    MeterOfRoom,
    list_meters,
    list_readings,
    meters_by_no,
    meters_of_points,
    meters_of_rooms,
)

__all__ = [
    "UNITS",
    "Cutoff",
    "MeterOfRoom",
    "NoUsage",
    "PeriodUsage",
    "list_meters",
    "list_readings",
    "meter_choices",
    "meters_by_no",
    "meters_of_points",
    "meters_of_rooms",
    "point_choices",
    "read_meter",
    "readings_at_cutoff",
    "register_of",
    "usage_for_period",
]
