"""Pages of buildings and rooms."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Action, Choice, Column, Field, Filter, Form, MenuEntry, TablePage
from cloud.modules.resources import api, imports
from cloud.modules.resources.rules import STATE_LABELS, USAGE_LABELS

USAGES = tuple(Choice(usage, *shown) for usage, shown in USAGE_LABELS.items())
STATES = tuple(Choice(state, *shown) for state, shown in STATE_LABELS.items())

_SITE = Field("site_id", "Community", "lookup", source=api.lookup_sites)
_CODE = Field("code", "Code", help="Unique where it stands, without a hyphen: 3, 1, 1202.")

ADD_BUILDING = Action(
    "add_building",
    "Add a building",
    call=api.add_building,
    placement="primary",
    form=Form(
        title="Add a building",
        fields=(_SITE, _CODE, Field("name", "Name")),
        submit="Add",
    ),
    done="{full_name} added",
)

ADD_UNIT = Action(
    "add_unit",
    "Add a unit",
    call=api.add_unit,
    placement="toolbar",
    form=Form(
        title="Add a unit",
        fields=(
            Field("building_id", "Building", "lookup", source=api.lookup_buildings),
            _CODE,
            Field("name", "Name"),
        ),
        submit="Add",
    ),
    done="{full_name} added",
)

ADD_ROOM = Action(
    "add_room",
    "Add a room",
    call=api.add_room,
    placement="primary",
    form=Form(
        title="Add a room",
        note="The room is billed by its building area when no chargeable area is given.",
        fields=(
            Field("parent_id", "Stands in", "lookup", source=api.lookup_parents, wide=True),
            _CODE,
            Field("usage", "Usage", "choice", choices=USAGES, default="residential"),
            Field("state", "State", "choice", choices=STATES, default="occupied"),
            Field("building_area", "Building area", Kind.quantity, required=False),
            Field("chargeable_area", "Chargeable area", Kind.quantity, required=False),
            Field("handover_on", "Handed over on", Kind.date, required=False),
        ),
        submit="Add",
    ),
    done="{full_name} added",
)

PAGES = (
    TablePage(
        code="resources.rooms",
        title="Rooms",
        source=api.list_rooms,
        columns=(
            Column("path", "Room number", width=120, sortable=True),
            Column("full_name", "Room", width=160),
            Column("site_name", "Community", width=140, sortable=True),
            Column("building_name", "Building", width=96),
            Column("building_area", "Building area", Kind.quantity, width=120, unit="m²"),
            Column(
                "chargeable_area",
                "Chargeable area",
                Kind.quantity,
                width=120,
                sortable=True,
                unit="m²",
            ),
            Column("usage", "Usage", Kind.tag, width=96, choices=USAGES),
            Column("state", "State", Kind.tag, width=120, choices=STATES),
            Column("handover_on", "Handed over on", Kind.date, width=120),
        ),
        filters=(
            Filter("q", "Room number or name", "search"),
            Filter("usage", "Usage", "choice", choices=USAGES),
            Filter("state", "State", "choice", choices=STATES),
        ),
        actions=(ADD_ROOM,),
        imports=imports.ROOMS,
        sort="path",
        sums=("building_area", "chargeable_area"),
        empty=("No room matches", "Change the search, or choose another community."),
    ),
    TablePage(
        code="resources.buildings",
        title="Buildings",
        source=api.list_buildings,
        columns=(
            Column("code", "Code", width=96, sortable=True),
            Column("name", "Name", width=160),
            Column("site_name", "Community", width=160, sortable=True),
            Column("units", "Units", Kind.whole, width=96),
            Column("rooms", "Rooms", Kind.whole, width=96),
        ),
        filters=(Filter("q", "Code or name", "search"),),
        actions=(ADD_BUILDING, ADD_UNIT),
        sort="code",
        empty=("No building yet", "Add the first building of this community."),
    ),
)

MENU = (
    MenuEntry("resources", "Rooms", page="resources.rooms"),
    MenuEntry("resources", "Buildings", page="resources.buildings"),
)
