"""Pages of receipts and statements; the counter itself is a view written by hand."""

from __future__ import annotations

from cloud.kernel.ui.language import Kind
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
from cloud.modules.receiving import api
from cloud.modules.receiving.rules import LINE_LABELS, METHOD_LABELS, STATE_LABELS

METHODS = tuple(Choice(method, *shown) for method, shown in METHOD_LABELS.items())
STATES = tuple(Choice(state, *shown) for state, shown in STATE_LABELS.items())
LINES = tuple(Choice(kind, *shown) for kind, shown in LINE_LABELS.items())

OPEN_COUNTER = Action(
    "counter",
    "Receive money",
    needs=api.search_rooms,
    placement="primary",
    opens="/counter",
)

REVERSE = Action(
    "reverse",
    "Reverse",
    call=api.reverse_receipt,
    tone="bad",
    when={"state": ("received",)},
    form=Form(
        title="Reverse the receipt",
        note="A linked opposite receipt is booked today; the bills are open again.",
        fields=(Field("reason", "Reason", "long_text", wide=True),),
        submit="Reverse",
    ),
    done="Reversed by {number}",
)

PRINT = Action("print", "Print", call=api.print_receipt, done="")

PAGES = (
    TablePage(
        code="receiving.receipts",
        title="Receipts",
        source=api.list_receipts,
        columns=(
            Column("number", "Receipt", Kind.number, width=136, sortable=True),
            Column("received_at", "Received at", Kind.datetime, width=170, sortable=True),
            Column("site_name", "Community", width=120),
            Column("room_name", "Room", width=140),
            Column("payer_name", "Payer", width=110),
            Column("method", "Payment method", Kind.tag, width=104, choices=METHODS),
            Column("amount", "Amount", Kind.money, width=120, sortable=True),
            Column("state", "State", Kind.tag, width=88, choices=STATES),
            Column("cashier_name", "Cashier", width=100),
            Column("business_on", "Business date", Kind.date, width=112, sortable=True),
        ),
        filters=(
            Filter("q", "Receipt, room or payer", "search"),
            Filter("method", "Payment method", "choice", choices=METHODS),
            Filter("state", "State", "choice", choices=STATES),
            Filter("period", "Business date", "period"),
        ),
        views=(
            View("all", "All"),
            View("reversal", "Reversals", {"state": "reversal"}),
        ),
        actions=(OPEN_COUNTER, PRINT, REVERSE),
        sums=("amount",),
        sort="-received_at",
        detail="receiving.receipt",
        empty=("No receipt matches", "Change the filters, or receive money at the counter."),
    ),
    DetailPage(
        code="receiving.receipt",
        title="Receipt",
        source=api.read_receipt,
        number="number",
        subtitle=("site_name", "room_name", "payer_name"),
        tags=(Column("state", "State", Kind.tag, choices=STATES),),
        figures=(
            Column("amount", "Amount", Kind.money),
            Column("tendered", "Cash handed over", Kind.money),
            Column("change", "Change given", Kind.money),
        ),
        sections=(
            Section(
                "allocations",
                "Bills paid",
                "table",
                "allocations",
                columns=(
                    Column("bill_number", "Bill number", width=136),
                    Column("item_name", "Charge item", width=140),
                    Column("period", "Period", Kind.period, width=190),
                    Column("amount", "Amount", Kind.money, width=120),
                ),
            ),
            Section("entries", "Entries", "entries", "entries"),
            Section("timeline", "History", "timeline", "timeline"),
        ),
        actions=(PRINT, REVERSE),
        foot="A receipt is never changed; a mistake is reversed by a linked opposite receipt.",
    ),
    DetailPage(
        code="receiving.statement",
        title="Statement",
        source=api.read_statement,
        number="room_name",
        subtitle=("site_name", "room_code"),
        figures=(
            Column("opening", "Opening balance", Kind.money),
            Column("charged", "Charged", Kind.money),
            Column("paid", "Paid in total", Kind.money),
            Column("closing", "Closing balance", Kind.money),
        ),
        sections=(
            Section(
                "lines",
                "Movements",
                "table",
                "lines",
                columns=(
                    Column("on", "Date", Kind.date, width=112),
                    Column("kind", "Kind", Kind.tag, width=88, choices=LINES),
                    Column("number", "Number", width=136),
                    Column("summary", "Summary", width=240),
                    Column("charge", "Charged", Kind.money, width=112),
                    Column("payment", "Payment", Kind.money, width=112),
                    Column("balance", "Balance", Kind.money, width=120),
                ),
            ),
        ),
    ),
)

MENU = (
    MenuEntry(
        "finance",
        "Cashier counter",
        view="/counter",
        needs=api.search_rooms,
        icon="banknote",
        favorite=True,
        rank=10,
    ),
    MenuEntry("finance", "Receipts", page="receiving.receipts", rank=25),
)
