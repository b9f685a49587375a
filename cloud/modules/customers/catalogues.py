"""The plain lists of customers."""

from __future__ import annotations

from cloud.kernel.catalogue import Catalogue, page_of, routes_of
from cloud.modules.customers import rules
from cloud.modules.customers.permissions import CustomersPermission

CUSTOMER_TYPES = Catalogue(
    code=rules.CUSTOMER_TYPES,
    title="Customer types",
    add="Add a customer type",
    change="Change the customer type",
    none="No customer type yet",
    first="Add the first customer type, so that customers can have one.",
    path="types",
    read=CustomersPermission.party_read,
    write=CustomersPermission.catalogue_write,
)
RELATIONS = Catalogue(
    code=rules.RELATIONS,
    title="Relations to the owner",
    add="Add a relation to the owner",
    change="Change the relation to the owner",
    none="No relation to the owner yet",
    first="Add the first relation, so that residents can have one.",
    path="relations",
    read=CustomersPermission.party_read,
    write=CustomersPermission.catalogue_write,
)

customer_types = routes_of(CUSTOMER_TYPES)
relations = routes_of(RELATIONS)
PAGES = (page_of(CUSTOMER_TYPES, customer_types), page_of(RELATIONS, relations))
ROUTERS = (customer_types.router, relations.router)
