"""Pages of the books."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import (
    Choice,
    Column,
    DetailPage,
    Filter,
    MenuEntry,
    Section,
    TablePage,
)
from cloud.modules.ledger import api
from cloud.modules.ledger.models import AccountKind

KINDS = (
    Choice(AccountKind.asset, "Asset", Tone.info),
    Choice(AccountKind.liability, "Liability", Tone.wait),
    Choice(AccountKind.equity, "Equity", Tone.mute),
    Choice(AccountKind.income, "Income", Tone.ok),
    Choice(AccountKind.expense, "Expense", Tone.warn),
)

PAGES = (
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
)
