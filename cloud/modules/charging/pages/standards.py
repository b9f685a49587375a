"""Pages of how items are charged: the list of standards and one with its versions."""

from __future__ import annotations

from dataclasses import replace

from cloud.kernel.money import RoundingMode, RoundingStep
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
from cloud.modules.charging.models import (
    AreaBasis,
    Method,
    PricePer,
    Proration,
    Timing,
)
from cloud.modules.charging.queries import StandardState
from cloud.modules.charging.rules import WINDOW_LABELS
from cloud.modules.charging.schemas import Cycle
from cloud.modules.resources import api as resources_api

METHODS = (
    Choice(Method.area, "By area", Tone.mute),
    Choice(Method.fixed, "Fixed", Tone.mute),
    Choice(Method.metered, "By meter", Tone.mute),
)
TIMINGS = (Choice(Timing.advance, "In advance"), Choice(Timing.arrears, "In arrears"))
CYCLES = (
    Choice(Cycle.month, "Monthly"),
    Choice(Cycle.two_months, "Every 2 months"),
    Choice(Cycle.quarter, "Quarterly"),
    Choice(Cycle.half_year, "Half-yearly"),
    Choice(Cycle.year, "Yearly"),
)
PER = (Choice(PricePer.month, "Per month"), Choice(PricePer.cycle, "Per cycle"))
AREAS = (
    Choice(AreaBasis.chargeable, "Chargeable area"),
    Choice(AreaBasis.building, "Building area"),
    Choice(AreaBasis.inner, "Inner area"),
)
PRORATIONS = (
    Choice(Proration.actual_month, "Days of the calendar month"),
    Choice(Proration.fixed_30, "Month of 30 days"),
    Choice(Proration.year_365, "Year of 365 days"),
    Choice(Proration.full_month, "Any part is a whole month"),
    Choice(Proration.half_month, "Half a month from the 16th"),
    Choice(Proration.next_month, "From the month after"),
)
STEPS = (
    Choice(RoundingStep.cent, "To 0.01 yuan"),
    Choice(RoundingStep.dime, "To 0.1 yuan"),
    Choice(RoundingStep.yuan, "To 1 yuan"),
)
MODES = (
    Choice(RoundingMode.half_up, "Half up"),
    Choice(RoundingMode.up, "Always up"),
    Choice(RoundingMode.down, "Always down"),
)
VERSION_STATES = (
    Choice(StandardState.in_force, "In force", Tone.ok),
    Choice(StandardState.upcoming, "To come", Tone.wait),
    Choice(StandardState.closed, "Ended", Tone.mute),
)
STANDARD_STATES = (
    Choice(StandardState.in_force, "In force", Tone.ok),
    Choice(StandardState.upcoming, "To come", Tone.wait),
    Choice(StandardState.closed, "Closed", Tone.mute),
)
_WHO = (
    Field("site_id", "Community", "lookup", source=resources_api.lookup_sites, section="Standard"),
    Field("item_id", "Charge item", "lookup", source=api.item_choices, section="Standard"),
    Field("name", "Name", section="Standard"),
    Field(
        "code",
        "Code",
        help="Standards are copied between communities by their code.",
        section="Standard",
    ),
)


def _price(unit: str) -> Field:
    return Field("unit_price", "Unit price", Kind.price, unit=unit, section="Price")


_BY_AREA = _price("yuan/m²·month")
_FLAT = _price("yuan/month or cycle")
_METERED = _price("yuan/unit of the meter")
_AREA = Field("area_basis", "Area", "choice", choices=AREAS, default="chargeable", section="Price")
_PER = Field("price_per", "Price is", "choice", choices=PER, default="month", section="Price")
_PRORATION = Field(
    "proration",
    "Part of a cycle",
    "choice",
    choices=PRORATIONS,
    default="actual_month",
    section="Price",
)
_ROUNDING = (
    Field("rounding_step", "Rounding", "choice", choices=STEPS, default="cent", section="Price"),
    Field("rounding_mode", "Rounded", "choice", choices=MODES, default="half_up", section="Price"),
)
WINDOWS = tuple(Choice(window, label) for window, label in WINDOW_LABELS.items())
_BANDS = (
    Field(
        "bands",
        "Bands",
        "lines",
        wide=True,
        help="Each begins where the one before it ends. The last one has no upper bound.",
        lines=(
            Field("upto", "Up to and including", Kind.quantity, required=False),
            replace(_METERED, section=None),
        ),
        least=2,
        section="Price",
    ),
    Field(
        "band_window",
        "Use is added up",
        "choice",
        choices=WINDOWS,
        default="year",
        help="Years run from the day on which the first cycle begins.",
        section="Price",
    ),
)
_FROM = Field("effective_from", "In force from", Kind.date, section="In force and basis")
_FROM_NEXT = replace(
    _FROM,
    start_key="next_version_on",
    help="From the day after the newest version begins.",
)
_BASIS = (
    Field(
        "basis",
        "Basis of the price",
        help="Contract, approval or resolution, with its number.",
        section="In force and basis",
    ),
    Field(
        "note",
        "Note",
        required=False,
        wide=True,
        help="A price of 0 needs its reason here.",
        section="In force and basis",
    ),
)


