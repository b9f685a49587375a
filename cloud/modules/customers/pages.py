"""Pages of parties."""

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
from cloud.modules.customers import api, catalogues, imports
from cloud.modules.customers.models import PartyKind
from cloud.modules.customers.queries import PartyState, RoleState
from cloud.modules.customers.rules import ROLE_LABELS
from cloud.modules.resources import api as resources

KINDS = (
    Choice(PartyKind.person, "Person", Tone.mute),
    Choice(PartyKind.company, "Business", Tone.mute),
)

ROLES = tuple(Choice(role, *shown) for role, shown in ROLE_LABELS.items())

ROLE_STATES = (
    Choice(RoleState.holds, "Holds", Tone.ok),
    Choice(RoleState.begins, "Begins later", Tone.info),
    Choice(RoleState.ended, "Ended", Tone.mute),
)
PARTY_STATES = (
    Choice(PartyState.in_use, "In use", Tone.ok),
    Choice(PartyState.closed, "Disabled", Tone.mute),
)

_TYPE = Field(
    "type_id",
    "Customer type",
    "lookup",
    required=False,
    source=catalogues.customer_types.choices,
)
_KEPT = "Leave empty to keep the number on record."

ADD = Action(
    "add",
    "Add a customer",
    call=api.add_party,
    placement="primary",
    form=Form(
        title="Add a customer",
        fields=(
            Field("site_id", "Community", "lookup", source=resources.lookup_sites),
            Field("name", "Name"),
            Field("kind", "Kind", "choice", choices=KINDS, default="person"),
            Field("phone", "Phone", Kind.phone, required=False),
            Field("id_number", "ID number", required=False),
            _TYPE,
            Field("note", "Note", "long_text", required=False, wide=True),
        ),
        submit="Add",
    ),
    done="{name} added",
)

GIVE_ROOM = Action(
    "give_room",
    "Give a room",
    call=api.attach_party,
    form=Form(
        title="Give a room",
        fields=(
            Field("room_id", "Room", "lookup", source=resources.lookup_rooms),
            Field("role", "Role", "choice", choices=ROLES, default="owner"),
            Field(
                "relation_id",
                "Relation to the owner",
                "lookup",
                required=False,
                source=catalogues.relations.choices,
            ),
            Field(
                "share",
                "Share in %",
                Kind.quantity,
                required=False,
                help="Of owners only; leave all blank or let them sum to 100.",
            ),
            Field("valid_from", "From", Kind.date),
            Field("is_payer", "Pays for the room", Kind.flag, required=False),
        ),
        submit="Save",
    ),
)

CHANGE = Action(
    "change",
    "Change",
    call=api.change_party,
    when={"state": ("in_use",)},
    form=Form(
        title="Change a customer",
        fields=(
            Field("name", "Name"),
            Field("kind", "Kind", "choice", choices=KINDS),
            Field("phone", "Phone", Kind.phone, required=False, help=_KEPT),
            Field("id_number", "ID number", required=False, help=_KEPT),
            _TYPE,
            Field("note", "Note", "long_text", required=False, wide=True),
        ),
        submit="Save",
    ),
)

CLOSE = Action(
    "close",
    "Disable",
    call=api.close_party,
    tone="bad",
    when={"state": ("in_use",)},
    form=Form(
        title="Disable the customer",
        note="A disabled customer is offered no more. Bills and history keep the name.",
        fields=(Field("reason", "Reason", "long_text", wide=True),),
        submit="Disable",
    ),
    done="{name} is disabled",
)

PAGES = (
    TablePage(
        code="customers.parties",
        title="Owners and residents",
        source=api.list_parties,
        columns=(
            Column("name", "Name", Kind.number, width=140, sortable=True),
            Column("kind", "Kind", Kind.tag, width=88, choices=KINDS),
            Column("type_name", "Customer type", width=104),
            Column("phone_masked", "Phone", Kind.phone, width=140),
            Column("rooms", "Room", width=200),
            Column("site_name", "Community", width=140, sortable=True),
            Column("note", "Note", width=200),
        ),
        filters=(
            Filter("q", "Name or phone", "search"),
            Filter("kind", "Kind", "choice", choices=KINDS),
        ),
        views=(
            View("in_use", "In use"),
            View("no_phone", "No phone", {"state": "no_phone"}),
            View("no_room", "No room", {"state": "no_room"}),
            View("closed", "Disabled", {"state": "closed"}),
        ),
        actions=(ADD, GIVE_ROOM, CHANGE, CLOSE),
        imports=imports.OWNERS_AND_RESIDENTS,
        sort="name",
        detail="customers.party",
        empty=("No customer matches", "Change the search, or choose another community."),
    ),
    DetailPage(
        code="customers.party",
        title="Customer",
        source=api.read_party,
        number="name",
        subtitle=("site_name", "type_name", "note"),
        tags=(
            Column("kind", "Kind", Kind.tag, choices=KINDS),
            Column("state", "State", Kind.tag, choices=PARTY_STATES),
        ),
        figures=(
            Column("phone_masked", "Phone", Kind.phone),
            Column("id_number_masked", "ID number"),
        ),
        sections=(
            Section(
                "roles",
                "Rooms over time",
                "table",
                "roles",
                columns=(
                    Column("room_name", "Room", width=150),
                    Column("role", "Role", Kind.tag, width=88, choices=ROLES),
                    Column("relation", "Relation to the owner", width=88),
                    Column("share", "Share in %", Kind.quantity, width=88),
                    Column("valid_from", "From", Kind.date, width=104),
                    Column("last_on", "Last day", Kind.date, width=104),
                    Column("state", "State", Kind.tag, width=88, choices=ROLE_STATES),
                ),
            ),
        ),
        actions=(GIVE_ROOM, CHANGE, CLOSE),
    ),
    *catalogues.PAGES,
)

MENU = (
    MenuEntry("customers", "Owners and residents", page="customers.parties", icon="users"),
    MenuEntry("customers", "Customer types", page="customers.types", rank=80),
    MenuEntry("customers", "Relations to the owner", page="customers.relations", rank=81),
)
