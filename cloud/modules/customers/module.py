"""The manifest of customers."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.kernel.search import Source
from cloud.modules.customers import api, catalogues, handlers, pages, queries, seeds
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
    searches=(
        Source(
            "people",
            "Owners and residents",
            "users",
            CustomersPermission.party_read,
            queries.search,
            rank=20,
        ),
    ),
    handlers=handlers.HANDLERS,
    seed=seeds.seed,
)
