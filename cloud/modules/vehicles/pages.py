"""The list of vehicles."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import (
    Action,
    Choice,
    Column,
    Field,
    Filter,
    Form,
    MenuEntry,
    TablePage,
    View,
)
from cloud.modules.customers import api as customers
from cloud.modules.resources import api as resources
from cloud.modules.vehicles import api
from cloud.modules.vehicles.queries import VehicleState
from cloud.modules.vehicles.rules import PLATE_TYPE_LABELS

PLATE_TYPES = tuple(Choice(each, *shown) for each, shown in PLATE_TYPE_LABELS.items())
STATES = (
    Choice(VehicleState.in_use, "In use", Tone.ok),
    Choice(VehicleState.closed, "Disabled", Tone.mute),
)
_IN_USE = {"state": (VehicleState.in_use.value,)}
_FACTS = (
    Field("plate_type", "Kind of plate", "choice", choices=PLATE_TYPES, default="fuel"),
    Field(
        "plate",
        "Plate",
        required=False,
        help="As on the vehicle: 粤B12345. Empty for a vehicle without a plate.",
    ),
    Field("room_id", "Room", "lookup", required=False, source=resources.lookup_rooms),
    Field("party_id", "Vehicle owner", "lookup", required=False, source=customers.lookup_parties),
    Field("brand", "Brand", required=False),
    Field("color", "Color", required=False),
    Field("note", "Note", "long_text", required=False, wide=True),
)

ADD = Action(
    "add",
    "Add a vehicle",
    call=api.add_vehicle,
    placement="primary",
    form=Form(
        title="Add a vehicle",
        fields=(
            Field("site_id", "Community", "lookup", source=resources.lookup_sites, wide=True),
            *_FACTS,
        ),
        submit="Add",
    ),
    done="Vehicle added",
)

CHANGE = Action(
    "change",
    "Change",
    call=api.change_vehicle,
    when=_IN_USE,
    form=Form(title="Change a vehicle", fields=_FACTS, submit="Save"),
    done="Saved",
)

CLOSE = Action(
    "close",
    "Disable",
    call=api.close_vehicle,
    tone="bad",
    when=_IN_USE,
    form=Form(
        title="Disable the vehicle",
        note="From today on it is on no list of vehicles in use; its plate may be added again.",
        fields=(Field("reason", "Reason", "long_text", wide=True),),
        submit="Disable",
    ),
    done="{plate} is disabled",
)

PAGES = (
    TablePage(
        code="vehicles.vehicles",
        title="Vehicles",
        source=api.list_vehicles,
        columns=(
            Column("plate", "Plate", Kind.number, width=120, sortable=True),
            Column("plate_type", "Kind of plate", Kind.tag, width=136, choices=PLATE_TYPES),
            Column("room_name", "Room", width=160, sortable=True),
            Column("party_name", "Vehicle owner", width=120, sortable=True),
            Column("site_name", "Community", width=140, sortable=True),
            Column("brand", "Brand", width=136),
            Column("color", "Color", width=80),
            Column("closed_on", "Disabled since", Kind.date, width=112),
            Column("state", "State", Kind.tag, width=96, choices=STATES),
            Column("note", "Note", width=180),
        ),
        filters=(
            Filter("q", "Plate, owner or room", "search"),
            Filter("plate_type", "Kind of plate", "choice", choices=PLATE_TYPES),
        ),
        views=(
            View("in_use", "In use"),
            View("no_room", "No room", {"state": VehicleState.no_room.value}),
            View("closed", "Disabled", {"state": VehicleState.closed.value}),
        ),
        actions=(ADD, CHANGE, CLOSE),
        sort="plate",
        empty=("No vehicle matches", "Change the search, or choose another community."),
    ),
)

MENU = (MenuEntry("customers", "Vehicles", page="vehicles.vehicles", icon="car"),)
