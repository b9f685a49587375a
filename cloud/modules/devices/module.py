"""The manifest of devices."""

from __future__ import annotations

from cloud.kernel.registry import Function, Module
from cloud.modules.devices import api, jobs, pages, seeds, service
from cloud.modules.devices.permissions import DevicesPermission
from cloud.modules.devices.schemas import CommandAnswer, ReadNowPayload

MODULE = Module(
    name="devices",
    title="Devices",
    permissions=DevicesPermission,
    subjects={
        "device": "Devices",
        "gateway": "Gateways",
        "live": "Live devices",
        "point": "Points",
    },
    functions=(
        Function(
            "devices.device.read_now",
            "Read a device now",
            permission=DevicesPermission.device_command,
            entry=service.read_now,
            payload=ReadNowPayload,
            answer=CommandAnswer,
        ),
    ),
    routers=(api.router,),
    pages=pages.PAGES,
    menu=pages.MENU,
    jobs=jobs.JOBS,
    seed=seeds.seed,
)
