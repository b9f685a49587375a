"""Pages of bills and the runs that make them."""

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
    Section,
    TablePage,
    View,
)
from cloud.modules.charging import api
from cloud.modules.charging.models import RunState, SkipReason
from cloud.modules.charging.queries.bills import BillFilter
from cloud.modules.charging.rules import BILL_LABELS
from cloud.modules.resources import api as resources_api

BILL_STATES = tuple(Choice(BillFilter(state), *shown) for state, shown in BILL_LABELS.items())
RUN_STATES = (
    Choice(RunState.draft, "Draft", Tone.mute),
    Choice(RunState.previewed, "Previewed", Tone.wait),
    Choice(RunState.generating, "Generating", Tone.auto),
    Choice(RunState.generated, "Generated", Tone.wait),
    Choice(RunState.publishing, "Publishing", Tone.auto),
    Choice(RunState.published, "Published", Tone.ok),
    Choice(RunState.cancelled, "Cancelled", Tone.mute),
)
REASONS = (
    Choice(SkipReason.area_missing, "Area missing", Tone.warn),
    Choice(SkipReason.price_missing, "No price in force", Tone.warn),
    Choice(SkipReason.payer_missing, "Payer missing", Tone.warn),
    Choice(SkipReason.reading_missing, "Reading missing", Tone.warn),
    Choice(SkipReason.reading_stale, "Reading too old", Tone.warn),
    Choice(SkipReason.reading_in_review, "Reading in review", Tone.wait),
    Choice(SkipReason.reading_below_last, "Reading below the last", Tone.bad),
    Choice(SkipReason.earlier_unbilled, "An earlier cycle is not billed", Tone.wait),
    Choice(SkipReason.already_billed, "Already billed", Tone.mute),
)
RUN_FORM = Form(
    title="Add a bill run",
    note="Nothing is billed yet: look at the preview first.",
    fields=(
        Field("site_id", "Community", "lookup", source=resources_api.lookup_sites),
        Field("item_ids", "Charge items", "multi", source=api.item_choices),
        Field("period", "Period", Kind.period, wide=True),
    ),
    submit="Add",
)

PRINT = Action("print", "Print", api.print_bill, done="")

RUN_ACTIONS = (
    Action(
        "preview",
        "Preview",
        api.preview_run,
        when={"state": ("draft", "previewed")},
        done="{bills} bills, {amount} in total, {skipped} skipped",
    ),
    Action(
        "generate",
        "Generate",
        api.generate_run,
        when={"state": ("previewed",)},
        confirm="Generate {bills} drafts of run {number}?",
        done="Run {number} is being generated",
    ),
    Action(
        "publish",
        "Publish",
        api.publish_run,
        when={"state": ("generated",)},
        confirm="Publish {bills} bills, {amount} in total? Published bills cannot be changed.",
        done="Run {number} is being published",
    ),
    Action(
        "cancel",
        "Cancel run",
        api.cancel_run,
        tone="bad",
        when={"state": ("draft", "previewed", "generated")},
        confirm="Cancel run {number} and drop its drafts?",
        done="Run {number} is cancelled",
    ),
)

BILLS = TablePage(
    code="charging.bills",
    title="Bills",
    source=api.list_bills,
    columns=(
        Column("number", "Bill number", Kind.number, width=132, sortable=True),
        Column("room_name", "Room number", width=128, sortable=True),
        Column("payer_name", "Owner", width=80),
        Column("item_name", "Charge item", width=104),
        Column("period", "Period", Kind.period, width=188),
        Column("amount", "Due", Kind.money, width=106, sortable=True),
        Column("paid", "Received", Kind.money, width=106),
        Column("open", "Open", Kind.money, width=106, sortable=True),
        Column("due_on", "Due date", Kind.date, width=156, sortable=True, note_key="overdue_note"),
        Column("state", "State", Kind.tag, width=80, choices=BILL_STATES),
    ),
    filters=(
        Filter("q", "Room / owner / number", "search"),
        Filter("period", "Period", "period"),
        Filter("item_id", "Charge item", "choice", source=api.item_choices),
        Filter("state", "State", "choice", choices=BILL_STATES),
    ),
    views=(
        View("all", "All"),
        View("month", "Billed this month", {"issued": "this_month"}),
        View("overdue", "Overdue", {"state": "overdue"}, tone=Tone.bad),
    ),
    actions=(
        Action(
            "counter",
            "Take payment",
            when={"state": ("unpaid", "partial")},
            opens="/counter?room={room_id}",
            needs=api.read_bill,
        ),
        Action(
            "run",
            "Bill in bulk",
            api.create_run,
            placement="primary",
            form=RUN_FORM,
            done="Run {number} is added",
            opens="/p/charging.runs",
        ),
    ),
    detail="charging.bill",
    sums=("amount", "paid", "open"),
    sort="-number",
    empty=("No bill matches", "Clear the filters, or bill a period first."),
)

