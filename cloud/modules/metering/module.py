"""The manifest of metering."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.modules.metering import api, pages, seeds
from cloud.modules.metering.permissions import MeteringPermission

MODULE = Module(
    name="metering",
    title="Metering",
    permissions=MeteringPermission,
    subjects={
        "meter": "Meters",
        "reading": "Meter readings",
    },
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    seed=seeds.seed,
)
