"""Pages of metering."""

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
    TablePage,
    View,
)
from cloud.modules.metering import api
from cloud.modules.metering.models import (
    MeterKind,
    MeterState,
    ReadingReason,
    ReadingSource,
    ReadingState,
)

KINDS = (
    Choice(MeterKind.electricity, "Electricity", Tone.warn),
    Choice(MeterKind.water, "Water", Tone.info),
    Choice(MeterKind.gas, "Gas", Tone.auto),
    Choice(MeterKind.heat, "Heat", Tone.wait),
)
METER_STATES = (
    Choice(MeterState.in_use, "In use", Tone.ok),
    Choice(MeterState.stopped, "Stopped", Tone.mute),
    Choice(MeterState.removed, "Removed", Tone.mute),
)
READING_STATES = (
    Choice(ReadingState.verified, "Verified", Tone.ok),
    Choice(ReadingState.review, "Waits for review", Tone.wait),
    Choice(ReadingState.rejected, "Rejected", Tone.bad),
)
SOURCES = (
    Choice(ReadingSource.manual, "Read by hand", Tone.info),
    Choice(ReadingSource.imported, "Imported", Tone.info),
    Choice(ReadingSource.iot, "Remote", Tone.auto),
    Choice(ReadingSource.self_read, "Read by the owner", Tone.info),
    Choice(ReadingSource.estimate, "Estimated", Tone.warn),
)
REASONS = (
    Choice(ReadingReason.none, "—"),
    Choice(ReadingReason.below_last, "Below the last reading", Tone.bad),
    Choice(ReadingReason.too_many_digits, "Too many digits", Tone.bad),
    Choice(ReadingReason.too_high, "Unusually high", Tone.warn),
    Choice(ReadingReason.refused, "Refused", Tone.bad),
)

PAGES = (
    TablePage(
        code="metering.meters",
        title="Meters",
        source=api.list_meters,
        columns=(
            Column("no", "Meter number", width=140, sortable=True),
            Column("kind", "Kind", Kind.tag, width=80, choices=KINDS),
            Column("place", "Place", width=220, sortable=True),
            Column("site_name", "Community", width=150),
            Column(
                "last_value",
                "Last reading",
                Kind.quantity,
                width=150,
                sortable=True,
                unit_key="unit",
            ),
            Column("last_read_at", "Read at", Kind.datetime, width=160, sortable=True),
            Column("multiplier", "Multiplier", Kind.quantity, width=90),
            Column("is_remote", "Remote", Kind.flag, width=80),
            Column("state", "State", Kind.tag, width=90, choices=METER_STATES),
        ),
        filters=(
            Filter("q", "Meter or room", "search"),
            Filter("kind", "Kind", "choice", choices=KINDS),
            Filter("state", "State", "choice", choices=METER_STATES),
        ),
        views=(
            View("all", "All"),
            View("electricity", "Electricity", params={"kind": "electricity"}),
            View("water", "Water", params={"kind": "water"}),
        ),
        sort="no",
        empty=("No meter matches", "Change the search, or choose another community."),
        actions=(
            Action(
                "record",
                "Enter reading",
                call=api.record_reading,
                when={"state": ("in_use",)},
                done="Reading entered",
                form=Form(
                    title="Enter a reading",
                    fields=(
                        Field("value", "Register shows", Kind.quantity),
                        Field(
                            "read_on",
                            "Read on",
                            Kind.date,
                            required=False,
                            help="Leave it empty for a reading taken now.",
                        ),
                    ),
                    submit="Enter reading",
                    note="An unusually high reading waits for a review before it is billed.",
                ),
            ),
            Action(
                "change",
                "Change meter",
                call=api.change_meter,
                when={"state": ("in_use",)},
                done="Meter changed",
                form=Form(
                    title="Change the meter",
                    fields=(
                        Field("old_final", "Old meter shows", Kind.quantity),
                        Field("new_initial", "New meter shows", Kind.quantity),
                        Field("reason", "Reason", "long_text", required=False, wide=True),
                    ),
                    submit="Change meter",
                    note="The use of both is added; the change takes effect now.",
                ),
            ),
        ),
    ),
    TablePage(
        code="metering.readings",
        title="Readings",
        source=api.list_readings,
        columns=(
            Column("read_at", "Read at", Kind.datetime, width=160, sortable=True),
            Column("meter_no", "Meter number", width=140, sortable=True),
            Column("kind", "Kind", Kind.tag, width=80, choices=KINDS),
            Column("place", "Place", width=220),
            Column("value", "Reading", Kind.quantity, width=150, sortable=True, unit_key="unit"),
            Column("source", "Source", Kind.tag, width=100, choices=SOURCES),
            Column("state", "State", Kind.tag, width=100, choices=READING_STATES),
            Column("reason", "Reason", Kind.tag, width=130, choices=REASONS),
            Column("site_name", "Community", width=150),
        ),
        filters=(
            Filter("q", "Meter or room", "search"),
            Filter("kind", "Kind", "choice", choices=KINDS),
            Filter("state", "State", "choice", choices=READING_STATES),
        ),
        views=(
            View("all", "All"),
            View("review", "Waits for review", params={"state": "review"}, tone=Tone.wait),
            View("rejected", "Rejected", params={"state": "rejected"}, tone=Tone.bad),
        ),
        sort="-read_at",
        empty=("No reading matches", "Readings of remote meters arrive by themselves."),
        actions=(
            Action(
                "accept",
                "Accept",
                call=api.accept_reading,
                when={"state": ("review",)},
                done="Reading accepted",
            ),
            Action(
                "refuse",
                "Refuse",
                call=api.refuse_reading,
                when={"state": ("review",)},
                tone="bad",
                confirm="A refused reading is never billed. Refuse it?",
                done="Reading refused",
            ),
        ),
    ),
)

MENU = (
    MenuEntry("finance", "Meter readings", page="metering.readings", rank=35),
    MenuEntry("finance", "Meters", page="metering.meters", rank=36),
)
