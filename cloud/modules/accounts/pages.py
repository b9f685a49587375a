"""Pages of accounts."""

from __future__ import annotations

from enum import StrEnum

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import Choice, Column, Filter, MenuEntry, TablePage
from cloud.modules.accounts import api


class UserState(StrEnum):
    active = "active"
    disabled = "disabled"


STATES = (
    Choice(UserState.active, "Active", Tone.ok),
    Choice(UserState.disabled, "Disabled", Tone.mute),
)

PAGES = (
    TablePage(
        code="accounts.users",
        title="Staff accounts",
        source=api.list_users,
        columns=(
            Column("login", "Account", width=140, sortable=True),
            Column("name", "Name", width=120, sortable=True),
            Column("post", "Post", width=140),
            Column("unit_name", "Belongs to", width=180),
            Column("roles", "Roles", width=220),
            Column("state", "State", Kind.tag, width=96, choices=STATES),
        ),
        filters=(Filter("q", "Account or name", "search"),),
        sort="login",
        empty=("No account matches", "Change the search, or choose another community."),
    ),
    TablePage(
        code="accounts.roles",
        title="Roles",
        source=api.list_roles,
        columns=(
            Column("code", "Code", width=160, sortable=True),
            Column("name", "Name", width=200),
            Column("permissions", "Permissions", Kind.whole, width=104),
            Column("people", "People", Kind.whole, width=104),
        ),
        filters=(Filter("q", "Name", "search"),),
        sort="code",
        empty=("No role yet", "A role collects permissions for a post."),
    ),
)

MENU = (
    MenuEntry("system", "Staff accounts", page="accounts.users"),
    MenuEntry("system", "Roles", page="accounts.roles"),
)
