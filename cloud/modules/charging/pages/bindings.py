"""The page of what standards are bound to."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import (
    Action,
    Choice,
    Column,
    Field,
    Filter,
    Form,
    TablePage,
    View,
)
from cloud.modules.charging import api
from cloud.modules.charging.queries import BindingState
from cloud.modules.charging.rules import BINDING_LABELS
from cloud.modules.resources import api as resources_api
from cloud.modules.resources.pages import USAGES

BINDING_STATES = tuple(
    Choice(BindingState(state), *shown) for state, shown in BINDING_LABELS.items()
)

BINDINGS = TablePage(
    code="charging.bindings",
    title="Charge bindings",
    source=api.list_bindings,
    columns=(
        Column("room_name", "Room number", width=150, sortable=True),
        Column("item_name", "Charge item", width=100),
        Column("standard_name", "Charge standard", width=180, sortable=True),
        Column("unit_price", "Unit price", Kind.price, width=150, unit_key="price_unit"),
        Column("meter_no", "Meter", width=130),
        Column("starts_on", "Starts on", Kind.date, width=110, sortable=True),
        Column("ends_on", "Ends on", Kind.date, width=110),
        Column("state", "State", Kind.tag, width=84, choices=BINDING_STATES),
        Column("site_name", "Community", width=120),
    ),
    filters=(
        Filter("q", "Room number", "search"),
        Filter("item_id", "Charge item", "choice", source=api.item_choices),
        Filter("standard_id", "Charge standard", "choice", source=api.standard_choices),
        Filter("state", "State", "choice", choices=BINDING_STATES),
    ),
    views=(
        View("all", "All"),
        View("holding", "Holding", {"state": "holding"}),
        View("ended", "Ended", {"state": "ended"}),
    ),
    actions=(
        Action(
            "create",
            "Bind rooms",
            api.bind_selected,
            placement="primary",
            form=Form(
                title="Bind rooms to a standard",
                note="For a metered standard the meters of the rooms are bound.",
                fields=(
                    Field(
                        "standard_id",
                        "Charge standard",
                        "lookup",
                        source=api.standard_choices,
                        section="Standard",
                    ),
                    Field("starts_on", "Starts on", Kind.date, section="Standard"),
                    Field(
                        "building_id",
                        "Building",
                        "lookup",
                        required=False,
                        source=resources_api.lookup_buildings,
                        section="Which rooms",
                    ),
                    Field(
                        "usage",
                        "Use",
                        "choice",
                        required=False,
                        choices=USAGES,
                        section="Which rooms",
                    ),
                    Field(
                        "room_ids",
                        "Only these rooms",
                        "multi",
                        required=False,
                        source=resources_api.lookup_rooms,
                        wide=True,
                        help="Left open: all rooms of the community that fit the above.",
                        section="Which rooms",
                    ),
                ),
                trial=api.try_binding,
                submit="Bind",
            ),
            done="{bound} bound, {skipped} skipped",
        ),
        Action(
            "change",
            "Change standard",
            api.change_binding,
            when={"state": ("holding", "upcoming")},
            form=Form(
                title="Change the standard of the room",
                note="The old binding ends the day before; a new one begins.",
                fields=(
                    Field("standard_id", "New standard", "lookup", source=api.standard_choices),
                    Field("starts_on", "From", Kind.date, start_key="next_change_on"),
                ),
                submit="Change",
            ),
            done="The new standard holds from {starts_on}",
        ),
        Action(
            "end",
            "End",
            api.end_binding,
            tone="bad",
            when={"state": ("holding", "upcoming")},
            form=Form(
                title="End the binding",
                note="What is left of the running cycle is billed by the next run.",
                fields=(
                    Field("last_day", "Last day", Kind.date),
                    Field("reason", "Reason", "long_text", wide=True),
                ),
                submit="End",
            ),
            done="The binding is ended",
        ),
        Action(
            "end_selected",
            "End",
            api.end_bindings,
            placement="selection",
            tone="bad",
            form=Form(
                title="End the chosen bindings",
                note="All of them or none: one that is billed beyond the day stops the others.",
                fields=(
                    Field("last_day", "Last day", Kind.date),
                    Field("reason", "Reason", "long_text", wide=True),
                ),
                submit="End",
            ),
            done="{ended} bindings are ended",
        ),
    ),
    sort="room_name",
    empty=(
        "Nothing is bound yet",
        "A binding says which standard holds for a room since when.",
    ),
)
