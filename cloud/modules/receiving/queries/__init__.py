"""Receiving's reads."""

from cloud.modules.receiving.queries.counter import (
    SearchBy,
    counter_room,
    read_shift,
    search_rooms,
)
from cloud.modules.receiving.queries.printing import receipt_sheet
from cloud.modules.receiving.queries.receipts import list_receipts, read_receipt
from cloud.modules.receiving.queries.statement import read_statement

__all__ = [
    "SearchBy",
    "counter_room",
    "list_receipts",
    "read_receipt",
    "read_shift",
    "read_statement",
    "receipt_sheet",
    "search_rooms",
]
