"""The manifest of the organization."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.modules.organization import api, pages, seeds
from cloud.modules.organization.permissions import OrganizationPermission

MODULE = Module(
    name="organization",
    title="Organization",
    permissions=OrganizationPermission,
    subjects={
        "unit": "Organization",
        "department": "Departments",
        "legal_entity": "Legal entities",
    },
    routers=(api.router, api.search_router),
    pages=pages.PAGES,
    menu=pages.MENU,
    seed=seeds.seed,
)
