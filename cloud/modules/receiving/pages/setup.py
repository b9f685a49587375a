"""What receiving is set up with: payment methods and kinds of deposits."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import (
    Action,
    Choice,
    Column,
    Field,
    Filter,
    Form,
    MenuEntry,
    Route,
    TablePage,
)
from cloud.modules.ledger import api as ledger_api
from cloud.modules.receiving import api
from cloud.modules.receiving.models import OFFSETS
from cloud.modules.receiving.rules import METHOD_KIND_LABELS
from cloud.modules.receiving.schemas import ActiveState

KINDS = tuple(Choice(kind, *shown) for kind, shown in METHOD_KIND_LABELS.items())
NEW_KINDS = tuple(choice for choice in KINDS if choice.value not in OFFSETS)
ACTIVE = (
    Choice(ActiveState.active, "Active", Tone.ok),
    Choice(ActiveState.disabled, "Disabled", Tone.mute),
)
NAME_FIELDS = (
    Field("code", "Code", help="Lower-case letters, digits and underscores."),
    Field("name", "Name"),
)
ACCOUNT = Field("account", "Ledger account", "lookup", source=ledger_api.account_choices)


def _switches(
    disable: str, enable: str, call: Route, **when: tuple[str, ...]
) -> tuple[Action, Action]:
    """What is in use is disabled, what is disabled is enabled: each asks for a reason."""
    note = "Documents keep what they say; only new ones are concerned."
    reason = (Field("reason", "Reason", "long_text", wide=True),)
    return (
        Action(
            "disable",
            "Disable",
            call=call,
            tone="bad",
            when={**when, "state": (ActiveState.active.value,)},
            form=Form(
                title=disable,
                note=note,
                fields=reason,
                given={"state": ActiveState.disabled.value},
                submit="Disable",
            ),
            done="Saved",
        ),
        Action(
            "enable",
            "Enable",
            call=call,
            when={**when, "state": (ActiveState.disabled.value,)},
            form=Form(
                title=enable,
                note=note,
                fields=reason,
                given={"state": ActiveState.active.value},
                submit="Enable",
            ),
            done="Saved",
        ),
    )


PAGES = (
    TablePage(
        code="receiving.methods",
        title="Payment methods",
        source=api.list_methods,
        columns=(
            Column("name", "Name", width=160),
            Column("code", "Code", width=110, sortable=True),
            Column("kind", "Kind", Kind.tag, width=120, choices=KINDS),
            Column("account", "Account code", width=110),
            Column("account_name", "Account name", width=180),
            Column("rank", "Order", Kind.whole, width=80, sortable=True),
            Column("state", "State", Kind.tag, width=96, choices=ACTIVE),
        ),
        filters=(Filter("q", "Code or name", "search"),),
        actions=(
            Action(
                "add",
                "Add a payment method",
                call=api.add_method,
                placement="primary",
                form=Form(
                    title="Add a payment method",
                    fields=(
                        *NAME_FIELDS,
                        Field("kind", "Kind", "choice", choices=NEW_KINDS),
                        ACCOUNT,
                        Field("rank", "Order", Kind.whole, default="100"),
                    ),
                    submit="Add",
                ),
                done="Saved",
            ),
            Action(
                "change",
                "Change",
                call=api.change_method,
                form=Form(
                    title="Change the payment method",
                    note="A new account holds for new receipts only.",
                    fields=(
                        Field("name", "Name"),
                        ACCOUNT,
                        Field("rank", "Order", Kind.whole),
                    ),
                    submit="Save",
                ),
                done="Saved",
            ),
            *_switches(
                "Disable the payment method",
                "Enable the payment method",
                api.switch_method,
                kind=tuple(choice.value.value for choice in NEW_KINDS),
            ),
        ),
        sort="rank",
        empty=("No payment method matches", "Change the search."),
    ),
    TablePage(
        code="receiving.deposit_items",
        title="Kinds of deposits",
        source=api.list_deposit_items,
        columns=(
            Column("name", "Name", width=180),
            Column("code", "Code", width=120, sortable=True),
            Column("legal_entity_name", "Legal entity", width=220),
            Column("usual_amount", "Usual amount", Kind.money, width=130),
            Column("state", "State", Kind.tag, width=96, choices=ACTIVE),
        ),
        filters=(Filter("q", "Code or name", "search"),),
        actions=(
            Action(
                "add",
                "Add a kind of deposit",
                call=api.add_deposit_item,
                placement="primary",
                form=Form(
                    title="Add a kind of deposit",
                    fields=(
                        *NAME_FIELDS,
                        Field(
                            "legal_entity_id",
                            "Legal entity",
                            "lookup",
                            source=api.legal_entity_choices,
                        ),
                        Field("usual_amount", "Usual amount", Kind.money, required=False),
                    ),
                    submit="Add",
                ),
                done="Saved",
            ),
            Action(
                "change",
                "Change",
                call=api.change_deposit_item,
                form=Form(
                    title="Change the kind of deposit",
                    fields=(
                        Field("name", "Name"),
                        Field("usual_amount", "Usual amount", Kind.money, required=False),
                    ),
                    submit="Save",
                ),
                done="Saved",
            ),
            *_switches(
                "Disable the kind of deposit",
                "Enable the kind of deposit",
                api.switch_deposit_item,
            ),
        ),
        sort="code",
        empty=("No kind of deposit yet", "Add one, so that the counter can take deposits."),
    ),
)

MENU = (
    MenuEntry("charge_setup", "Payment methods", page="receiving.methods", rank=50),
    MenuEntry("charge_setup", "Kinds of deposits", page="receiving.deposit_items", rank=60),
)
