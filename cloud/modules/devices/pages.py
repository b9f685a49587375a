"""Pages of devices."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import (
    Action,
    Choice,
    Column,
    DetailPage,
    Field,
    Filter,
    Form,
    MenuEntry,
    Section,
    TablePage,
    View,
)
from cloud.modules.devices import api
from cloud.modules.devices.models import DeviceKind, DeviceState, GatewayState, PointLane
from cloud.modules.devices.rules import DeviceTemplate
from cloud.modules.resources import api as resources_api

STATES = (
    Choice(GatewayState.online, "Online", Tone.ok),
    Choice(GatewayState.offline, "Offline", Tone.bad),
    Choice(GatewayState.never, "Never seen", Tone.mute),
)
KINDS = (
    Choice(DeviceKind.electricity, "Electricity meter", Tone.mute),
    Choice(DeviceKind.water, "Water meter", Tone.mute),
    Choice(DeviceKind.gas, "Gas meter", Tone.mute),
    Choice(DeviceKind.heat, "Heat meter", Tone.mute),
    Choice(DeviceKind.other, "Other device", Tone.mute),
)
LANES = (
    Choice(PointLane.meter, "Billing register", Tone.mute),
    Choice(PointLane.tele, "Measurement", Tone.mute),
)

DEVICE_STATES = (
    Choice(DeviceState.in_use, "In use", Tone.ok),
    Choice(DeviceState.disabled, "Disabled", Tone.mute),
)
TEMPLATES = (
    Choice(DeviceTemplate.electricity, "Electricity meter"),
    Choice(DeviceTemplate.water, "Water meter"),
    Choice(DeviceTemplate.gas, "Gas meter"),
    Choice(DeviceTemplate.heat, "Heat meter"),
)

RENEW = Action(
    "credentials",
    "New credentials",
    call=api.renew_credentials,
    tone="bad",
    confirm="Give {code} another password? With the one it has it is not let in again.",
    done="Gateway {code} has new credentials",
    shown_once="credentials",
)
DEVICE_ACTIONS = (
    Action(
        "change",
        "Change",
        call=api.change_device,
        when={"state": ("in_use",)},
        done="Device {name} is changed",
        form=Form(
            title="Change the device",
            fields=(
                Field("name", "Name"),
                Field("place", "Place", required=False),
            ),
            submit="Save",
        ),
    ),
    Action(
        "disable",
        "Disable",
        call=api.disable_device,
        tone="bad",
        when={"state": ("in_use",)},
        done="Device {name} is disabled",
        form=Form(
            title="Disable the device",
            fields=(Field("reason", "Reason", "long_text", wide=True),),
            submit="Disable",
            note="It is read no more from the gateway's next start on; its values stay.",
        ),
    ),
    Action(
        "enable",
        "Enable",
        call=api.enable_device,
        when={"state": ("disabled",)},
        confirm="Read {name} again from the gateway's next start on?",
        done="Device {name} is enabled",
    ),
    Action(
        "read_now",
        "Read now",
        call=api.read_now,
        when={"state": ("in_use",)},
        done="The device was asked",
    ),
)
POINT_COLUMNS = (
    Column("label", "Value of", width=130),
    Column("lane", "Use", Kind.tag, width=110, choices=LANES),
    Column("value", "Latest value", Kind.quantity, width=120, unit_key="unit"),
    Column("measured_at", "Measured", Kind.age, width=110),
    Column("register_of", "Register", width=190),
    Column("every_s", "Every (s)", Kind.whole, width=80),
)

PAGES = (
    TablePage(
        code="devices.gateways",
        title="Gateways",
        source=api.list_gateways,
        columns=(
            Column("code", "Gateway", Kind.number, width=140, sortable=True),
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
        actions=(
            Action(
                "enrol",
                "Enroll a gateway",
                call=api.enrol_gateway,
                placement="primary",
                done="Gateway {code} is enrolled",
                shown_once="credentials",
                form=Form(
                    title="Enroll a gateway",
                    note="Its credentials are shown once: copy them into the agent's file.",
                    fields=(
                        Field(
                            "site_id",
                            "Community",
                            "lookup",
                            source=resources_api.lookup_sites,
                        ),
                        Field("code", "Gateway"),
                    ),
                    submit="Enroll",
                ),
            ),
            RENEW,
        ),
        detail="devices.gateway",
    ),
    DetailPage(
        code="devices.gateway",
        title="Gateway",
        source=api.read_gateway,
        number="code",
        subtitle=("site_name", "agent_version"),
        tags=(Column("state", "State", Kind.tag, choices=STATES),),
        figures=(
            Column("devices", "Devices", Kind.whole),
            Column("backlog", "Waiting readings", Kind.whole),
            Column("seen_at", "Last heard", Kind.age),
        ),
        sections=(
            Section(
                "attached",
                "Devices",
                "table",
                "attached",
                columns=(
                    Column("bus", "Bus", width=80),
                    Column("unit_id", "Station", Kind.whole, width=70),
                    Column("code", "Code", width=130),
                    Column("name", "Name", width=150),
                    Column("place", "Place", width=150),
                    Column("state", "State", Kind.tag, width=80, choices=DEVICE_STATES),
                ),
                note="The first 500 are shown.",
            ),
        ),
        actions=(RENEW,),
        foot="A gateway keeps its readings on disk until the platform has them.",
    ),
    TablePage(
        code="devices.devices",
        title="Devices",
        source=api.list_devices,
        columns=(
            Column("code", "Code", Kind.number, width=140, sortable=True),
            Column("name", "Name", width=160, sortable=True),
            Column("kind", "Kind", Kind.tag, width=104, choices=KINDS),
            Column("place", "Place", width=180, sortable=True),
            Column("site_name", "Community", width=150),
            Column("gateway_code", "Gateway", width=110),
            Column("bus", "Bus", width=80),
            Column("unit_id", "Station", Kind.whole, width=80),
            Column("points", "Points", Kind.whole, width=80),
            Column("measured_at", "Last value", Kind.age, width=130),
            Column("state", "State", Kind.tag, width=84, choices=DEVICE_STATES),
        ),
        filters=(
            Filter("q", "Code, name or place", "search"),
            Filter("kind", "Kind", "choice", choices=KINDS),
            Filter("state", "State", "choice", choices=DEVICE_STATES),
        ),
        sort="code",
        empty=("No device matches", "Change the search, or choose another community."),
        actions=(
            Action(
                "create",
                "Add a device",
                call=api.add_device,
                placement="primary",
                done="Device {name} is added; its gateway reads it after its next start",
                form=Form(
                    title="Add a device",
                    note="Its points come from the template; the gateway reads it after its next "
                    "start.",
                    fields=(
                        Field(
                            "gateway_id",
                            "Gateway",
                            "lookup",
                            source=api.gateway_choices,
                            section="Connection",
                        ),
                        Field(
                            "template",
                            "Template",
                            "choice",
                            choices=TEMPLATES,
                            section="Connection",
                        ),
                        Field(
                            "bus",
                            "Bus",
                            help="The collector that it hangs on, such as B1.",
                            section="Connection",
                        ),
                        Field(
                            "unit_id",
                            "Station",
                            Kind.whole,
                            help="Its address on the bus, 1 to 247.",
                            section="Connection",
                        ),
                        Field("code", "Code", section="Which device"),
                        Field("name", "Name", section="Which device"),
                        Field(
                            "space_id",
                            "Room number",
                            "lookup",
                            required=False,
                            source=resources_api.lookup_rooms,
                            section="Which device",
                        ),
                        Field("place", "Place", required=False, section="Which device"),
                    ),
                    submit="Add",
                ),
            ),
            *DEVICE_ACTIONS,
        ),
        detail="devices.device",
    ),
    DetailPage(
        code="devices.device",
        title="Device",
        source=api.read_device,
        number="name",
        subtitle=("code", "place", "site_name"),
        tags=(
            Column("state", "State", Kind.tag, choices=DEVICE_STATES),
            Column("kind", "Kind", Kind.tag, choices=KINDS),
        ),
        figures=(
            Column("gateway_code", "Gateway"),
            Column("bus", "Bus"),
            Column("unit_id", "Station", Kind.whole),
        ),
        sections=(Section("values", "Latest values", "table", "values", columns=POINT_COLUMNS),),
        actions=DEVICE_ACTIONS,
        foot="What a device measured stays, also when it is disabled.",
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
