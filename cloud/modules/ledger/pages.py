"""Pages of the books."""

from __future__ import annotations

from cloud.kernel.numbering import Reset
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
from cloud.modules.ledger import api
from cloud.modules.ledger.models import AccountKind
from cloud.modules.ledger.schemas import MonthState, NumberRuleState

KINDS = (
    Choice(AccountKind.asset, "Asset", Tone.mute),
    Choice(AccountKind.liability, "Liability", Tone.mute),
    Choice(AccountKind.equity, "Equity", Tone.mute),
    Choice(AccountKind.income, "Income", Tone.mute),
    Choice(AccountKind.expense, "Expense", Tone.mute),
)

RESETS = (
    Choice(Reset.never, "Not again", Tone.mute),
    Choice(Reset.year, "Each year", Tone.mute),
    Choice(Reset.month, "Each month", Tone.mute),
    Choice(Reset.day, "Each day", Tone.mute),
)
RULE_STATES = (
    Choice(NumberRuleState.standard, "Standard", Tone.mute),
    Choice(NumberRuleState.own, "Set by the company", Tone.ok),
)
NUMBER_RULES = TablePage(
    code="ledger.number_rules",
    title="Number rules",
    source=api.list_number_rules,
    columns=(
        Column("kind", "Kind of document", width=160),
        Column("pattern", "Pattern", width=240),
        Column("reset", "Begins at 1 again", Kind.tag, width=120, choices=RESETS),
        Column("preview", "Looks like", width=220),
        Column("state", "State", Kind.tag, width=110, choices=RULE_STATES),
    ),
    filters=(Filter("q", "Document or pattern", "search"),),
    actions=(
        Action(
            "change",
            "Change",
            call=api.change_number_rule,
            form=Form(
                title="Change the number rule",
                note="Only new numbers are concerned; numbers that were given stay.",
                fields=(
                    Field("reset", "Begins at 1 again", "choice", choices=RESETS),
                    Field(
                        "pattern",
                        "Pattern",
                        help="Tokens in braces: PROJ, YYYY, YY, MM, DD and SEQ:6, for example.",
                        wide=True,
                    ),
                    Field("reason", "Reason", "long_text", wide=True),
                ),
                submit="Save",
            ),
            done="New numbers look like {preview}",
        ),
    ),
    sort="kind",
    empty=("No kind of document matches", "Change the search."),
)

MONTH_STATES = (
    Choice(MonthState.running, "Running", Tone.mute),
    Choice(MonthState.open, "To be closed", Tone.wait),
    Choice(MonthState.closed, "Books closed", Tone.ok),
)
MONTHS = TablePage(
    code="ledger.months",
    title="Accounting months",
    source=api.list_months,
    columns=(
        Column("label", "Month", Kind.text, width=110, sortable=True),
        Column("site_name", "Community", width=180, sortable=True),
        Column("entries", "Vouchers", Kind.whole, width=100),
        Column("state", "State", Kind.tag, width=110, choices=MONTH_STATES),
        Column("closed_at", "Books closed at", Kind.datetime, width=170),
        Column("closed_by", "Books closed by", width=120),
    ),
    filters=(
        Filter("q", "Month or community", "search"),
        Filter("state", "State", "choice", choices=MONTH_STATES),
    ),
    views=(
        View("all", "All"),
        View("open", "To be closed", {"state": "open"}),
        View("closed", "Books closed", {"state": "closed"}),
    ),
    actions=(
        Action(
            "close",
            "Close the month",
            api.close_month,
            confirm="Close {label} of {site_name}? What the month has earned is posted, and nothing"
            " more can be posted into it.",
            when={"state": ("open",)},
            done="{label} of {site_name} is closed",
        ),
        Action(
            "reopen",
            "Reopen",
            api.reopen_month,
            tone="bad",
            when={"state": ("closed",)},
            form=Form(
                title="Reopen the month",
                note="It takes postings again until it is closed anew. The audit trail keeps both.",
                fields=(Field("reason", "Reason", "long_text", wide=True),),
                submit="Reopen",
            ),
            done="{label} of {site_name} takes postings again",
        ),
    ),
    sort="-label",
    empty=("Nothing is posted yet", "Publishing bills and taking payments post entries."),
)

PAGES = (
    NUMBER_RULES,
    MONTHS,
    TablePage(
        code="ledger.accounts",
        title="Trial balance",
        source=api.list_accounts,
        columns=(
            Column("code", "Account code", width=120, sortable=True),
            Column("name", "Account name", width=220),
            Column("kind", "Kind", Kind.tag, width=96, choices=KINDS),
            Column("debit", "Debit", Kind.money, width=140),
            Column("credit", "Credit", Kind.money, width=140),
            Column("balance", "Balance", Kind.money, width=140),
        ),
        filters=(Filter("q", "Account code or name", "search"),),
        sums=("debit", "credit", "balance"),
        sort="code",
        empty=("No ledger account matches", "Change the search."),
    ),
    TablePage(
        code="ledger.entries",
        title="Journal",
        source=api.list_entries,
        columns=(
            Column("number", "Voucher", Kind.number, width=136, sortable=True),
            Column("business_on", "Business date", Kind.date, width=112, sortable=True),
            Column("site_name", "Community", width=140),
            Column("summary", "Summary", width=280),
            Column("lines", "Lines", Kind.whole, width=80),
            Column("amount", "Amount", Kind.money, width=140),
            Column("created_at", "Posted at", Kind.datetime, width=170),
        ),
        filters=(Filter("q", "Voucher or summary", "search"),),
        sort="-business_on",
        detail="ledger.entry",
        empty=("Nothing is posted yet", "Publishing bills and taking payments post entries."),
    ),
    DetailPage(
        code="ledger.entry",
        title="Voucher",
        source=api.read_entry,
        number="number",
        subtitle=("site_name", "summary"),
        figures=(
            Column("debit", "Debit", Kind.money),
            Column("credit", "Credit", Kind.money),
        ),
        sections=(Section("entries", "Entries", "entries", "entries"),),
        foot="Posted entries are never changed; corrections are linked opposite entries.",
    ),
)

MENU = (
    MenuEntry("finance", "Journal", page="ledger.entries"),
    MenuEntry("finance", "Trial balance", page="ledger.accounts"),
    MenuEntry("finance", "Accounting months", page="ledger.months"),
    MenuEntry("system", "Number rules", page="ledger.number_rules"),
)
