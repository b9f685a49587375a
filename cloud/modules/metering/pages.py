"""Pages of metering."""

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
from cloud.modules.metering import api, imports
from cloud.modules.metering.models import (
    ReadingReason,
    ReadingSource,
    ReadingState,
)
from cloud.modules.metering.rules import METER_KIND_LABELS, METER_STATE_LABELS
from cloud.modules.resources import api as resources_api

KINDS = tuple(Choice(kind, *shown) for kind, shown in METER_KIND_LABELS.items())
METER_STATES = tuple(Choice(state, *shown) for state, shown in METER_STATE_LABELS.items())
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

METER_ACTIONS = (
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
    Action(
        "correct",
        "Change",
        call=api.correct_meter,
        when={"state": ("in_use",)},
        done="Meter {no} is changed",
        form=Form(
            title="Correct the meter",
            fields=(
                Field("no", "Meter number"),
                Field("multiplier", "Multiplier", Kind.quantity),
                Field("digits", "Digits before the point", Kind.whole),
                Field("can_roll_over", "Rolls over", Kind.flag),
            ),
            submit="Save",
            note="Multiplier and digits are fixed once it was read.",
        ),
    ),
    Action(
        "connect",
        "Connect",
        call=api.connect_meter,
        when={"state": ("in_use",)},
        done="Meter {no} is connected",
        form=Form(
            title="Connect the meter to a device",
            fields=(
                Field(
                    "point_no",
                    "Billing register",
                    "lookup",
                    required=False,
                    source=api.point_choices,
                    help="Left open: the meter is read by hand.",
                    wide=True,
                ),
            ),
            submit="Connect",
            note="Its readings come from that register from now on.",
        ),
    ),
    Action(
        "remove",
        "Remove",
        call=api.remove_meter,
        tone="bad",
        when={"state": ("in_use",)},
        done="Meter {no} is removed",
        form=Form(
            title="Remove the meter",
            fields=(
                Field("final_value", "Register shows", Kind.quantity, required=False),
                Field("reason", "Reason", "long_text", wide=True),
            ),
            submit="Remove",
            note="It takes no more readings; those it has stay. To replace it, change the meter.",
        ),
    ),
)


def _creation(title: str, *place: Field) -> Form:
    return Form(
        title=title,
        note="It is billed once its room is bound to a metered standard.",
        fields=(
            *place,
            Field("no", "Meter number", section="Meter plate"),
            Field("kind", "Kind", "choice", choices=KINDS, section="Meter plate"),
            Field("multiplier", "Multiplier", Kind.quantity, default="1", section="Meter plate"),
            Field(
                "digits",
                "Digits before the point",
                Kind.whole,
                default="6",
                section="Meter plate",
            ),
            Field(
                "can_roll_over",
                "Rolls over",
                Kind.flag,
                default="true",
                section="Meter plate",
            ),
            Field("initial_value", "Register starts at", Kind.quantity, section="Installation"),
            Field("installed_on", "Installed on", Kind.date, section="Installation"),
            Field(
                "parent_id",
                "Stands below",
                "lookup",
                required=False,
                source=api.meter_choices,
                section="Installation",
            ),
            Field(
                "point_no",
                "Billing register",
                "lookup",
                required=False,
                source=api.point_choices,
                help="Left open: the meter is read by hand.",
                section="Installation",
            ),
        ),
        submit="Add",
    )


METER_CREATION = (
    Action(
        "create_shared",
        "Add a shared meter",
        call=api.put_up_meter,
        placement="toolbar",
        done="Meter {no} is added",
        form=_creation(
            "Add a shared meter",
            Field(
                "space_id",
                "Building or unit",
                "lookup",
                source=resources_api.lookup_parents,
                section="Place",
            ),
        ),
    ),
    Action(
        "create",
        "Add a meter",
        call=api.put_up_meter,
        placement="primary",
        done="Meter {no} is added",
        form=_creation(
            "Add a meter of a room",
            Field(
                "room_id",
                "Room number",
                "lookup",
                source=resources_api.lookup_rooms,
                section="Place",
            ),
        ),
    ),
)

PAGES = (
    TablePage(
        code="metering.meters",
        title="Meters",
        source=api.list_meters,
        columns=(
            Column("no", "Meter number", Kind.number, width=140, sortable=True),
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
        imports=imports.METERS,
        sort="no",
        empty=("No meter matches", "Change the search, or choose another community."),
        actions=(*METER_CREATION, *METER_ACTIONS),
        detail="metering.meter",
    ),
    DetailPage(
        code="metering.meter",
        title="Meter",
        source=api.read_meter,
        number="no",
        subtitle=("place", "site_name"),
        tags=(
            Column("state", "State", Kind.tag, choices=METER_STATES),
            Column("kind", "Kind", Kind.tag, choices=KINDS),
        ),
        figures=(
            Column("last_value", "Last reading", Kind.quantity, unit_key="unit"),
            Column("last_read_at", "Read at", Kind.age),
        ),
        sections=(
            Section(
                "facts",
                "Meter plate",
                "fields",
                "facts",
                columns=(
                    Column("multiplier", "Multiplier", Kind.quantity),
                    Column("digits", "Digits before the point", Kind.whole),
                    Column("can_roll_over", "Rolls over", Kind.flag),
                    Column("installed_on", "Installed on", Kind.date),
                    Column("initial_value", "First reading", Kind.quantity),
                    Column("parent_no", "Stands below"),
                    Column("device", "Billing register"),
                    Column("removed_on", "Removed on", Kind.date),
                ),
            ),
            Section(
                "months",
                "Use by month",
                "table",
                "months",
                columns=(
                    Column("month", "Month", width=110),
                    Column("usage", "Used", Kind.quantity, width=140, unit_key="unit"),
                    Column("why", "Note", width=220),
                ),
                note="After the multiplier, over changes of the meter.",
            ),
            Section(
                "readings",
                "Readings",
                "table",
                "readings",
                columns=(
                    Column("read_at", "Read at", Kind.datetime, width=150),
                    Column("value", "Reading", Kind.quantity, width=120),
                    Column("source", "Source", Kind.tag, width=96, choices=SOURCES),
                    Column("state", "State", Kind.tag, width=96, choices=READING_STATES),
                    Column("reason", "Reason", Kind.tag, width=130, choices=REASONS),
                ),
                note="The newest 100 are shown.",
            ),
            Section(
                "changes",
                "Changes of the meter",
                "table",
                "changes",
                columns=(
                    Column("changed_at", "Changed at", Kind.datetime, width=150),
                    Column("old_final", "Old meter shows", Kind.quantity, width=120),
                    Column("new_initial", "New meter shows", Kind.quantity, width=120),
                    Column("reason", "Reason", width=200),
                ),
            ),
        ),
        actions=(*METER_ACTIONS[1:], METER_ACTIONS[0]),
        foot="What was read is never edited; a wrong reading is refused and read again.",
    ),
    TablePage(
        code="metering.readings",
        title="Meter readings",
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
        imports=imports.READINGS,
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
    MenuEntry("charge_setup", "Meters", page="metering.meters", rank=40),
)
