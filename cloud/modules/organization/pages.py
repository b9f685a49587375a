"""Pages of the organization."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import Choice, Column, Filter, MenuEntry, TablePage
from cloud.modules.organization import api
from cloud.modules.organization.models import UnitKind

KINDS = (
    Choice(UnitKind.company, "Company", Tone.auto),
    Choice(UnitKind.region, "Region", Tone.info),
    Choice(UnitKind.project, "Community", Tone.ok),
)

PAGES = (
    TablePage(
        code="organization.units",
        title="Organization",
        source=api.list_units,
        columns=(
            Column("code", "Code", width=120, sortable=True),
            Column("name", "Name", width=200, sortable=True),
            Column("kind", "Kind", Kind.tag, width=96, sortable=True, choices=KINDS),
            Column("parent_name", "Belongs to", width=200),
            Column("city", "City", width=160),
        ),
        filters=(Filter("q", "Code or name", "search"),),
        sort="code",
        empty=("No unit matches", "Change the search, or choose another community."),
    ),
    TablePage(
        code="organization.legal_entities",
        title="Legal entities",
        source=api.list_legal_entities,
        columns=(
            Column("name", "Name", width=280, sortable=True),
            Column("tax_number", "Tax number", width=220),
        ),
        filters=(Filter("q", "Name", "search"),),
        sort="name",
        empty=("No legal entity yet", "Bills need one to say who invoices."),
    ),
)

MENU = (
    MenuEntry("system", "Organization", page="organization.units"),
    MenuEntry("system", "Legal entities", page="organization.legal_entities"),
)
