"""Charging's writes: set-up, runs, and settling bills."""

from cloud.modules.charging.service.generate import (
    begin_drafts,
    generate_chunk,
    preview_run,
)
from cloud.modules.charging.service.printing import print_bill
from cloud.modules.charging.service.publish import publish_run
from cloud.modules.charging.service.runs import (
    accept_generation,
    accept_publication,
    cancel_run,
    create_run,
    finish_run,
)
from cloud.modules.charging.service.settle import (
    AmountAboveOpen,
    BillChanged,
    Payment,
    SettledBill,
    apply_payments,
)
from cloud.modules.charging.service.setup import (
    add_item,
    add_standard,
    add_version,
    bind_meters,
    bind_rooms,
    end_binding,
)
from cloud.modules.charging.service.whole import work_through

__all__ = [
    "AmountAboveOpen",
    "BillChanged",
    "Payment",
    "SettledBill",
    "accept_generation",
    "accept_publication",
    "add_item",
    "add_standard",
    "add_version",
    "apply_payments",
    "begin_drafts",
    "bind_meters",
    "bind_rooms",
    "cancel_run",
    "create_run",
    "end_binding",
    "finish_run",
    "generate_chunk",
    "preview_run",
    "print_bill",
    "publish_run",
    "work_through",
]
