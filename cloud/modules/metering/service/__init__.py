"""Everything that changes meters and readings."""

from cloud.modules.metering.service.meters import (
    MeterRemoved,
    MeterSpec,
    OldFinalBelowLast,
    ValueTooLong,
    add_meter,
    add_meters,
    change_meter,
    remove_meter,
)
from cloud.modules.metering.service.readings import (
    Arrived,
    ReadingAboveNext,
    ReadingBelowLast,
    ReadingExists,
    ReadingInFuture,
    ReadingNotInReview,
    accept_reading,
    record_arrived,
    record_measured,
    record_reading,
    refuse_reading,
    slot_of,
)

__all__ = [
    "Arrived",
    "MeterRemoved",
    "MeterSpec",
    "OldFinalBelowLast",
    "ReadingAboveNext",
    "ReadingBelowLast",
    "ReadingExists",
    "ReadingInFuture",
    "ReadingNotInReview",
    "ValueTooLong",
    "accept_reading",
    "add_meter",
    "add_meters",
    "change_meter",
    "record_arrived",
    "record_measured",
    "record_reading",
    "refuse_reading",
    "remove_meter",
    "slot_of",
]
