"""The manifest of the ledger."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.modules.ledger import api, pages, seeds
from cloud.modules.ledger.permissions import LedgerPermission

MODULE = Module(
    name="ledger",
    title="Ledger",
    permissions=LedgerPermission,
    subjects={
        "account": "Trial balance",
        "entry": "Journal",
        "month": "Accounting months",
        "number_rule": "Number rules",
    },
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    seed=seeds.seed,
)
