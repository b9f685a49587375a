"""The page of charge items."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import (
    Action,
    Choice,
    Column,
    Field,
    Filter,
    Form,
    TablePage,
)
from cloud.modules.charging import api
from cloud.modules.charging.models import ItemCategory, ItemState
from cloud.modules.charging.schemas import Income, TaxRate

CATEGORIES = (
    Choice(ItemCategory.property_fee, "Property fee"),
    Choice(ItemCategory.water, "Water fee"),
    Choice(ItemCategory.electricity, "Electricity fee"),
    Choice(ItemCategory.gas, "Gas fee"),
    Choice(ItemCategory.heat, "Heat fee"),
    Choice(ItemCategory.shared, "Shared"),
    Choice(ItemCategory.parking, "Parking fee"),
    Choice(ItemCategory.other, "Other"),
)
INCOMES = (
    Choice(Income.own, "Own income", Tone.mute),
    Choice(Income.agency, "Collected for others", Tone.mute),
)
TAX_RATES = (
    Choice(TaxRate.none, "0%"),
    Choice(TaxRate.one, "1%"),
    Choice(TaxRate.three, "3%"),
    Choice(TaxRate.five, "5%"),
    Choice(TaxRate.six, "6%"),
    Choice(TaxRate.nine, "9%"),
    Choice(TaxRate.thirteen, "13%"),
)
ITEM_STATES = (
    Choice(ItemState.active, "In use", Tone.ok),
    Choice(ItemState.disabled, "Disabled", Tone.mute),
)
ITEM_FIELDS = (
    Field("name", "Name", section="Charge item"),
    Field("category", "Category", "choice", choices=CATEGORIES, section="Charge item"),
    Field(
        "agency",
        "Income",
        "choice",
        choices=INCOMES,
        default="own",
        help="What is collected for a utility carries no tax and no fee of ours.",
        section="Charge item",
    ),
    Field(
        "tax_rate", "Tax rate", "choice", choices=TAX_RATES, default="0.06", section="Charge item"
    ),
    Field(
        "legal_entity_id", "Legal entity", "lookup", source=api.entity_choices, section="Posting"
    ),
    Field(
        "allocation_priority",
        "Order of allocation",
        Kind.whole,
        default="100",
        help="Of two bills due the same day, the smaller number is paid first.",
        section="Posting",
    ),
    Field(
        "receivable_id",
        "Receivable account",
        "lookup",
        required=False,
        source=api.account_choices,
        help="Left open: 1122.",
        section="Posting",
    ),
    Field(
        "revenue_id",
        "Income account",
        "lookup",
        required=False,
        source=api.account_choices,
        help="Left open: 6001, or 2241 for what is collected for others.",
        section="Posting",
    ),
)

ITEMS = TablePage(
    code="charging.items",
    title="Charge items",
    source=api.list_items,
    columns=(
        Column("code", "Code", width=140, sortable=True),
        Column("name", "Name", width=150, sortable=True),
        Column("category", "Category", Kind.tag, width=104, choices=CATEGORIES),
        Column("agency", "Income", Kind.tag, width=110, choices=INCOMES),
        Column("tax_rate", "Tax rate", Kind.percent, width=84),
        Column("revenue", "Income account", width=170),
        Column("allocation_priority", "Order of allocation", Kind.whole, width=96, sortable=True),
        Column("legal_entity", "Legal entity", width=220),
        Column("state", "State", Kind.tag, width=84, choices=ITEM_STATES),
    ),
    filters=(
        Filter("q", "Code or name", "search"),
        Filter("state", "State", "choice", choices=ITEM_STATES),
    ),
    actions=(
        Action(
            "create",
            "Add a charge item",
            api.add_item,
            placement="primary",
            form=Form(
                title="Add a charge item",
                note="Its nature and tax are fixed with the first bill.",
                fields=(Field("code", "Code", section="Charge item"), *ITEM_FIELDS),
                submit="Add",
            ),
            done="Charge item {name} is added",
        ),
        Action(
            "change",
            "Change",
            api.change_item,
            when={"state": ("active",)},
            form=Form(
                title="Change the charge item",
                note="Once it has bills, category, income, tax rate and legal entity are fixed.",
                fields=ITEM_FIELDS,
                submit="Save",
            ),
            done="Charge item {name} is changed",
        ),
        Action(
            "disable",
            "Disable",
            api.disable_item,
            tone="bad",
            when={"state": ("active",)},
            form=Form(
                title="Disable the charge item",
                note="Nothing new is charged for it; its bills stay.",
                fields=(Field("reason", "Reason", "long_text", wide=True),),
                submit="Disable",
            ),
            done="Charge item {name} is disabled",
        ),
        Action(
            "enable",
            "Enable",
            api.enable_item,
            when={"state": ("disabled",)},
            confirm="Let {name} be charged again?",
            done="Charge item {name} is enabled",
        ),
    ),
    sort="code",
    empty=("No charge item yet", "An item says what is charged for and where it posts."),
)
