"""The manifest of receiving."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.modules.receiving import api, pages, seeds
from cloud.modules.receiving.permissions import ReceivingPermission

MODULE = Module(
    name="receiving",
    title="Receiving",
    permissions=ReceivingPermission,
    subjects={
        "counter": "Cashier counter",
        "receipt": "Receipts",
    },
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    seed=seeds.seed,
)