def _cycle(timing: str, due_days: str) -> tuple[Field, ...]:
    return (
        Field("cycle_months", "Billed", "choice", choices=CYCLES, default="1", section="Cycle"),
        Field("timing", "Timing", "choice", choices=TIMINGS, default=timing, section="Cycle"),
        Field("due_days", "Days to pay", Kind.whole, default=due_days, section="Cycle"),
        Field(
            "anchor_on",
            "First cycle begins",
            Kind.date,
            required=False,
            help="Quarters and years follow from this day. Left open: those of the calendar.",
            section="Cycle",
        ),
    )


def _creation(method: Method, title: str, fields: tuple[Field, ...]) -> Form:
    """One form for each method: what a method does not have is not on its form."""
    return Form(
        title=title,
        note="It bills nothing before rooms are bound to it.",
        fields=fields,
        given={"method": method.value},
        trial=api.try_standard,
        submit="Add",
    )


BY_AREA = _creation(
    Method.area,
    "Add a standard by area",
    (*_WHO, _BY_AREA, _AREA, _PRORATION, *_ROUNDING, *_cycle("advance", "30"), _FROM, *_BASIS),
)
FIXED = _creation(
    Method.fixed,
    "Add a fixed standard",
    (*_WHO, _FLAT, _PER, _PRORATION, *_ROUNDING, *_cycle("advance", "30"), _FROM, *_BASIS),
)
METERED = _creation(
    Method.metered,
    "Add a metered standard",
    (*_WHO, _METERED, *_ROUNDING, *_cycle("arrears", "15"), _FROM, *_BASIS),
)
BANDED = _creation(
    Method.metered,
    "Add a standard in bands",
    (*_WHO, *_BANDS, *_ROUNDING, *_cycle("arrears", "15"), _FROM, *_BASIS),
)
_CREATED = "Standard {name} is added"


def _versioning(
    code: str, method: Method, *fields: Field, label: str = "Add a version", **when: str
) -> Action:
    return Action(
        f"version_{code}",
        label,
        api.add_version,
        when={
            "method": (method.value,),
            "state": ("in_force", "upcoming"),
            **{key: (value,) for key, value in when.items()},
        },
        form=Form(
            title="Add a version of the standard",
            note="The version before it ends the day this one begins; published bills stay.",
            fields=(*fields, *_ROUNDING, _FROM_NEXT, *_BASIS),
            trial=api.try_version,
            submit="Add",
        ),
        done="Version {number} is in force from {effective_from}",
    )


_ONE = "Add a version with one price"
_IN_BANDS = "Add a version in bands"

STANDARD_ACTIONS = (
    Action(
        "change",
        "Change",
        api.change_standard,
        when={"state": ("in_force", "upcoming")},
        form=Form(
            title="Change the standard",
            note="A price is changed by a new version.",
            fields=(Field("name", "Name"), Field("due_days", "Days to pay", Kind.whole)),
            submit="Save",
        ),
        done="Standard {name} is changed",
    ),
    Action(
        "close",
        "Close",
        api.close_standard,
        tone="bad",
        when={"state": ("in_force", "upcoming")},
        form=Form(
            title="Close the standard",
            note="It holds for nothing after its last day and cannot be opened again.",
            fields=(
                Field("last_day", "Last day", Kind.date),
                Field("reason", "Reason", "long_text", wide=True),
            ),
            submit="Close",
        ),
        done="Standard {name} is closed",
    ),
    _versioning("fixed", Method.fixed, _FLAT, _PER, _PRORATION),
    # The last that is possible is the button: what the standard is priced by already.
    _versioning("unbanded", Method.metered, _METERED, label=_ONE, priced="bands"),
    _versioning("banded", Method.metered, *_BANDS, label=_IN_BANDS),
    _versioning("metered", Method.metered, _METERED, priced="price"),
    _versioning("area", Method.area, _BY_AREA, _AREA, _PRORATION),
)

