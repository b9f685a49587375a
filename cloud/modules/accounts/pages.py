"""Pages of accounts."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import (
    Action,
    Choice,
    Column,
    Field,
    Filter,
    Form,
    MenuEntry,
    TablePage,
    View,
)
from cloud.modules.accounts import api
from cloud.modules.organization import api as organization_api


class UserState(StrEnum):
    active = "active"
    disabled = "disabled"


class RoleState(StrEnum):
    active = "active"
    closed = "closed"


STATES = (
    Choice(UserState.active, "Active", Tone.ok),
    Choice(UserState.disabled, "Disabled", Tone.mute),
)
ROLE_STATES = (
    Choice(RoleState.active, "Active", Tone.ok),
    Choice(RoleState.closed, "Closed", Tone.mute),
)

_NAME = Field("name", "Name")
_FULL_NAME = Field("name", "Full name")
_REASON = Field("reason", "Reason", "long_text", wide=True)
_PERSON = (
    Field("post", "Post", required=False),
    Field("org_id", "Home unit", "lookup", source=organization_api.lookup_units),
    Field(
        "department_id",
        "Department",
        "lookup",
        required=False,
        source=organization_api.lookup_departments,
    ),
    Field(
        "role_ids",
        "Roles",
        "multi",
        required=False,
        source=api.role_choices,
        section="What this person may do",
        wide=True,
    ),
    Field(
        "unit_ids",
        "Works in",
        "multi",
        required=False,
        source=organization_api.lookup_units,
        help="Each role holds in each of these units and below.",
        section="What this person may do",
        wide=True,
    ),
)

USERS = TablePage(
    code="accounts.users",
    title="Staff accounts",
    source=api.list_users,
    columns=(
        Column("login", "Account", width=140, sortable=True),
        Column("name", "Full name", width=100, sortable=True),
        Column("post", "Post", width=140),
        Column("phone_masked", "Phone", Kind.phone, width=120),
        Column("unit_name", "Home unit", width=150, sortable=True),
        Column("department_name", "Department", width=110),
        Column("roles", "Roles", width=160),
        Column("units", "Works in", width=180),
        Column("state", "State", Kind.tag, width=88, choices=STATES),
    ),
    filters=(
        Filter("q", "Account, name or phone", "search"),
        Filter("role_id", "Roles", "choice", source=api.role_choices),
        Filter("state", "State", "choice", choices=STATES),
    ),
    views=(
        View("all", "All"),
        View("active", "Active", {"state": "active"}),
        View("disabled", "Disabled", {"state": "disabled"}),
    ),
    actions=(
        Action(
            "create",
            "Add an account",
            api.create_user,
            placement="primary",
            form=Form(
                title="Add an account",
                note="A first password is shown once; it must be replaced at the first login.",
                fields=(
                    Field("login", "Account", help="Letters, digits, dots or hyphens, at most 60."),
                    _FULL_NAME,
                    Field("phone", "Phone", required=False),
                    *_PERSON,
                ),
                submit="Add",
            ),
            done="{name} is added",
            shown_once="password",
        ),
        Action(
            "change",
            "Change",
            api.change_user,
            form=Form(
                title="Change the account",
                note="Roles and units hold from the person's next request on.",
                fields=(
                    _FULL_NAME,
                    Field("phone", "Phone", required=False, help="Left empty, it stays."),
                    *_PERSON,
                ),
                submit="Save",
            ),
            done="{name} is changed",
        ),
        Action(
            "grant",
            "Give a role in a unit",
            api.grant_role,
            when={"state": ("active",)},
            form=Form(
                title="Give a role in a unit",
                note="What the person holds elsewhere stays as it is.",
                fields=(
                    Field("role_id", "Role to give", "lookup", source=api.role_choices),
                    Field("unit_id", "Works in", "lookup", source=organization_api.lookup_units),
                ),
                submit="Give",
            ),
            done="{name} is changed",
        ),
        Action(
            "reset",
            "Reset password",
            api.reset_password,
            when={"state": ("active",)},
            confirm="Give {name} a new first password? All sessions of the account end.",
            done="The password of {name} is reset",
            shown_once="password",
        ),
        Action(
            "disable",
            "Disable",
            api.disable_user,
            tone="bad",
            when={"state": ("active",)},
            form=Form(
                title="Disable the account",
                note="All sessions of the account end at once.",
                fields=(_REASON,),
                submit="Disable",
            ),
            done="{name} is disabled",
        ),
        Action(
            "enable",
            "Enable",
            api.enable_user,
            when={"state": ("disabled",)},
            confirm="Let {name} log in again?",
            done="{name} is enabled",
        ),
    ),
    sort="login",
    empty=("No account matches", "Change the search, or choose another community."),
)

_CODE = Field("code", "Code", help="Small letters, digits and underscores.")
_NOTE = Field("note", "Note", "long_text", required=False, wide=True)

ROLES = TablePage(
    code="accounts.roles",
    title="Roles",
    source=api.list_roles,
    columns=(
        Column("code", "Code", width=160, sortable=True),
        Column("name", "Name", width=180, sortable=True),
        Column("note", "Note", width=260),
        Column("permissions", "Permissions", Kind.whole, width=104),
        Column("people", "People", Kind.whole, width=104),
        Column("state", "State", Kind.tag, width=88, choices=ROLE_STATES),
    ),
    filters=(Filter("q", "Code or name", "search"),),
    actions=(
        Action(
            "create",
            "Add a role",
            api.create_role,
            placement="primary",
            form=Form(
                title="Add a role",
                note="It permits nothing until permissions are checked for it.",
                fields=(_CODE, _NAME, _NOTE),
                submit="Add",
            ),
            done="{name} is added",
            opens="/roles?role={id}",
        ),
        Action("permissions", "Set permissions", opens="/roles?role={id}", needs=api.read_role),
        Action(
            "change",
            "Change",
            api.change_role,
            when={"state": ("active",)},
            form=Form(title="Change the role", fields=(_NAME, _NOTE), submit="Save"),
            done="{name} is changed",
        ),
        Action(
            "copy",
            "Copy",
            api.copy_role,
            form=Form(
                title="Copy the role",
                note="The copy permits the same, for nobody yet.",
                fields=(replace(_CODE, start_key=""), _NAME),
                submit="Copy",
            ),
            done="{name} is added",
        ),
        Action(
            "close",
            "Close",
            api.close_role,
            tone="bad",
            when={"state": ("active",)},
            form=Form(
                title="Close the role",
                note="Refused while somebody holds it.",
                fields=(_REASON,),
                submit="Close",
            ),
            done="{name} is closed",
        ),
    ),
    sort="code",
    empty=("No role yet", "A role collects permissions for a post."),
)

PAGES = (USERS, ROLES)

MENU = (
    MenuEntry("system", "Staff accounts", page="accounts.users"),
    MenuEntry("system", "Roles", page="accounts.roles"),
    MenuEntry("system", "Permissions of roles", view="/roles", needs=api.list_roles),
)
