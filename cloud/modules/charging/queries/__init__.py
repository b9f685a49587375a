"""Charging's reads."""

from cloud.modules.charging.queries.bills import (
    OpenBill,
    list_bills,
    open_bills_of_room,
    open_by_room,
    read_bill,
)
from cloud.modules.charging.queries.printing import bill_sheet, quantity_and_price
from cloud.modules.charging.queries.runs import list_runs, read_run
from cloud.modules.charging.queries.setup import (
    item_choices,
    list_bindings,
    list_items,
    list_standards,
)

__all__ = [
    "OpenBill",
    "bill_sheet",
    "item_choices",
    "list_bills",
    "list_bindings",
    "list_items",
    "list_runs",
    "list_standards",
    "open_bills_of_room",
    "open_by_room",
    "quantity_and_price",
    "read_bill",
    "read_run",
]
