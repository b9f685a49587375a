"""Pages of parties."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import Action, Choice, Column, Field, Filter, Form, MenuEntry, TablePage
from cloud.modules.customers import api, imports
from cloud.modules.customers.models import PartyKind
from cloud.modules.customers.rules import ROLE_LABELS
from cloud.modules.resources import api as resources

KINDS = (
    Choice(PartyKind.person, "Person", Tone.mute),
    Choice(PartyKind.company, "Organization as a customer", Tone.info),
)

ROLES = tuple(Choice(role, *shown) for role, shown in ROLE_LABELS.items())

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

PAGES = (
    TablePage(
        code="customers.parties",
        title="Owners and residents",
        source=api.list_parties,
        columns=(
            Column("name", "Name", width=140, sortable=True),
            Column("kind", "Kind", Kind.tag, width=88, choices=KINDS),
            Column("phone_masked", "Phone", Kind.phone, width=140),
            Column("rooms", "Room", width=200),
            Column("site_name", "Community", width=140, sortable=True),
            Column("note", "Note", width=200),
        ),
        filters=(
            Filter("q", "Name or phone", "search"),
            Filter("kind", "Kind", "choice", choices=KINDS),
        ),
        actions=(ADD, GIVE_ROOM),
        imports=imports.OWNERS_AND_RESIDENTS,
        sort="name",
        empty=("No customer matches", "Change the search, or choose another community."),
    ),
)

MENU = (MenuEntry("customers", "Owners and residents", page="customers.parties"),)
