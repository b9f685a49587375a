"""Pages of the organization."""

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
from cloud.modules.organization import api
from cloud.modules.organization.models import UnitKind, UnitState

KINDS = (
    Choice(UnitKind.company, "Company", Tone.mute),
    Choice(UnitKind.region, "Region", Tone.mute),
    Choice(UnitKind.project, "Community", Tone.mute),
)
KINDS_TO_ADD = KINDS[1:]
STATES = (
    Choice(UnitState.preparing, "In preparation", Tone.wait),
    Choice(UnitState.active, "In service", Tone.ok),
    Choice(UnitState.closed, "Closed", Tone.mute),
)

_NAME = Field("name", "Name")
_REASON = Field("reason", "Reason", "long_text", wide=True)

UNIT_ACTIONS = (
    Action(
        "change",
        "Change",
        api.change_unit,
        form=Form(
            title="Change the unit",
            fields=(_NAME, Field("city", "City", required=False)),
            submit="Save",
        ),
        done="{name} is changed",
    ),
    Action(
        "move",
        "Move",
        api.move_unit,
        when={"kind": ("project",)},
        form=Form(
            title="Move to another region",
            note="Holds at once: the old region's people lose sight of it. The history is kept.",
            fields=(
                Field("parent_id", "Belongs to", "lookup", source=api.lookup_parents, wide=True),
            ),
            submit="Move",
        ),
        done="{name} is moved",
    ),
    Action(
        "open",
        "Put into service",
        api.open_unit,
        when={"state": ("preparing", "closed")},
        form=Form(
            title="Put into service",
            fields=(Field("on", "In service since", Kind.date),),
            submit="Put into service",
        ),
        done="{name} is in service",
    ),
    Action(
        "close",
        "Close",
        api.close_unit,
        tone="bad",
        when={"kind": ("region", "project"), "state": ("preparing", "active")},
        form=Form(
            title="Close the unit",
            note="Refused while units, staff or unpaid bills are left in it. The history stays.",
            fields=(Field("on", "Closed on", Kind.date), _REASON),
            submit="Close",
        ),
        done="{name} is closed",
    ),
)

_UNIT_COLUMNS = (
    Column("code", "Code", width=120, sortable=True),
    Column("name", "Name", width=200, sortable=True),
    Column("kind", "Kind", Kind.tag, width=96, sortable=True, choices=KINDS),
    Column("parent_name", "Belongs to", width=180),
    Column("city", "City", width=140),
    Column("state", "State", Kind.tag, width=96, choices=STATES),
    Column("opened_on", "In service since", Kind.date, width=120, sortable=True),
    Column("closed_on", "Closed on", Kind.date, width=110),
)

UNITS = TablePage(
    code="organization.units",
    title="Organization",
    source=api.list_units,
    columns=(
        Column("code", "Code", Kind.number, width=128, sortable=True),
        *_UNIT_COLUMNS[1:],
    ),
    filters=(
        Filter("q", "Code or name", "search"),
        Filter("kind", "Kind", "choice", choices=KINDS),
        Filter("state", "State", "choice", choices=STATES),
    ),
    views=(
        View("all", "All"),
        View("preparing", "In preparation", {"state": "preparing"}),
        View("active", "In service", {"state": "active"}),
        View("closed", "Closed", {"state": "closed"}),
    ),
    actions=(
        Action(
            "create",
            "Add a unit of the organization",
            api.create_unit,
            placement="primary",
            form=Form(
                title="Add a unit of the organization",
                note="A community starts in preparation; its code stands in document numbers.",
                fields=(
                    Field("kind", "Kind", "choice", choices=KINDS_TO_ADD, default="project"),
                    Field("parent_id", "Belongs to", "lookup", source=api.lookup_parents),
                    Field("code", "Code"),
                    _NAME,
                    Field("city", "City", required=False),
                ),
                submit="Add",
            ),
            done="{name} is added",
        ),
        *UNIT_ACTIONS,
    ),
    detail="organization.unit",
    sort="code",
    empty=("No unit matches", "Change the search, or choose another community."),
)