STANDARDS = TablePage(
    code="charging.standards",
    title="Charge standards",
    source=api.list_standards,
    columns=(
        Column("code", "Code", Kind.number, width=176, sortable=True),
        Column("name", "Name", width=190, sortable=True),
        Column("item_name", "Charge item", width=116),
        Column("method", "Method", Kind.tag, width=84, choices=METHODS),
        Column(
            "unit_price",
            "Unit price",
            Kind.price,
            width=190,
            unit_key="price_unit",
            note_key="next_price",
        ),
        Column("version_number", "Version", Kind.whole, width=64),
        Column("effective_from", "In force from", Kind.date, width=110),
        Column("cycle_months", "Cycle (months)", Kind.whole, width=96),
        Column("timing", "Timing", Kind.tag, width=80, choices=TIMINGS),
        Column("due_days", "Days to pay", Kind.whole, width=88),
        Column("bound", "Bound", Kind.whole, width=80),
        Column("state", "State", Kind.tag, width=84, choices=STANDARD_STATES),
        Column("site_name", "Community", width=120),
    ),
    filters=(
        Filter("q", "Code or name", "search"),
        Filter("item_id", "Charge item", "choice", source=api.item_choices),
        Filter("method", "Method", "choice", choices=METHODS),
        Filter("state", "State", "choice", choices=STANDARD_STATES),
    ),
    views=(
        View("all", "All"),
        View("in_force", "In force", {"state": "in_force"}),
        View("closed", "Closed", {"state": "closed"}),
    ),
    actions=(
        Action(
            "copy",
            "Copy from a community",
            api.copy_standards,
            placement="toolbar",
            form=Form(
                title="Copy standards from another community",
                note="Matched by code: what is there already stays as it is and is named.",
                fields=(
                    Field(
                        "from_site_id",
                        "Copy from",
                        "lookup",
                        source=resources_api.lookup_sites,
                    ),
                    Field("site_id", "Copy to", "lookup", source=resources_api.lookup_sites),
                ),
                trial=api.try_copy,
                submit="Copy",
            ),
            done="{copied} copied, {skipped} skipped: {left}",
        ),
        Action(
            "create",
            "Add a standard by area",
            api.create_standard,
            placement="primary",
            form=BY_AREA,
            done=_CREATED,
        ),
        Action(
            "create_fixed",
            "Add a fixed standard",
            api.create_standard,
            placement="primary",
            form=FIXED,
            done=_CREATED,
        ),
        Action(
            "create_metered",
            "Add a metered standard",
            api.create_standard,
            placement="primary",
            form=METERED,
            done=_CREATED,
        ),
        Action(
            "create_banded",
            "Add a standard in bands",
            api.create_standard,
            placement="primary",
            form=BANDED,
            done=_CREATED,
        ),
        *STANDARD_ACTIONS,
    ),
    detail="charging.standard",
    sort="code",
    empty=("No charge standard yet", "Bills can be made once there is one."),
)

STANDARD = DetailPage(
    code="charging.standard",
    title="Charge standard",
    source=api.read_standard,
    number="name",
    subtitle=("code", "item_name", "site_name"),
    tags=(
        Column("state", "State", Kind.tag, choices=STANDARD_STATES),
        Column("method", "Method", Kind.tag, choices=METHODS),
    ),
    figures=(
        Column("unit_price", "Unit price", Kind.price, unit_key="price_unit"),
        Column("bound", "Bound", Kind.whole),
    ),
    sections=(
        Section(
            "versions",
            "Versions",
            "table",
            "versions",
            columns=(
                Column("number", "Version", Kind.whole, width=64),
                Column("unit_price", "Unit price", Kind.price, width=150, note_key="in_bands"),
                Column("effective_from", "In force from", Kind.date, width=110),
                Column("effective_to", "To", Kind.date, width=110),
                Column("state", "State", Kind.tag, width=84, choices=VERSION_STATES),
                Column("basis", "Basis of the price", width=160, note_key="note"),
            ),
            note="Each begins the day after the one before it ends.",
        ),
        Section(
            "bindings",
            "Bound rooms",
            "table",
            "bindings",
            columns=(
                Column("room_name", "Room number", width=160),
                Column("meter_no", "Meter", width=130),
                Column("starts_on", "Starts on", Kind.date, width=110),
                Column("ends_on", "Ends on", Kind.date, width=110),
            ),
            note="At most 200 are shown.",
        ),
    ),
    actions=STANDARD_ACTIONS,
    foot="A price in force is never edited: a new version takes its place from a day on.",
)
