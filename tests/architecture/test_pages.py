"""Every page resolves: its columns, filters, actions and forms name what its routes really have."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Any, get_args
from uuid import UUID

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow
from cloud.kernel.i18n import LOCALES, Texts
from cloud.kernel.listing import Listed
from cloud.kernel.listing import Page as ListPage
from cloud.kernel.ui.language import Kind, TrialLines
from cloud.kernel.ui.pages import (
    Action,
    Choice,
    Column,
    DetailPage,
    Field,
    Filter,
    Form,
    MenuEntry,
    Page,
    Section,
    TablePage,
)
from cloud.kernel.ui.render import BrokenPage, Pages
from cloud.main import MODULES, vocabulary
from tests.architecture.web import composed, dependencies, routes_of

Routes = dict[Any, APIRoute]
# Filled from the row or from where the viewer stands.
_GIVEN = {"site_id"}
# Pages that a screen written by hand opens.
OPENED_BY_HAND = {
    "receiving.statement": "the counter opens it for the room that it serves",
}


def routes_by_endpoint(routes: Iterable[APIRoute]) -> Routes:
    return {route.endpoint: route for route in routes}


def row_of(route: APIRoute, *, is_list: bool) -> type[BaseModel]:
    answer = route.response_model
    assert isinstance(answer, type)
    assert issubclass(answer, BaseModel)
    row = get_args(answer.model_fields["items"].annotation)[0] if is_list else answer
    assert isinstance(row, type)
    assert issubclass(row, BaseModel)
    return row


def asked_of(route: APIRoute) -> set[str]:
    """The query parameters that a route takes."""
    dependants = [route.dependant, *dependencies(route.dependant)]
    return {str(param.alias) for each in dependants for param in each.query_params}


def dangling(page: Page, routes: Routes) -> Iterator[str]:
    row = row_of(routes[page.source], is_list=isinstance(page, TablePage))
    keys = set(row.model_fields)
    if isinstance(page, TablePage):
        yield from _columns(page.code, page.columns, keys)
        yield from _questions(page, asked_of(routes[page.source]))
        if page.sort.removeprefix("-") not in {c.key for c in page.columns if c.sortable} | keys:
            yield f"{page.code} is sorted by {page.sort}, which it does not show"
    else:
        yield from _columns(page.code, (*page.tags, *page.figures), keys)
        for section in page.sections:
            yield from _section(page.code, section, row)
    for action in page.actions:
        yield from _action(page.code, action, keys, routes)


def _columns(code: str, columns: Iterable[Column], keys: set[str]) -> Iterator[str]:
    for column in columns:
        for key in (column.key, column.unit_key, column.note_key):
            if key is not None and key not in keys:
                yield f"{code}: the row has no “{key}”"
        if column.kind is Kind.tag and not column.choices:
            yield f"{code}: the tag {column.key} has no choices"


def _questions(page: TablePage, asked: set[str]) -> Iterator[str]:
    for item in page.filters:
        wanted = {f"{item.key}_from", f"{item.key}_to"} if item.kind == "period" else {item.key}
        if not wanted <= asked and item.key not in asked:
            yield f"{page.code}: its source does not take the filter {item.key}"
        if item.kind == "choice" and not item.choices and item.source is None:
            yield f"{page.code}: the filter {item.key} has nothing to choose from"
    for view in page.views:
        for key in view.params.keys() - asked:
            yield f"{page.code}: its source does not take {key} of the view {view.code}"


def _section(code: str, section: Section, row: type[BaseModel]) -> Iterator[str]:
    if section.kind not in {"table", "fields"} or section.key not in row.model_fields:
        return
    inner = row.model_fields[section.key].annotation
    models = [one for one in (inner, *get_args(inner)) if isinstance(one, type)]
    known = {key for one in models if issubclass(one, BaseModel) for key in one.model_fields}
    for column in section.columns:
        if known and column.key not in known:
            yield f"{code}: the section {section.code} has no “{column.key}”"


def _action(code: str, action: Action, keys: set[str], routes: Routes) -> Iterator[str]:
    route = routes[action.call or action.needs]
    placeholders = re.findall(r"\{(\w+)\}", route.path)
    if action.call is not None:
        for name in placeholders[:-1]:
            if name not in keys | _GIVEN:
                yield f"{code}: {action.code} needs {name}, which the row does not bring"
    for key in action.when.keys() - keys:
        yield f"{code}: {action.code} looks at “{key}”, which the row does not have"
    required = _required(route) - _GIVEN
    typed = {field.key for field in action.form.fields} if action.form else set()
    typed |= action.form.given.keys() if action.form else set()
    typed |= {"ids"} if action.placement == "selection" else set()  # of the rows chosen
    if action.call is not None and required - typed - keys:
        yield f"{code}: {action.code} does not ask for {sorted(required - typed - keys)}"
    for field in action.form.fields if action.form else ():
        if not field.required and not _may_be_empty(route, field):
            yield f"{code}: {action.code} offers to leave {field.key} empty, its route refuses that"


# What a form sends for a field of the kind that was left empty; null for all others.
_EMPTY: dict[str, Any] = {"flag": False, "multi": []}


def _may_be_empty(route: APIRoute, field: Field) -> bool:
    body = route.body_field.field_info.annotation if route.body_field else None
    if not (isinstance(body, type) and issubclass(body, BaseModel)):
        return True
    taken = body.model_fields.get(field.key)
    if taken is None:
        return True  # said elsewhere
    annotated: Any = Annotated[taken.annotation, *taken.metadata, "its own"]
    try:
        TypeAdapter(annotated).validate_python(_EMPTY.get(field.kind))
    except ValidationError:
        return False
    return True


def _required(route: APIRoute) -> set[str]:
    body = route.body_field.field_info.annotation if route.body_field else None
    if not (isinstance(body, type) and issubclass(body, BaseModel)):
        return set()
    return {name for name, field in body.model_fields.items() if field.is_required()}


def declared() -> list[Page]:
    return [page for module in MODULES for page in module.pages]


class TestThePages:
    def test_name_what_their_routes_have(self) -> None:
        routes = routes_by_endpoint(routes_of(composed()))

        assert [line for page in declared() for line in dangling(page, routes)] == []

    @pytest.mark.parametrize("locale", LOCALES)
    def test_are_drawn_for_who_may_do_everything(self, locale: str) -> None:
        pages: Pages = composed().state.runtime.pages

        drawn = [
            pages.page(page.code, permissions=vocabulary(), locale=locale) for page in declared()
        ]

        assert [page.code for page in drawn] == [page.code for page in declared()]

    def test_are_drawn_without_actions_for_who_may_only_read(self) -> None:
        pages: Pages = composed().state.runtime.pages
        reading = frozenset(one for one in vocabulary() if one.endswith(":read"))

        for heading in pages.menu(permissions=reading, locale="en"):
            for entry in heading.children:
                if entry.page is not None:
                    page = pages.page(entry.page, permissions=reading, locale="en")
                    assert all(action.method == "GET" for action in page.actions), entry.page

    def test_are_all_reached_from_the_menu_or_another_page(self) -> None:
        reached = {entry.page for module in MODULES for entry in module.menu}
        reached |= {page.detail for page in declared() if isinstance(page, TablePage)}
        reached |= {action.opens for page in declared() for action in page.actions}

        codes = {page.code for page in declared()}
        assert codes - reached == OPENED_BY_HAND.keys()


class Sample(StrEnum):
    bill_read = "sample.bill:read"
    bill_void = "sample.bill:void"


class Line(BaseModel):
    on: str


class BillRead(BaseModel):
    id: UUID
    number: str
    state: str
    lines: list[Line]


class VoidBill(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str


router = APIRouter(prefix="/api/v1/sample", tags=["sample"])
ReadBills = Annotated[Ctx, allow(Sample.bill_read)]
VoidBills = Annotated[Ctx, allow(Sample.bill_void)]


@router.get("/bills", response_model=ListPage[BillRead])
async def list_bills(ctx: ReadBills, listing: Listed, state: str | None = None) -> Any:
    return ctx, listing, state


@router.get("/bills/{bill_id}", response_model=BillRead)
async def read_bill(ctx: ReadBills, bill_id: UUID) -> Any:
    return ctx, bill_id


@router.post("/rooms/{room_id}/bills/{bill_id}/void", response_model=BillRead)
async def void_in_room(ctx: VoidBills, room_id: UUID, bill_id: UUID, body: VoidBill) -> Any:
    return ctx, room_id, bill_id, body


@router.post("/bills/{bill_id}/void", response_model=BillRead)
async def void_bill(ctx: VoidBills, bill_id: UUID, body: VoidBill) -> Any:
    return ctx, bill_id, body


@router.patch("/bills/{bill_id}", response_model=BillRead)
async def change_bill(ctx: VoidBills, bill_id: UUID, body: VoidBill) -> Any:
    return ctx, bill_id, body


class WhatIf(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str
    until: str = ""


class NeedsMore(WhatIf):
    amount: int


@router.post("/trial", response_model=TrialLines)
async def try_out(ctx: ReadBills, body: WhatIf) -> Any:
    return ctx, body


@router.post("/greedy-trial", response_model=TrialLines)
async def try_with_more(ctx: ReadBills, body: NeedsMore) -> Any:
    return ctx, body


@router.get("/silent", response_model=None)
async def says_nothing(ctx: ReadBills) -> Any:
    return ctx


async def no_route() -> None:
    return None


FORM = Form("Void", (Field("reason", "Reason"),), "Void", trial=try_out)


def voiding(**changes: Any) -> Any:
    """The table with another form behind its action."""
    form = changed(FORM, **changes)
    return changed(TABLE, actions=(Action("void", "Void", void_bill, form=form),))


TABLE = TablePage(
    code="sample.bills",
    title="Bills",
    source=list_bills,
    columns=(Column("number", "Number", sortable=True),),
    sort="number",
    empty=("", ""),
    filters=(
        Filter("q", "Search", "search"),
        Filter("state", "State", "choice", source=list_bills),
    ),
    actions=(Action("void", "Void", void_bill, form=FORM),),
    detail="sample.bill",
)
DETAIL = DetailPage(
    code="sample.bill",
    title="Bill",
    source=read_bill,
    number="number",
    sections=(Section("lines", "Lines", "table", "lines", (Column("on", "Day"),)),),
)


def pages_of(*pages: Page, menu: tuple[MenuEntry, ...] = ()) -> Pages:
    return Pages(routes=list(routes_of(router)), declared=pages, menu=menu, texts=Texts())


def changed(page: Any, **changes: Any) -> Any:
    return dataclasses.replace(page, **changes)


STOPPED = {
    "no route": changed(TABLE, source=no_route),
    "no answer": changed(TABLE, source=says_nothing),
    "a column": changed(TABLE, columns=(Column("amount", "Amount"),)),
    "a sum": changed(TABLE, sums=("amount",)),
    "a detail": changed(TABLE, detail="sample.nothing"),
    "an action": changed(TABLE, actions=(Action("void", "Void"),)),
    "a call": changed(TABLE, actions=(Action("void", "Void", no_route),)),
    "a form without a body": changed(TABLE, actions=(Action("see", "See", read_bill, form=FORM),)),
    "a change without the version": changed(
        TABLE, actions=(Action("change", "Change", change_bill, form=FORM),)
    ),
    "a field": changed(
        TABLE,
        actions=(Action("void", "Void", void_bill, form=Form("", (Field("why", "Why"),), "")),),
    ),
    "a given value": voiding(given={"why": "x"}),
    "a trial that is no route": voiding(trial=no_route),
    "a trial that takes nothing": voiding(trial=read_bill),
    "a trial that answers something else": voiding(trial=void_bill),
    "a trial that needs more than is typed": voiding(trial=try_with_more),
    "a number": changed(DETAIL, number="no"),
    "a section": changed(DETAIL, sections=(Section("x", "X", "table", "entries"),)),
}

DANGLING = {
    "its source does not take the filter": changed(TABLE, filters=(Filter("room", "R", "search"),)),
    "has nothing to choose from": changed(TABLE, filters=(Filter("state", "S", "choice"),)),
    "has no choices": changed(TABLE, columns=(Column("state", "State", Kind.tag),)),
    "has no “unit”": changed(TABLE, columns=(Column("number", "No", unit_key="unit"),)),
    "is sorted by": changed(TABLE, sort="amount"),
    "needs room_id": changed(TABLE, actions=(Action("v", "V", void_in_room, form=FORM),)),
    "looks at “paid”": changed(
        TABLE, actions=(Action("v", "V", void_bill, form=FORM, when={"paid": ("no",)}),)
    ),
    "offers to leave reason empty": voiding(fields=(Field("reason", "Reason", required=False),)),
    "does not ask for ['reason']": changed(TABLE, actions=(Action("void", "V", void_bill),)),
    "the section lines has no “amount”": changed(
        DETAIL, sections=(Section("lines", "L", "table", "lines", (Column("amount", "A"),)),)
    ),
}


class TestSeenRed:
    def test_the_right_pages_pass(self) -> None:
        assert pages_of(TABLE, DETAIL)
        routes = routes_by_endpoint(routes_of(router))
        assert [*dangling(TABLE, routes), *dangling(DETAIL, routes)] == []

    @pytest.mark.parametrize("fault", STOPPED)
    def test_the_application_does_not_start(self, fault: str) -> None:
        broken = STOPPED[fault]
        others = [page for page in (TABLE, DETAIL) if page.code != broken.code]

        with pytest.raises(BrokenPage):
            pages_of(broken, *others)

    @pytest.mark.parametrize(
        "entry",
        [
            MenuEntry("system", "X", page="sample.gone"),
            MenuEntry("gone", "X", page="sample.bills"),
        ],
        ids=["a page that is not there", "a heading that is not there"],
    )
    def test_nor_with_a_menu_that_leads_nowhere(self, entry: MenuEntry) -> None:
        with pytest.raises(BrokenPage):
            pages_of(TABLE, DETAIL, menu=(entry,))

    @pytest.mark.parametrize("complaint", DANGLING)
    def test_each_loose_end_is_said(self, complaint: str) -> None:
        routes = routes_by_endpoint(routes_of(router))

        assert any(complaint in line for line in dangling(DANGLING[complaint], routes))


class TestDrawing:
    def test_leaves_out_what_the_viewer_may_not_do(self) -> None:
        pages = pages_of(TABLE, DETAIL, menu=(MenuEntry("system", "Bills", page="sample.bills"),))
        reader = frozenset({Sample.bill_read.value})

        table = pages.page("sample.bills", permissions=reader, locale="en")

        assert table.actions == []
        assert pages.menu(permissions=frozenset(), locale="en") == []
        assert [item.code for item in pages.menu(permissions=reader, locale="en")] == ["system"]

    def test_binds_the_rows_own_key(self) -> None:
        everything = frozenset(one.value for one in Sample)

        table = pages_of(TABLE, DETAIL).page("sample.bills", permissions=everything, locale="en")

        assert table.actions[0].path == "/api/v1/sample/bills/{id}/void"
        assert table.actions[0].method == "POST"

    def test_says_what_a_trial_takes_and_needs(self) -> None:
        everything = frozenset(one.value for one in Sample)

        table = pages_of(TABLE, DETAIL).page("sample.bills", permissions=everything, locale="en")

        assert table.shape == "table"
        assert table.actions[0].form is not None
        trial = table.actions[0].form.trial
        assert trial is not None
        assert (trial.path, trial.takes, trial.needs) == (
            "/api/v1/sample/trial",
            ["reason"],
            ["reason"],
        )

    def test_shows_an_enum_as_people_read_it(self) -> None:
        column = Column("state", "State", Kind.tag, choices=(Choice(Sample.bill_read, "Paid"),))
        pages = pages_of(changed(TABLE, columns=(column,), sort="state"), DETAIL)

        table = pages.page(
            "sample.bills", permissions=frozenset({Sample.bill_read.value}), locale="en"
        )

        assert table.shape == "table"
        assert [option.label for option in table.columns[0].options] == ["Paid"]
