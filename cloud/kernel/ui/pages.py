"""Pages as modules declare them: labels are English keys, addresses are route functions.

A page never repeats a path or a permission: both are read off the route it names. `render.py`
turns a declaration into the page language for one viewer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, Protocol
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.kernel.errors import AppError
from cloud.kernel.ui.language import Kind, Tone

Route = Callable[..., Any]


@dataclass(frozen=True)
class Choice:
    """One value of an enum as people read it, with its one meaning of color."""

    value: StrEnum
    label: str
    tone: Tone | None = None


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    kind: Kind = Kind.text
    width: int | None = None
    sortable: bool = False
    choices: tuple[Choice, ...] = ()
    unit: str | None = None
    unit_key: str | None = None
    note_key: str | None = None


@dataclass(frozen=True)
class Filter:
    key: str
    label: str
    kind: Literal["search", "choice", "period", "date"]
    choices: tuple[Choice, ...] = ()
    source: Route | None = None


@dataclass(frozen=True)
class View:
    code: str
    label: str
    params: Mapping[str, str] = field(default_factory=dict)
    tone: Tone | None = None
    needs: Route | None = None  # shown to who may call this route; to all without one


@dataclass(frozen=True)
class Lead:
    """Where a row's number leads: a view written by hand, for who may call its route."""

    path: str
    needs: Route


@dataclass(frozen=True)
class Field:
    key: str
    label: str
    kind: Kind | Literal["choice", "lookup", "multi", "long_text", "lines"] = Kind.text
    required: bool = True
    help: str | None = None
    choices: tuple[Choice, ...] = ()
    source: Route | None = None
    default: str | None = None
    start_key: str | None = None
    unit: str | None = None
    section: str | None = None
    wide: bool = False
    lines: tuple[Field, ...] = ()  # of a field of lines: what each of them holds
    least: int = 1  # of a field of lines: how many it begins with, and keeps


@dataclass(frozen=True)
class Form:
    """A dialog of an action; its keys are the fields of the route's body.

    `given` are values that are not typed because this form stands for them: one form for each
    method, instead of fields that come and go. `trial` is a POST route that takes some of the
    values while they are typed and answers `language.TrialLines`; it changes nothing.
    """

    title: str
    fields: tuple[Field, ...]
    submit: str
    note: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    trial: Route | None = None


@dataclass(frozen=True)
class Action:
    code: str
    label: str
    call: Route | None = None
    placement: Literal["primary", "toolbar", "row", "selection"] = "row"
    tone: Literal["bad"] | None = None
    confirm: str | None = None
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    form: Form | None = None
    done: str = "Done"
    opens: str | None = None
    shown_once: str | None = None  # key of the answer that is shown once, to be copied
    needs: Route | None = None  # an action that opens a view is shown to who may call this route


@dataclass(frozen=True)
class Section:
    code: str
    title: str
    kind: Literal["fields", "table", "explanation", "entries", "timeline"]
    key: str
    columns: tuple[Column, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class ImportColumn:
    """A column of an import's sheet; its heading is the label, in either language.

    Text keeps what was typed, 0101 included. `least` and `places` are of numbers.
    """

    key: str
    label: str
    kind: Kind = Kind.text
    required: bool = False
    choices: tuple[Choice, ...] = ()
    help: str | None = None
    example: str = ""
    length: int = 100
    places: int = 4
    least: Decimal | None = None


@dataclass(frozen=True)
class ImportOption:
    """A switch of an import; off unless it is asked for."""

    key: str
    label: str


class AddRows(Protocol):
    """Adds rows in as many statements as one would take, each as if those before it were there.

    Answers by row why it was left out, or None; `cloud.kernel.imports.rows` has what that takes.
    What it raises refuses the whole file, except what the database refuses: that is told by row.
    """

    def __call__(
        self,
        ctx: Ctx,
        *,
        site_id: UUID,
        rows: Sequence[dict[str, Any]],
        options: frozenset[str],
    ) -> Awaitable[list[AppError | None]]: ...


@dataclass(frozen=True)
class Import:
    """Rows of a workbook into a list; a reason is told at the field that it names."""

    title: str
    note: str
    permission: StrEnum
    columns: tuple[ImportColumn, ...]
    add: AddRows
    options: tuple[ImportOption, ...] = ()


@dataclass(frozen=True)
class TablePage:
    code: str
    title: str
    source: Route
    columns: tuple[Column, ...]
    sort: str
    empty: tuple[str, str]
    filters: tuple[Filter, ...] = ()
    views: tuple[View, ...] = ()
    actions: tuple[Action, ...] = ()
    detail: str | None = None
    leads: Lead | None = None
    sums: tuple[str, ...] = ()
    imports: Import | None = None


@dataclass(frozen=True)
class DetailPage:
    code: str
    title: str
    source: Route
    number: str
    subtitle: tuple[str, ...] = ()
    tags: tuple[Column, ...] = ()
    figures: tuple[Column, ...] = ()
    progress: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    actions: tuple[Action, ...] = ()
    foot: str | None = None


Page = TablePage | DetailPage


@dataclass(frozen=True)
class MenuEntry:
    """A line of the menu below one of `HEADINGS`: a declared page, or a view written by hand."""

    heading: str
    label: str
    page: str | None = None
    view: str | None = None
    needs: Route | None = None
    icon: str | None = None
    favorite: bool = False
    rank: int = 50  # place under its heading; the same rank keeps the order of the modules


@dataclass(frozen=True)
class Heading:
    code: str
    label: str
    icon: str


HEADINGS = (
    Heading("headquarters", "Headquarters", "chart-column"),
    Heading("resources", "Resources", "building-2"),
    Heading("finance", "Finance", "wallet"),
    Heading("charge_setup", "Charge setup", "tags"),
    Heading("customers", "Customers", "users"),
    Heading("equipment", "Equipment", "cpu"),
    Heading("system", "System", "sliders-horizontal"),
)
