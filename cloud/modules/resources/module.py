"""The manifest of resources."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.modules.resources import api, pages, seeds
from cloud.modules.resources.permissions import ResourcesPermission

MODULE = Module(
    name="resources",
    title="Resources",
    permissions=ResourcesPermission,
    subjects={
        "room": "Rooms",
        "space": "Buildings",
    },
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    seed=seeds.seed,
)
