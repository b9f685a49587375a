"""Receiving's reads."""

from cloud.modules.receiving.queries.counter import (
    SearchBy,
    counter_room,
    read_desk,
    search_rooms,
)
from cloud.modules.receiving.queries.grid import list_grid, read_grid
from cloud.modules.receiving.queries.held import (
    deposit_item_choices,
    list_deposit_items,
    list_deposits,
    list_payouts,
    list_prepaid,
    read_deposit,
    read_prepaid,
)
from cloud.modules.receiving.queries.methods import list_methods, method_choices
from cloud.modules.receiving.queries.printing import receipt_sheet
from cloud.modules.receiving.queries.profile import room_profile
from cloud.modules.receiving.queries.receipts import list_receipts, read_receipt
from cloud.modules.receiving.queries.rooms import Lack, list_rooms, try_transfer
from cloud.modules.receiving.queries.searching import search_receipts
from cloud.modules.receiving.queries.shifts import list_shifts, read_shift
from cloud.modules.receiving.queries.statement import read_statement

__all__ = [
    "Lack",
    "SearchBy",
    "counter_room",
    "deposit_item_choices",
    "list_deposit_items",
    "list_deposits",
    "list_grid",
    "list_methods",
    "list_payouts",
    "list_prepaid",
    "list_receipts",
    "list_rooms",
    "list_shifts",
    "method_choices",
    "read_deposit",
    "read_desk",
    "read_grid",
    "read_prepaid",
    "read_receipt",
    "read_shift",
    "read_statement",
    "receipt_sheet",
    "room_profile",
    "search_receipts",
    "search_rooms",
    "try_transfer",
]
