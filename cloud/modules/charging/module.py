"""The manifest of charging."""

from __future__ import annotations

from cloud.kernel.registry import Function, Module
from cloud.kernel.search import Source
from cloud.modules.charging import api, handlers, jobs, pages, queries, seeds, service
from cloud.modules.charging.permissions import ChargingPermission
from cloud.modules.charging.schemas import RunEnd, RunProgress, RunRef
from cloud.modules.resources.permissions import ResourcesPermission

MODULE = Module(
    name="charging",
    title="Charging",
    permissions=ChargingPermission,
    subjects={
        "item": "Charge items",
        "standard": "Charge standards",
        "binding": "Charge bindings",
        "bill": "Bills",
        "run": "Bill runs",
    },
    functions=(
        Function(
            code="charging.run.generate",
            title="Generate the drafts of a bill run",
            permission=ChargingPermission.run_write,
            entry=service.accept_generation,
            payload=RunRef,
            answer=RunProgress,
        ),
        Function(
            code="charging.run.publish",
            title="Publish a bill run",
            permission=ChargingPermission.run_publish,
            entry=service.accept_publication,
            payload=RunRef,
            answer=RunProgress,
        ),
        Function(
            code="charging.run.finish",
            title="Record how a bill run's job ended",
            permission=ChargingPermission.run_write,
            entry=service.finish_run,
            payload=RunEnd,
            answer=RunProgress,
        ),
    ),
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    searches=(
        Source(
            "rooms",
            "Rooms",
            "door-open",
            ResourcesPermission.room_read,
            queries.search_rooms,
            rank=10,
        ),
        Source(
            "bills",
            "Bills",
            "file-text",
            ChargingPermission.bill_read,
            queries.search_bills,
            rank=40,
        ),
    ),
    handlers=handlers.HANDLERS,
    jobs=jobs.JOBS,
    seed=seeds.seed,
)
