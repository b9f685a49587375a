"""The manifest of headquarters."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.modules.headquarters import api, pages, seeds
from cloud.modules.headquarters.permissions import HeadquartersPermission

MODULE = Module(
    name="headquarters",
    title="Headquarters",
    permissions=HeadquartersPermission,
    subjects={
        "finance": "Collection dashboard",
        "energy": "Energy dashboard",
        "target": "Collection targets",
    },
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    seed=seeds.seed,
)
