"""The page language on the wire: table, form, detail, action and the menu.

Versioned data without expressions or layout. `render.py` fills it from the declarations in each
module's `pages.py`, filtered by the viewer's permissions and in the viewer's language; the one
renderer in `cloud/web/office` draws it. Its TypeScript types come from the OpenAPI document.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

VERSION: Literal[1] = 1


class Tone(StrEnum):
    """The seven meanings of color, the same on every page (design/ui.md §4)."""

    mute = "mute"
    info = "info"
    wait = "wait"
    auto = "auto"
    ok = "ok"
    warn = "warn"
    bad = "bad"


class Kind(StrEnum):
    """How a value is shown or typed; alignment, digits and width follow from it."""

    text = "text"
    number = "number"  # a document number: shown as a link when the table has a detail page
    money = "money"  # decimal string, 2 places
    price = "price"  # decimal string, up to 6 places, trailing zeros dropped
    quantity = "quantity"  # decimal string, up to 4 places, as entered
    whole = "count"
    percent = "percent"  # a share, 0.95, shown and typed as 95
    date = "date"
    datetime = "datetime"
    age = "age"  # an instant shown as "12 seconds ago"
    period = "period"  # {"from": date, "to": date}, closed at both ends
    tag = "tag"
    flag = "flag"
    phone = "phone"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Option(Part):
    value: str
    label: str
    tone: Tone | None


class Column(Part):
    """A column of a table, a line of a field section, or a figure at the head of a detail."""

    key: str
    label: str
    kind: Kind
    width: int | None
    sortable: bool
    options: list[Option]
    unit: str | None
    unit_key: str | None  # the row's own unit, where rows differ
    note_key: str | None  # a second, quieter line in the same cell


class Filter(Part):
    key: str
    label: str
    kind: Literal["search", "choice", "period", "date"]
    options: list[Option]
    source: str | None  # GET, answers {"items": [{"value", "label"}]}


class View(Part):
    """A quiet tab above a table: a named set of filter values, with its count."""

    code: str
    label: str
    params: dict[str, str]
    tone: Tone | None


class Empty(Part):
    title: str
    hint: str


class Field(Part):
    key: str
    label: str
    kind: Kind | Literal["choice", "lookup", "multi", "long_text", "lines"]
    required: bool
    help: str | None
    options: list[Option]
    source: str | None  # for lookup and multi: GET ?q=, answers {"items": [{"value", "label"}]}
    default: str | None
    start_key: str | None  # the row's value that it starts from instead of its own; "" for none
    unit: str | None
    section: str | None
    wide: bool
    lines: list[Field]  # for lines: the fields of each, sent as a list of objects
    least: int  # for lines: how many there are at least


class TrialLine(BaseModel):
    """One line of a trial: "3-1-1202 | 89.53 ㎡ × 2.58 × 3 months = 692.96 | +53.72 (+8.4 %)"."""

    label: str
    text: str
    result: str
    note: str
    tone: Tone | None


class TrialLines(BaseModel):
    """What a trial answers: what submitting would come to, computed by the engine that bills."""

    lines: list[TrialLine]


class Trial(Part):
    """A POST that is asked while a form is filled in. It changes nothing and answers `TrialLines`.

    The renderer sends the values of `takes` once all of `needs` are there and well-formed.
    """

    path: str
    takes: list[str]
    needs: list[str]


class Form(Part):
    shape: Literal["form"]
    version: Literal[1]
    code: str
    title: str
    note: str | None  # one line saying what follows from submitting
    fields: list[Field]
    given: dict[str, str]  # values that the form itself stands for; sent with what is typed
    trial: Trial | None
    submit: str


class Action(Part):
    """A button bound to one route. `{id}` and other `{keys}` in `path` are filled from the row."""

    code: str
    label: str
    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    placement: Literal["primary", "toolbar", "row", "selection"]
    tone: Literal["bad"] | None
    confirm: str | None  # the question asked first; `{number}` and other keys come from the row
    when: dict[str, list[str]]  # shown only on rows whose value of the key is in the list
    form: Form | None
    idempotent: bool  # the renderer sends an Idempotency-Key
    done: str  # the toast; keys in braces come from the answer
    opens: str | None  # instead of calling: a front-end path to open
    shown_once: str | None  # key of the answer that a dialog shows once, to be copied


class ImportColumn(Part):
    label: str
    required: bool


class ImportOption(Part):
    key: str
    label: str


class Import(Part):
    """Rows of a workbook into the list. `path` takes the file and answers a report; below it are
    `/template` and `/report`."""

    title: str
    note: str
    path: str
    columns: list[ImportColumn]
    options: list[ImportOption]


class Table(Part):
    shape: Literal["table"]
    version: Literal[1]
    code: str
    title: str
    source: str
    columns: list[Column]
    filters: list[Filter]
    views: list[View]
    actions: list[Action]
    detail: str | None  # code of the detail page that opens as a drawer
    opens: str | None  # instead: a front-end path that a row's number leads to
    sums: list[str]  # column keys; values come in the answer's `sums`
    sort: str  # the default, as sent: "-due_on"
    export: str | None  # GET with the same filters: .xlsx, or 202 and an export to wait for
    imports: Import | None
    empty: Empty


class Section(Part):
    """One block of a detail. `key` names the value in the payload that feeds it.

    fields: an object shown by `columns`. table: a list of objects. explanation: the calculation of
    a bill {"operands": [{"value", "unit", "caption"}], "raw", "amount", "recomputed": bool,
    "lines": [{"label", "value", "source"}]}. entries: journal entries [{"number", "business_on",
    "summary", "lines": [{"side", "account", "debit", "credit"}]}]. timeline: [{"at", "title",
    "text", "who", "tone", "opens"}].
    """

    code: str
    title: str
    kind: Literal["fields", "table", "explanation", "entries", "timeline"]
    key: str
    columns: list[Column]
    note: str | None


class Detail(Part):
    shape: Literal["detail"]
    version: Literal[1]
    code: str
    title: str
    source: str  # with {id}
    number: str  # key of the heading
    subtitle: list[str]  # keys joined by a middle dot
    tags: list[Column]
    figures: list[Column]
    progress: list[str]  # [part, whole]: the 2 px bar; empty for none
    sections: list[Section]
    actions: list[Action]
    foot: str | None


class MenuItem(Part):
    code: str
    label: str
    icon: str | None  # a Lucide icon name
    page: str | None  # code of a declared page
    view: str | None  # path of a hand-written view, when there is no page
    favorite: bool
    children: list[MenuItem]
