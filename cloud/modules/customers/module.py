"""The manifest of customers."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.kernel.search import Source
from cloud.modules.customers import api, pages, queries, seeds
from cloud.modules.customers.permissions import CustomersPermission

MODULE = Module(
    name="customers",
    title="Customers",
    permissions=CustomersPermission,
    subjects={
        "party": "Owners and residents",
        "phone": "Phone",
    },
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    searches=(
        Source(
            "people",
            "Owners and residents",
            "users",
            CustomersPermission.party_read,
            queries.search,
        ),
    ),
    seed=seeds.seed,
)
