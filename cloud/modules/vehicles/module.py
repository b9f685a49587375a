"""The manifest of vehicles."""

from __future__ import annotations

from cloud.kernel.registry import Module
from cloud.kernel.search import Source
from cloud.modules.vehicles import api, pages, queries, seeds
from cloud.modules.vehicles.permissions import VehiclesPermission

MODULE = Module(
    name="vehicles",
    title="Vehicles",
    permissions=VehiclesPermission,
    subjects={"vehicle": "Vehicles"},
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    searches=(
        Source(
            "vehicles",
            "Vehicles",
            "car",
            VehiclesPermission.vehicle_read,
            queries.search,
            rank=30,
        ),
    ),
    seed=seeds.seed,
)
