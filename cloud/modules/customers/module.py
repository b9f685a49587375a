"""The manifest of customers."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.modules.customers import api, catalogues, handlers, pages, seeds
from cloud.modules.customers.permissions import CustomersPermission

MODULE = Module(
    name="customers",
    title="Customers",
    permissions=CustomersPermission,
    subjects={
        "party": "Owners and residents",
        "phone": "Phone",
        "catalogue": "Plain lists",
    },
    routers=(api.router, *catalogues.ROUTERS),
    pages=pages.PAGES,
    menu=pages.MENU,
    handlers=handlers.HANDLERS,
    seed=seeds.seed,
)
