"""The list of rooms, whole: what a room lacks, its transfer, and the way to its own screen."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import (
    Action,
    Choice,
    Column,
    Field,
    Filter,
    Form,
    Lead,
    MenuEntry,
    TablePage,
    View,
)
from cloud.modules.charging import api as charging
from cloud.modules.customers import api as customers
from cloud.modules.customers.models import Arrears
from cloud.modules.customers.rules import ARREARS_LABELS
from cloud.modules.receiving import api
from cloud.modules.resources import imports
from cloud.modules.resources import pages as resources

TRANSFER = Action(
    "transfer",
    "Transfer ownership",
    call=customers.transfer_room,
    when={"state": tuple(one.value.value for one in resources.OPEN_STATES)},
    form=Form(
        title="Transfer ownership",
        note="From the day on, the owners until now have no role and the new ones take over.",
        fields=(
            Field("on", "Transferred on", Kind.date),
            Field(
                "arrears",
                "Open bills",
                "choice",
                choices=tuple(Choice(one, *shown) for one, shown in ARREARS_LABELS.items()),
                default=Arrears.settle.value,
            ),
            Field(
                "owners",
                "New owners",
                "multi",
                source=customers.lookup_parties,
                wide=True,
                help="The first of them pays. Add a customer first who is not found.",
            ),
            Field(
                "shares",
                "Shares in %",
                required=False,
                help="In the order of the owners: 60, 40. Empty when nobody has one.",
            ),
            Field("note", "Note", required=False),
        ),
        trial=api.try_transfer,
        submit="Transfer ownership",
    ),
    done="Ownership transferred",
)

ROOMS = TablePage(
    code="receiving.rooms",
    title="Rooms",
    source=api.list_rooms,
    columns=(
        Column("path", "Room number", Kind.number, width=120, sortable=True),
        Column("full_name", "Room", width=160),
        Column("site_name", "Community", width=140, sortable=True),
        Column("building_name", "Building", width=96),
        Column("floor", "Floor", Kind.whole, width=72, sortable=True),
        Column("room_type", "Room type", width=96),
        Column("building_area", "Building area", Kind.quantity, width=112, unit="m²"),
        Column(
            "chargeable_area",
            "Chargeable area",
            Kind.quantity,
            width=112,
            sortable=True,
            unit="m²",
        ),
        Column("usage", "Usage", Kind.tag, width=88, choices=resources.USAGES),
        Column("state", "State", Kind.tag, width=104, choices=resources.STATES),
        Column("handover_on", "Handed over on", Kind.date, width=112),
    ),
    filters=(
        Filter("q", "Room number or name", "search"),
        Filter("usage", "Usage", "choice", choices=resources.USAGES),
        Filter("state", "State", "choice", choices=resources.STATES),
    ),
    views=(
        View("all", "All"),
        View("no_owner", "No owner", {"lacks": "owner"}, Tone.bad, needs=customers.list_parties),
        View(
            "no_standard",
            "No charge standard",
            {"lacks": "standard"},
            Tone.bad,
            needs=charging.list_bindings,
        ),
        View("no_area", "No area", {"has_area": "false"}, Tone.bad),
        View("vacant", "Vacant", {"state": "vacant"}),
        View("closed", "Disabled", {"state": "closed"}),
    ),
    actions=(
        resources.ADD_ROOM,
        resources.GENERATE_ROOMS,
        resources.CHANGE_ROOM,
        TRANSFER,
        resources.CHANGE_AREAS,
        resources.CHANGE_STATE,
        resources.CLOSE_ROOM,
        resources.TAKE_OUT_ROOM,
    ),
    imports=imports.ROOMS,
    leads=Lead("/rooms/{id}", needs=api.room_profile),
    sort="path",
    sums=("building_area", "chargeable_area"),
    empty=("No room matches", "Change the search, or choose another community."),
)

MENU = (MenuEntry("resources", "Rooms", page="receiving.rooms", icon="door-open", rank=20),)

PAGES = (ROOMS,)
