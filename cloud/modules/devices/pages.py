"""Pages of devices."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import Action, Choice, Column, Filter, MenuEntry, TablePage, View
from cloud.modules.devices import api
from cloud.modules.devices.models import DeviceKind, GatewayState, PointLane

STATES = (
    Choice(GatewayState.online, "Online", Tone.ok),
    Choice(GatewayState.offline, "Offline", Tone.bad),
    Choice(GatewayState.never, "Never seen", Tone.mute),
)
KINDS = (
    Choice(DeviceKind.electricity, "Electricity meter", Tone.warn),
    Choice(DeviceKind.water, "Water meter", Tone.info),
    Choice(DeviceKind.gas, "Gas meter", Tone.auto),
    Choice(DeviceKind.heat, "Heat meter", Tone.wait),
    Choice(DeviceKind.other, "Other device", Tone.mute),
)
LANES = (
    Choice(PointLane.meter, "Billing register", Tone.auto),
    Choice(PointLane.tele, "Measurement", Tone.info),
)

PAGES = (
    TablePage(
        code="devices.gateways",
        title="Gateways",
        source=api.list_gateways,
        columns=(
            Column("code", "Gateway", width=140, sortable=True),
            Column("site_name", "Community", width=180),
            Column("state", "State", Kind.tag, width=104, sortable=True, choices=STATES),
            Column("since", "Since", Kind.datetime, width=160),
            Column("seen_at", "Last heard", Kind.age, width=140, sortable=True),
            Column("backlog", "Waiting readings", Kind.whole, width=120, sortable=True),
            Column("devices", "Devices", Kind.whole, width=96),
            Column("agent_version", "Version", width=104),
        ),
        filters=(
            Filter("q", "Gateway or community", "search"),
            Filter("state", "State", "choice", choices=STATES),
        ),
        views=(
            View("all", "All"),
            View("offline", "Offline", params={"state": "offline"}, tone=Tone.bad),
        ),
        sort="code",
        empty=("No gateway matches", "A community's gateway is added when it is enrolled."),
    ),
    TablePage(
        code="devices.devices",
        title="Devices",
        source=api.list_devices,
        columns=(
            Column("code", "Code", width=140, sortable=True),
            Column("name", "Name", width=160, sortable=True),
            Column("kind", "Kind", Kind.tag, width=104, choices=KINDS),
            Column("place", "Place", width=180, sortable=True),
            Column("site_name", "Community", width=150),
            Column("gateway_code", "Gateway", width=110),
            Column("bus", "Bus", width=80),
            Column("unit_id", "Station", Kind.whole, width=80),
            Column("points", "Points", Kind.whole, width=80),
            Column("measured_at", "Last value", Kind.age, width=130),
        ),
        filters=(
            Filter("q", "Code, name or place", "search"),
            Filter("kind", "Kind", "choice", choices=KINDS),
        ),
        sort="code",
        empty=("No device matches", "Change the search, or choose another community."),
        actions=(Action("read_now", "Read now", call=api.read_now, done="The device was asked"),),
    ),
    TablePage(
        code="devices.points",
        title="Points",
        source=api.list_points,
        columns=(
            Column("point_no", "Point", Kind.whole, width=90, sortable=True),
            Column("device_code", "Device", width=140, sortable=True, note_key="device_name"),
            Column("label", "Value of", width=130),
            Column("lane", "Use", Kind.tag, width=110, choices=LANES),
            Column("value", "Latest value", Kind.quantity, width=130, unit_key="unit"),
            Column("measured_at", "Measured", Kind.age, width=130, sortable=True),
            Column("register_of", "Register", width=200),
            Column("site_name", "Community", width=150),
        ),
        filters=(
            Filter("q", "Device or value", "search"),
            Filter("lane", "Use", "choice", choices=LANES),
        ),
        sort="point_no",
        empty=("No point matches", "Change the search, or choose another community."),
    ),
)

MENU = (
    MenuEntry(
        "equipment",
        "Live devices",
        view="/live",
        needs=api.read_live,
        icon="activity",
        favorite=True,
    ),
    MenuEntry("equipment", "Gateways", page="devices.gateways"),
    MenuEntry("equipment", "Devices", page="devices.devices"),
    MenuEntry("equipment", "Points", page="devices.points"),
)
