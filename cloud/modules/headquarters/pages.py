"""Pages of headquarters."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Action, Column, Field, Filter, Form, MenuEntry, TablePage
from cloud.modules.headquarters import api
from cloud.modules.organization.pages import KINDS

RATES = (
    Field("current_rate", "Current collection rate", Kind.percent),
    Field("combined_rate", "Combined collection rate", Kind.percent),
    Field("old_rate", "Arrears collection rate", Kind.percent, required=False),
)

PAGES = (
    TablePage(
        code="headquarters.targets",
        title="Collection targets",
        source=api.list_targets,
        columns=(
            Column(
                "unit_name",
                "Region or community",
                width=280,
                sortable=True,
                note_key="inherited_note",
            ),
            Column("kind", "Kind", Kind.tag, width=96, choices=KINDS),
            Column("month", "From month", Kind.date, width=120, sortable=True),
            Column("current_rate", "Current collection rate", Kind.percent, width=130),
            Column("old_rate", "Arrears collection rate", Kind.percent, width=130),
            Column("combined_rate", "Combined collection rate", Kind.percent, width=130),
        ),
        filters=(Filter("q", "Name", "search"),),
        actions=(
            Action(
                "set",
                "Set a target",
                api.set_target,
                placement="primary",
                form=Form(
                    title="Set a target",
                    note="It holds from that month on, also below the unit, until another is set.",
                    fields=(
                        Field("unit_id", "Region or community", "lookup", source=api.lookup_units),
                        Field("month", "From month", Kind.date),
                        *RATES,
                    ),
                    submit="Save",
                ),
                done="The target is set",
            ),
            Action(
                "change",
                "Change",
                api.change_target,
                when={"is_own": ("true",)},
                form=Form(title="Change the target", fields=RATES, submit="Save"),
                done="The target is changed",
            ),
        ),
        sort="-month",
        empty=("No target yet", "Set one, and the dashboards show the distance to it."),
    ),
)

MENU = (
    MenuEntry(
        "headquarters",
        "Collection dashboard",
        view="/hq",
        needs=api.open_finance,
        icon="chart-column",
        favorite=True,
        rank=10,
    ),
    MenuEntry(
        "headquarters", "Energy dashboard", view="/hq/energy", needs=api.open_energy, rank=20
    ),
    MenuEntry("headquarters", "Collection targets", page="headquarters.targets", rank=30),
)