UNIT = DetailPage(
    code="organization.unit",
    title="Unit of the organization",
    source=api.read_unit,
    number="name",
    subtitle=("code", "parent_name", "city"),
    tags=(
        Column("kind", "Kind", Kind.tag, choices=KINDS),
        Column("state", "State", Kind.tag, choices=STATES),
    ),
    sections=(
        Section(
            "children",
            "Units below",
            "table",
            "children",
            columns=(*_UNIT_COLUMNS[:3], _UNIT_COLUMNS[5]),
        ),
        Section(
            "departments",
            "Departments",
            "table",
            "departments",
            columns=(
                Column("code", "Code", width=120),
                Column("name", "Name", width=160),
                Column("leader", "Leader", width=120),
            ),
        ),
        Section(
            "placements",
            "Where it stood",
            "table",
            "placements",
            columns=(
                Column("parent_name", "Belongs to", width=200),
                Column("valid_from", "Starts on", Kind.date, width=120),
                Column("valid_to", "Ends on", Kind.date, width=120),
            ),
        ),
        Section("timeline", "History", "timeline", "timeline"),
    ),
    actions=UNIT_ACTIONS,
)

DEPARTMENTS = TablePage(
    code="organization.departments",
    title="Departments",
    source=api.list_departments,
    columns=(
        Column("code", "Code", width=120, sortable=True),
        Column("name", "Name", width=180, sortable=True),
        Column("unit_name", "Belongs to", width=180, sortable=True),
        Column("leader", "Leader", width=120),
        Column("state", "State", Kind.tag, width=96, choices=(STATES[1], STATES[2])),
    ),
    filters=(Filter("q", "Code or name", "search"),),
    actions=(
        Action(
            "create",
            "Add a department",
            api.create_department,
            placement="primary",
            form=Form(
                title="Add a department",
                fields=(
                    Field("unit_id", "Belongs to", "lookup", source=api.lookup_units),
                    Field("code", "Code"),
                    _NAME,
                    Field("leader", "Leader", required=False),
                ),
                submit="Add",
            ),
            done="{name} is added",
        ),
        Action(
            "change",
            "Change",
            api.change_department,
            when={"state": ("active",)},
            form=Form(
                title="Change the department",
                fields=(_NAME, Field("leader", "Leader", required=False)),
                submit="Save",
            ),
            done="{name} is changed",
        ),
        Action(
            "close",
            "Close",
            api.close_department,
            tone="bad",
            when={"state": ("active",)},
            form=Form(
                title="Close the department",
                note="Refused while staff are in it.",
                fields=(_REASON,),
                submit="Close",
            ),
            done="{name} is closed",
        ),
    ),
    sort="code",
    empty=("No department yet", "A department groups the staff of a unit."),
)

_ENTITY_FIELDS = (
    Field("name", "Name", wide=True),
    Field("tax_number", "Tax number", help="15 to 20 digits and capital letters."),
)

LEGAL_ENTITIES = TablePage(
    code="organization.legal_entities",
    title="Legal entities",
    source=api.list_legal_entities,
    columns=(
        Column("name", "Name", width=280, sortable=True),
        Column("tax_number", "Tax number", width=220),
    ),
    filters=(Filter("q", "Name", "search"),),
    actions=(
        Action(
            "create",
            "Add a legal entity",
            api.create_legal_entity,
            placement="primary",
            form=Form(title="Add a legal entity", fields=_ENTITY_FIELDS, submit="Add"),
            done="{name} is added",
        ),
        Action(
            "change",
            "Change",
            api.change_legal_entity,
            form=Form(
                title="Change the legal entity",
                note="Documents that were issued keep the text they were issued with.",
                fields=_ENTITY_FIELDS,
                submit="Save",
            ),
            done="{name} is changed",
        ),
    ),
    sort="name",
    empty=("No legal entity yet", "Bills need one to say who invoices."),
)

PAGES = (UNITS, UNIT, DEPARTMENTS, LEGAL_ENTITIES)

MENU = (
    MenuEntry("system", "Organization", page="organization.units"),
    MenuEntry("system", "Departments", page="organization.departments"),
    MenuEntry("system", "Legal entities", page="organization.legal_entities"),
)
