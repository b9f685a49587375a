"""The manifest of receiving."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.kernel.search import Source
from cloud.modules.receiving import api, handlers, pages, queries, seeds
from cloud.modules.receiving.permissions import ReceivingPermission

MODULE = Module(
    name="receiving",
    title="Receiving",
    permissions=ReceivingPermission,
    subjects={
        "counter": "Cashier counter",
        "receipt": "Receipts",
        "setup": "Payment methods",
        "shift": "Shifts",
    },
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    searches=(
        Source(
            "receipts",
            "Receipts",
            "receipt-text",
            ReceivingPermission.receipt_read,
            queries.search_receipts,
            rank=40,
        ),
    ),
    handlers=handlers.HANDLERS,
    seed=seeds.seed,
)