BILL = DetailPage(
    code="charging.bill",
    title="Bill",
    source=api.read_bill,
    number="number",
    subtitle=("item_name", "room_name", "payer_name"),
    tags=(
        Column("state", "State", Kind.tag, choices=BILL_STATES),
        Column("overdue_note", "Overdue", Kind.text),
    ),
    figures=(
        Column("amount", "Due", Kind.money),
        Column("paid", "Received", Kind.money),
        Column("open", "Open", Kind.money),
    ),
    progress=("paid", "amount"),
    sections=(
        Section("explanation", "How it was computed", "explanation", "explanation"),
        Section("entries", "Entries", "entries", "entries"),
        Section("timeline", "History", "timeline", "timeline"),
    ),
    actions=(
        Action(
            "counter",
            "Take payment",
            when={"state": ("unpaid", "partial")},
            placement="primary",
            opens="/counter?room={room_id}",
            needs=api.read_bill,
        ),
        PRINT,
    ),
    foot="A posted bill is never changed; corrections are linked opposite documents.",
)

RUNS = TablePage(
    code="charging.runs",
    title="Bill runs",
    source=api.list_runs,
    columns=(
        Column("number", "Run", Kind.number, width=132, sortable=True),
        Column("site_name", "Community", width=140),
        Column("period", "Period", Kind.period, width=188),
        Column("items", "Charge items", width=200),
        Column("bills", "Bills", Kind.whole, width=88),
        Column("amount", "Amount", Kind.money, width=128),
        Column("skipped", "Skipped", Kind.whole, width=88),
        Column("state", "State", Kind.tag, width=96, choices=RUN_STATES),
        Column("created_at", "Created at", Kind.datetime, width=170, sortable=True),
    ),
    filters=(
        Filter("q", "Run", "search"),
        Filter("state", "State", "choice", choices=RUN_STATES),
    ),
    actions=(
        Action(
            "create",
            "Add a bill run",
            api.create_run,
            placement="primary",
            form=RUN_FORM,
            done="Run {number} is added",
        ),
        *RUN_ACTIONS,
    ),
    detail="charging.run",
    sort="-created_at",
    empty=(
        "No bill run yet",
        "Add one to bill a period; it is previewed before it posts.",
    ),
)

LINE = (
    Column("room_name", "Room number", width=140),
    Column("item_name", "Charge item", width=110),
)
RUN = DetailPage(
    code="charging.run",
    title="Bill run",
    source=api.read_run,
    number="number",
    subtitle=("site_name", "items"),
    tags=(Column("state", "State", Kind.tag, choices=RUN_STATES),),
    figures=(
        Column("bills", "Bills", Kind.whole),
        Column("amount", "Amount", Kind.money),
        Column("skipped", "Skipped", Kind.whole),
    ),
    sections=(
        Section(
            "drafts",
            "Charges",
            "table",
            "drafts",
            columns=(
                *LINE,
                Column("payer_name", "Owner", width=80),
                Column("basis", "Basis", width=160),
                Column("amount", "Amount", Kind.money, width=100),
                Column("due_on", "Due date", Kind.date, width=104),
            ),
            note="The first 200 are shown.",
        ),
        Section(
            "skips",
            "Skipped",
            "table",
            "skips",
            columns=(*LINE, Column("reason", "Reason", Kind.tag, width=140, choices=REASONS)),
            note="A room without an area, a price, a payer or a reading is never billed 0.",
        ),
    ),
    actions=RUN_ACTIONS,
    foot="Publishing issues all bills, their settlements and the journal in one transaction.",
)
