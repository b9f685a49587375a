"""Pages of receipts and statements; the counter itself is a view written by hand."""

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
from cloud.modules.receiving import api
from cloud.modules.receiving.rules import (
    DEPOSIT_LABELS,
    LINE_LABELS,
    MOVE_LABELS,
    PAYOUT_LABELS,
    STATE_LABELS,
)
from cloud.modules.receiving.schemas import HeldState, ShiftState

STATES = tuple(Choice(state, *shown) for state, shown in STATE_LABELS.items())
LINES = tuple(Choice(kind, *shown) for kind, shown in LINE_LABELS.items())
MOVES = tuple(Choice(kind, *shown) for kind, shown in MOVE_LABELS.items())
DEPOSITS = tuple(Choice(state, *shown) for state, shown in DEPOSIT_LABELS.items())
PAYOUTS = tuple(Choice(kind, *shown) for kind, shown in PAYOUT_LABELS.items())
HELD = (
    Choice(HeldState.held, "Money left", Tone.info),
    Choice(HeldState.empty, "Used up", Tone.mute),
)
SHIFTS = (
    Choice(ShiftState.open, "Not counted yet", Tone.info),
    Choice(ShiftState.closed, "Counted and closed", Tone.ok),
    Choice(ShiftState.differs, "Closed with a difference", Tone.warn),
)

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

CLOSE = Form(
    title="Count and close the shift",
    note="Enter the cash in the drawer; a difference needs a note. The next receipt opens a shift.",
    fields=(
        Field("counted", "Cash counted", Kind.money),
        Field("note", "Note", "long_text", required=False, wide=True),
    ),
    submit="Close the shift",
)
# What is left is offered: a deposit may have been paid back in part.
_OUT_OF_BALANCE = Field("amount", "Amount", Kind.money, start_key="balance")
REFUND = Form(
    title="Refund",
    note="The money goes back today; the refund cannot be changed afterwards.",
    fields=(
        _OUT_OF_BALANCE,
        Field("method", "Paid back by", "choice", source=api.money_choices),
        Field("reason", "Reason", "long_text", wide=True),
    ),
    submit="Refund",
)
OPEN_DEPOSITS = {"state": ("held", "partly")}
DEPOSIT_ACTIONS = (
    Action(
        "refund",
        "Refund",
        call=api.refund_deposit,
        when=OPEN_DEPOSITS,
        form=REFUND,
        done="Refunded by {number}",
    ),
    Action(
        "transfer",
        "Pay bills",
        call=api.transfer_deposit,
        when=OPEN_DEPOSITS,
        form=Form(
            title="Pay bills out of the deposit",
            note="The room's oldest bills are paid first, by a receipt of its own.",
            fields=(
                _OUT_OF_BALANCE,
                Field("evidence", "Evidence", "long_text", wide=True),
            ),
            submit="Pay bills",
        ),
        done="Received by {number}",
    ),
    Action(
        "deduct",
        "Deduct",
        call=api.deduct_deposit,
        tone="bad",
        when=OPEN_DEPOSITS,
        form=Form(
            title="Deduct from the deposit",
            note="What is deducted becomes other income; say what shows that it is due.",
            fields=(
                _OUT_OF_BALANCE,
                Field("evidence", "Evidence", "long_text", wide=True),
            ),
            submit="Deduct",
        ),
        done="Deducted",
    ),
)
PREPAID_ACTIONS = (
    Action(
        "refund",
        "Refund",
        call=api.refund_prepaid,
        when={"state": ("held",)},
        form=REFUND,
        done="Refunded by {number}",
    ),
)
MOVE_COLUMNS = (
    Column("business_on", "Business date", Kind.date, width=112),
    Column("kind", "Kind", Kind.tag, width=104, choices=MOVES),
    Column("number", "Number", width=136),
    Column("amount", "Amount", Kind.money, width=112),
    Column("balance", "Balance after it", Kind.money, width=120),
    Column("reason", "Reason", width=180),
    Column("by", "By", width=88),
)

