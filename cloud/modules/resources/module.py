"""The manifest of resources."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.modules.resources import api, catalogues, jobs, pages, seeds
from cloud.modules.resources.permissions import ResourcesPermission

MODULE = Module(
    name="resources",
    title="Resources",
    permissions=ResourcesPermission,
    subjects={
        "room": "Rooms",
        "space": "Buildings",
        "catalogue": "Plain lists",
    },
    routers=(api.router, *catalogues.ROUTERS),
    pages=pages.PAGES,
    menu=pages.MENU,
    jobs=jobs.JOBS,
    seed=seeds.seed,
)
