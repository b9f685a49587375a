"""Charging's reads."""

from cloud.modules.charging.queries.bands import bands_in, check_bands, first_price
from cloud.modules.charging.queries.bills import (
    OpenBill,
    list_bills,
    open_bills_of_room,
    open_by_room,
    overdue_by_site,
    read_bill,
)
from cloud.modules.charging.queries.candidates import BoundRooms, Selection, try_binding
from cloud.modules.charging.queries.printing import bill_sheet, quantity_and_price
from cloud.modules.charging.queries.runs import list_runs, read_run
from cloud.modules.charging.queries.searching import search_bills, search_rooms
from cloud.modules.charging.queries.setup import (
    BindingState,
    StandardState,
    account_choices,
    item_choices,
    list_bindings,
    list_items,
    list_standards,
    read_standard,
    standard_choices,
)
from cloud.modules.charging.queries.trials import try_copy, try_standard, try_version

__all__ = [
    "BindingState",
    "BoundRooms",
    "OpenBill",
    "Selection",
    "StandardState",
    "account_choices",
    "bands_in",
    "bill_sheet",
    "check_bands",
    "first_price",
    "item_choices",
    "list_bills",
    "list_bindings",
    "list_items",
    "list_runs",
    "list_standards",
    "open_bills_of_room",
    "open_by_room",
    "overdue_by_site",
    "quantity_and_price",
    "read_bill",
    "read_run",
    "read_standard",
    "search_bills",
    "search_rooms",
    "standard_choices",
    "try_binding",
    "try_copy",
    "try_standard",
    "try_version",
]
