"""Pages of buildings; what may be done to a room. The list of rooms is receiving's."""

from __future__ import annotations

from dataclasses import replace

from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import (
    Action,
    Choice,
    Column,
    Field,
    Filter,
    Form,
    MenuEntry,
    TablePage,
)
from cloud.modules.resources import api, catalogues
from cloud.modules.resources.models import RoomState
from cloud.modules.resources.rules import STATE_LABELS, USAGE_LABELS

USAGES = tuple(Choice(usage, *shown) for usage, shown in USAGE_LABELS.items())
STATES = tuple(Choice(state, *shown) for state, shown in STATE_LABELS.items())
OPEN_STATES = tuple(one for one in STATES if one.value is not RoomState.closed)

_SITE = Field("site_id", "Community", "lookup", source=api.lookup_sites)
_CODE = Field("code", "Code", help="Unique where it stands, without a hyphen: 3, 1, 1202.")

_ROOM_TYPE = Field(
    "room_type_id",
    "Room type",
    "lookup",
    required=False,
    source=catalogues.room_types.choices,
)
_REASON = Field("reason", "Reason", "long_text", wide=True)

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
            Field("building_area", "Building area", Kind.quantity, required=False, unit="m²"),
            Field("chargeable_area", "Chargeable area", Kind.quantity, required=False, unit="m²"),
            _ROOM_TYPE,
            Field("handover_on", "Handed over on", Kind.date, required=False),
        ),
        submit="Add",
    ),
    done="{full_name} added",
)

_LIST = "Separate them with commas."
_ON = Field("on", "On", Kind.date, required=False, help="Today when left empty.")

GENERATE_ROOMS = Action(
    "generate_rooms",
    "Number rooms by a rule",
    call=api.generate_rooms,
    placement="toolbar",
    form=Form(
        title="Number rooms by a rule",
        note="All rooms or none: a room that is there already stops the whole.",
        fields=(
            Field("building_id", "Building", "lookup", source=api.lookup_buildings),
            Field(
                "units",
                "Codes of the units",
                required=False,
                help="1, 2, 3; missing ones are added. Empty: straight in the building.",
            ),
            Field("floors_from", "Lowest floor", Kind.quantity, default="1"),
            Field("floors_to", "Highest floor", Kind.quantity),
            Field("rooms_per_floor", "Rooms on a floor", Kind.whole),
            Field(
                "pattern",
                "Pattern of the numbers",
                default="{floor}{seq:02}",
                help="{floor}{seq:02} makes 1202; {unit} may stand in it too.",
            ),
            Field("skip_floors", "Floors left out", required=False, help=_LIST),
            Field("skip_sequences", "Sequences left out", required=False, help=_LIST),
            Field(
                "areas",
                "Building areas",
                required=False,
                unit="m²",
                help="In the order of the rooms on a floor: 89.5, 120.",
            ),
            _ROOM_TYPE,
            Field("usage", "Usage", "choice", choices=USAGES, default="residential"),
            Field("state", "State", "choice", choices=OPEN_STATES, default="unsold"),
            Field("handover_on", "Handed over on", Kind.date, required=False),
        ),
        trial=api.try_rooms,
        submit="Add these rooms",
    ),
    done="{count} rooms added: {first} to {last}",
)

CHANGE_ROOM = Action(
    "change",
    "Change",
    call=api.change_room,
    form=Form(
        title="Change the room",
        note="Areas and states have actions of their own: they hold from a day on.",
        fields=(
            Field("name", "Name"),
            Field("usage", "Usage", "choice", choices=USAGES),
            _ROOM_TYPE,
            Field("floor", "Floor", Kind.whole, required=False),
            Field(
                "coefficient",
                "Coefficient",
                Kind.quantity,
                help="The area is billed so many times.",
            ),
            Field("handover_on", "Handed over on", Kind.date, required=False),
            Field("move_in_on", "Moved in on", Kind.date, required=False),
        ),
        submit="Save",
    ),
)