HELD_PAGES = (
    TablePage(
        code="receiving.prepaid",
        title="Prepayments",
        source=api.list_prepaid,
        columns=(
            Column("room_name", "Room", Kind.number, width=150, sortable=True),
            Column("site_name", "Community", width=130),
            Column("party_name", "Payer", width=120),
            Column("item_name", "Kept for", width=130),
            Column("legal_entity_name", "Legal entity", width=200),
            Column("state", "State", Kind.tag, width=96, choices=HELD),
            Column("balance", "Balance", Kind.money, width=130, sortable=True),
        ),
        filters=(
            Filter("q", "Room or payer", "search"),
            Filter("state", "State", "choice", choices=HELD),
        ),
        views=(View("all", "All"), View("held", "Money left", {"state": "held"})),
        actions=(OPEN_COUNTER, *PREPAID_ACTIONS),
        sums=("balance",),
        sort="-balance",
        detail="receiving.prepaid_account",
        empty=("No prepayment matches", "Money that is paid ahead is taken at the counter."),
    ),
    DetailPage(
        code="receiving.prepaid_account",
        title="Prepayments",
        source=api.read_prepaid,
        number="room_name",
        subtitle=("site_name", "party_name", "item_name"),
        tags=(Column("state", "State", Kind.tag, choices=HELD),),
        figures=(Column("balance", "Balance", Kind.money),),
        sections=(Section("moves", "Movements", "table", "moves", columns=MOVE_COLUMNS),),
        actions=PREPAID_ACTIONS,
        foot="The balance is the sum of its movements, and never below 0.",
    ),
    TablePage(
        code="receiving.deposits",
        title="Deposits",
        source=api.list_deposits,
        columns=(
            Column("receipt_number", "Receipt", Kind.number, width=136),
            Column("business_on", "Business date", Kind.date, width=112, sortable=True),
            Column("site_name", "Community", width=120),
            Column("room_name", "Room", width=140),
            Column("party_name", "Payer", width=110),
            Column("item_name", "Kind of deposit", width=130),
            Column("amount", "Amount", Kind.money, width=112),
            Column("balance", "Still held", Kind.money, width=112, sortable=True),
            Column("state", "State", Kind.tag, width=96, choices=DEPOSITS),
            Column("release_on", "To be returned on", Kind.date, width=120, sortable=True),
            Column("terms", "Terms", width=180),
        ),
        filters=(
            Filter("q", "Receipt, room or payer", "search"),
            Filter("state", "State", "choice", choices=DEPOSITS),
            Filter("item_id", "Kind of deposit", "choice", source=api.deposit_item_choices),
        ),
        views=(
            View("all", "All"),
            View("held", "Held", {"state": "held"}),
            View("partly", "Partly returned", {"state": "partly"}),
        ),
        actions=(OPEN_COUNTER, *DEPOSIT_ACTIONS),
        sums=("amount", "balance"),
        sort="-business_on",
        detail="receiving.deposit",
        empty=("No deposit matches", "Deposits are taken at the counter."),
    ),
    DetailPage(
        code="receiving.deposit",
        title="Deposit",
        source=api.read_deposit,
        number="receipt_number",
        subtitle=("item_name", "room_name", "party_name", "terms"),
        tags=(Column("state", "State", Kind.tag, choices=DEPOSITS),),
        figures=(
            Column("amount", "Amount", Kind.money),
            Column("balance", "Still held", Kind.money),
        ),
        progress=("balance", "amount"),
        sections=(Section("moves", "Movements", "table", "moves", columns=MOVE_COLUMNS),),
        actions=DEPOSIT_ACTIONS,
        foot="A deposit is never edited; what happens to it is a movement with its document.",
    ),
    TablePage(
        code="receiving.payouts",
        title="Refunds",
        source=api.list_payouts,
        columns=(
            Column("number", "Number", width=136, sortable=True),
            Column("business_on", "Business date", Kind.date, width=112, sortable=True),
            Column("site_name", "Community", width=120),
            Column("room_name", "Room", width=140),
            Column("party_name", "Payer", width=110),
            Column("kind", "Kind", Kind.tag, width=88, choices=PAYOUTS),
            Column("method_name", "Paid back by", width=112),
            Column("amount", "Amount", Kind.money, width=112),
            Column("reason", "Reason", width=220),
            Column("cashier_name", "Cashier", width=96),
        ),
        filters=(
            Filter("q", "Receipt, room or payer", "search"),
            Filter("kind", "Kind", "choice", choices=PAYOUTS),
        ),
        sums=("amount",),
        sort="-business_on",
        empty=("Nothing was refunded", "Prepayments and deposits are refunded from their lists."),
    ),
    TablePage(
        code="receiving.shifts",
        title="Shifts",
        source=api.list_shifts,
        columns=(
            Column("business_on", "Business date", Kind.date, width=112, sortable=True),
            Column("cashier_name", "Cashier", width=110),
            Column("site_name", "Community", width=130),
            Column("opened_at", "Opened at", Kind.datetime, width=170, sortable=True),
            Column("closed_at", "Closed at", Kind.datetime, width=170),
            Column("documents", "Receipts", Kind.whole, width=88),
            Column("received", "Received", Kind.money, width=120),
            Column("cash", "Cash in the drawer", Kind.money, width=120),
            Column("counted", "Counted", Kind.money, width=112),
            Column("difference", "Difference", Kind.money, width=104),
            Column("state", "State", Kind.tag, width=104, choices=SHIFTS),
            Column("note", "Note", width=180),
        ),
        filters=(
            Filter("q", "Cashier", "search"),
            Filter("state", "State", "choice", choices=SHIFTS),
            Filter("period", "Business date", "period"),
        ),
        views=(View("all", "All"), View("open", "Not counted yet", {"state": "open"})),
        actions=(
            Action(
                "close",
                "Count and close",
                call=api.close_shift,
                when={"state": ("open",)},
                form=CLOSE,
                done="Shift closed",
            ),
        ),
        sort="-opened_at",
        empty=("No shift matches", "The first receipt of the day opens a shift."),
    ),
)

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
            Column("method_name", "Payment method", width=112),
            Column("amount", "Amount", Kind.money, width=120, sortable=True),
            Column("offset", "Out of what was held", Kind.money, width=120),
            Column("state", "State", Kind.tag, width=88, choices=STATES),
            Column("cashier_name", "Cashier", width=100),
            Column("business_on", "Business date", Kind.date, width=112, sortable=True),
        ),
        filters=(
            Filter("q", "Receipt, room or payer", "search"),
            Filter("method", "Payment method", "choice", source=api.method_choices),
            Filter("state", "State", "choice", choices=STATES),
            Filter("period", "Business date", "period"),
        ),
        views=(
            View("all", "All"),
            View("reversal", "Reversals", {"state": "reversal"}),
        ),
        actions=(OPEN_COUNTER, PRINT, REVERSE),
        sums=("amount", "offset"),
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
                "lines",
                "How it was paid",
                "table",
                "lines",
                columns=(
                    Column("method_name", "Payment method", width=160),
                    Column("account", "Ledger account", width=220),
                    Column("amount", "Amount", Kind.money, width=120),
                ),
            ),
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
            Section(
                "held",
                "Prepaid and deposits",
                "table",
                "held",
                columns=(
                    Column("name", "Name", width=180),
                    Column("kind", "Kind", Kind.tag, width=104, choices=MOVES),
                    Column("amount", "Amount", Kind.money, width=120),
                    Column("balance", "Balance after it", Kind.money, width=120),
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
            Column("prepaid", "Prepaid left", Kind.money),
            Column("deposits", "Deposits held", Kind.money),
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
                    Column("prepaid", "Prepaid", Kind.money, width=104),
                    Column("deposit", "Deposit", Kind.money, width=104),
                ),
            ),
        ),
    ),
    *HELD_PAGES,
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
    MenuEntry(
        "resources", "Room grid", view="/grid", needs=api.list_grid, icon="layout-grid", rank=10
    ),
    MenuEntry("finance", "Receipts", page="receiving.receipts", rank=25),
    MenuEntry("finance", "Prepayments", page="receiving.prepaid", rank=26),
    MenuEntry("finance", "Deposits", page="receiving.deposits", rank=27),
    MenuEntry("finance", "Refunds", page="receiving.payouts", rank=28),
    MenuEntry("finance", "Shifts", page="receiving.shifts", rank=29),
)