CHANGE_AREAS = Action(
    "areas",
    "Change the areas",
    call=api.change_areas,
    form=Form(
        title="Change the areas",
        note="Bills of days before keep the old areas; a cycle is split on the day.",
        fields=(
            Field("building_area", "Building area", Kind.quantity, required=False, unit="m²"),
            Field("inner_area", "Inner area", Kind.quantity, required=False, unit="m²"),
            Field("chargeable_area", "Chargeable area", Kind.quantity, required=False, unit="m²"),
            Field("valid_from", "Holds from", Kind.date),
            Field("reason", "Reason", "long_text", required=False, wide=True),
        ),
        submit="Save",
    ),
)

CHANGE_STATE = Action(
    "state",
    "Change the state",
    call=api.change_room_state,
    form=Form(
        title="Change the state",
        note="The day is kept with the room's history.",
        fields=(
            Field(
                "state",
                "State",
                "choice",
                choices=OPEN_STATES,
            ),
            _ON,
            Field("note", "Note", "long_text", required=False, wide=True),
        ),
        submit="Save",
    ),
)

CLOSE_ROOM = Action(
    "close",
    "Disable the room",
    call=api.close_room,
    tone="bad",
    when={"state": tuple(state.value for state in RoomState if state is not RoomState.closed)},
    form=Form(
        title="Disable the room",
        note="A disabled room is charged no more. Its bills, people and history stay on record.",
        fields=(_REASON, _ON),
        submit="Disable the room",
    ),
    done="The room is disabled",
)

TAKE_OUT_ROOM = Action(
    "take_out",
    "Take out",
    call=api.take_out_room,
    tone="bad",
    form=Form(
        title="Take out a room made by mistake",
        note="Only while nothing refers to it. A room with bills or people is disabled instead.",
        fields=(_REASON,),
        submit="Take out",
    ),
    done="{full_name} taken out",
)

RENAME_BUILDING = Action(
    "rename",
    "Rename",
    call=api.rename_building,
    form=Form(
        title="Rename",
        note="Every room below takes the new name into its own.",
        fields=(Field("name", "Name"),),
        submit="Save",
    ),
)

CLOSE_BUILDING = Action(
    "close",
    "Take out",
    call=api.close_building,
    tone="bad",
    form=Form(
        title="Take out an empty building",
        fields=(_REASON,),
        submit="Take out",
        note="Only while no room stands in it; its units go with it.",
    ),
    done="{full_name} taken out",
)

RENAME_UNIT = Action("rename", "Rename", call=api.rename_unit, form=RENAME_BUILDING.form)

CLOSE_UNIT = Action(
    "close",
    "Take out",
    call=api.close_unit,
    tone="bad",
    form=Form(
        title="Take out an empty unit",
        fields=(_REASON,),
        submit="Take out",
        note="Only while no room stands in it.",
    ),
    done="{full_name} taken out",
)

BUILDINGS = TablePage(
    code="resources.buildings",
    title="Buildings",
    source=api.list_buildings,
    columns=(
        Column("code", "Code", width=96, sortable=True),
        Column("name", "Name", width=160),
        Column("site_name", "Community", width=160, sortable=True),
        Column("units", "Units", Kind.whole, width=96),
        Column("rooms", "Rooms in it", Kind.whole, width=96),
    ),
    filters=(Filter("q", "Code or name", "search"),),
    actions=(ADD_BUILDING, ADD_UNIT, GENERATE_ROOMS, RENAME_BUILDING, CLOSE_BUILDING),
    sort="code",
    empty=("No building yet", "Add the first building of this community."),
)

UNITS = TablePage(
    code="resources.units",
    title="Building units",
    source=api.list_units,
    columns=(
        Column("path", "Code", width=96, sortable=True),
        Column("name", "Name", width=160),
        Column("building_name", "Building", width=140),
        Column("site_name", "Community", width=160, sortable=True),
        Column("rooms", "Rooms in it", Kind.whole, width=96),
    ),
    filters=(Filter("q", "Code or name", "search"),),
    actions=(replace(ADD_UNIT, placement="primary"), RENAME_UNIT, CLOSE_UNIT),
    sort="path",
    empty=("No unit yet", "Add a unit to a building."),
)

PAGES = (BUILDINGS, UNITS, catalogues.ROOM_TYPES_PAGE)

MENU = (
    MenuEntry("resources", "Buildings", page="resources.buildings", rank=30),
    MenuEntry("resources", "Building units", page="resources.units", rank=31),
    MenuEntry("resources", "Room types", page="resources.room_types", rank=80),
)
