"""Declarations to the page language: for one viewer, in one language, checked at start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from cloud.kernel.errors import NotFound, PermissionMissing
from cloud.kernel.i18n import Texts
from cloud.kernel.ui import language as wire
from cloud.kernel.ui import pages
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Choice, DetailPage, MenuEntry, Page, Route, TablePage

# What a kind is always measured in; a field may say its own.
UNITS: Mapping[str, str] = {Kind.money: "yuan", Kind.percent: "%"}


class BrokenPage(Exception):
    """A page names a route, a column or a field that does not exist."""


class PageUnknown(NotFound):
    message = "There is no page “{page}”, or it is not yours to see."


@dataclass(frozen=True)
class Address:
    """Where a route is, and who may call it."""

    method: str
    path: str
    permission: str
    idempotent: bool
    answer: type[BaseModel] | None
    body: type[BaseModel] | None


@dataclass(frozen=True)
class Source:
    """The route behind a table page, its row, and the routes that list its filters' choices."""

    page: TablePage
    route: APIRoute
    row: type[BaseModel]
    choices: Mapping[str, APIRoute]


def permission_of(dependant: Dependant) -> str | None:
    """The permission that a route's dependencies ask for, None for a public one."""
    own = getattr(dependant.call, "permission", None)
    if own is not None:
        return str(own)
    for child in dependant.dependencies:
        found = permission_of(child)
        if found is not None:
            return found
    return None


class Pages:
    """All pages and the menu. Made once at start; raises BrokenPage for what points at nothing."""

    def __init__(
        self,
        *,
        routes: Iterable[APIRoute],
        declared: Iterable[Page],
        menu: Iterable[MenuEntry],
        texts: Texts,
    ) -> None:
        self._texts = texts
        self._routes = {route.endpoint: route for route in routes}
        self._addresses = {route.endpoint: _address(route) for route in self._routes.values()}
        self._pages = {page.code: page for page in declared}
        self._menu = tuple(sorted(menu, key=lambda entry: entry.rank))
        for page in self._pages.values():
            self._check(page)
        headings = {heading.code for heading in pages.HEADINGS}
        for entry in self._menu:
            if entry.heading not in headings:
                raise BrokenPage(f"{entry.label} stands below {entry.heading}, which is no heading")
            if entry.page is not None and entry.page not in self._pages:
                raise BrokenPage(f"the menu names the page {entry.page}, which nobody declares")

    def page(
        self, code: str, *, permissions: frozenset[str], locale: str
    ) -> wire.Table | wire.Detail:
        """Raises PageUnknown for an absent page and for one that the viewer may not call."""
        page = self._pages.get(code)
        if page is None or self._address(page.source).permission not in permissions:
            raise PageUnknown(page=code)
        viewer = _Viewer(self, permissions, locale)
        return viewer.table(page) if isinstance(page, TablePage) else viewer.detail(page)

    def source(self, code: str, *, permissions: frozenset[str]) -> Source:
        """What a list page is made of. Raises PageUnknown, also for a page that is no list."""
        page = self._pages.get(code)
        if not isinstance(page, TablePage):
            raise PageUnknown(page=code)
        address = self._address(page.source)
        if address.permission not in permissions or address.answer is None:
            raise PageUnknown(page=code)
        return Source(
            page=page,
            route=self._routes[page.source],
            row=_row_model(address.answer),
            choices={
                item.key: self._routes[item.source]
                for item in page.filters
                if item.source is not None and self._address(item.source).permission in permissions
            },
        )

    def importing(self, code: str, *, permissions: frozenset[str]) -> pages.Import:
        """Raises PageUnknown for a page that takes no rows, PermissionMissing."""
        page = self._pages.get(code)
        if not isinstance(page, TablePage) or page.imports is None:
            raise PageUnknown(page=code)
        if page.imports.permission not in permissions:
            raise PermissionMissing(permission=str(page.imports.permission))
        return page.imports

    def menu(self, *, permissions: frozenset[str], locale: str) -> list[wire.MenuItem]:
        """Headings with the entries that the viewer may open; a heading without any is left out."""
        viewer = _Viewer(self, permissions, locale)
        found = []
        for heading in pages.HEADINGS:
            children = [
                viewer.menu_item(entry)
                for entry in self._menu
                if entry.heading == heading.code and viewer.may(self._route_of(entry))
            ]
            if children:
                found.append(
                    wire.MenuItem(
                        code=heading.code,
                        label=viewer.label(heading.label),
                        icon=heading.icon,
                        page=None,
                        view=None,
                        favorite=False,
                        children=children,
                    )
                )
        return found

    def _route_of(self, entry: MenuEntry) -> Route:
        route = self._pages[entry.page].source if entry.page else entry.needs
        assert route is not None, f"{entry.label} names no page and no route"
        return route

    def _address(self, route: Route) -> Address:
        found = self._addresses.get(route)
        if found is None:
            raise BrokenPage(f"{route.__module__}.{route.__name__} is no route of a module")
        return found

    def _check(self, page: Page) -> None:
        source = self._address(page.source)
        if source.answer is None:
            raise BrokenPage(f"{page.code}: its source has no response model")
        if isinstance(page, TablePage):
            keys = _fields(_row_model(source.answer))
            named = [column.key for column in page.columns] + list(page.sums)
            if page.detail is not None and page.detail not in self._pages:
                raise BrokenPage(f"{page.code}: there is no page {page.detail}")
            for guard in (*page.views, page.leads):
                if guard is not None and guard.needs is not None:
                    self._address(guard.needs)
        else:
            keys = _fields(source.answer)
            named = [page.number, *page.subtitle, *page.progress]
            named += [column.key for column in (*page.tags, *page.figures)]
            named += [section.key for section in page.sections]
        for key in named:
            if key not in keys:
                raise BrokenPage(f"{page.code}: the answer has no “{key}”")
        for action in page.actions:
            self._check_action(page.code, action, keys)

    def _check_action(self, code: str, action: pages.Action, keys: Mapping[str, Any]) -> None:
        route = action.call or action.needs
        if route is None:
            raise BrokenPage(f"{code}: the action {action.code} does nothing")
        address = self._address(route)
        # The renderer sends the version of the row that was looked at with every change.
        if address.method == "PATCH" and not (
            "version" in keys and address.body and "version" in _fields(address.body)
        ):
            raise BrokenPage(f"{code}: {action.code} changes a row without its “version”")
        if action.form is None:
            return
        if address.body is None:
            raise BrokenPage(f"{code}: {action.code} has a form, its route takes no body")
        known = _fields(address.body)
        sent = [wanted.key for wanted in action.form.fields] + list(action.form.given)
        for key in sent:
            if key not in known:
                raise BrokenPage(f"{code}: {action.code} sends “{key}”, which is not taken")
        for wanted in action.form.fields:
            if wanted.start_key and wanted.start_key not in keys:
                raise BrokenPage(f"{code}: {action.code} starts from “{wanted.start_key}”")
        if action.form.trial is not None:
            self._check_trial(code, action, action.form.trial, set(sent))

    def _check_trial(self, code: str, action: pages.Action, trial: Route, sent: set[str]) -> None:
        address = self._address(trial)
        if address.method != "POST" or address.body is None:
            raise BrokenPage(f"{code}: the trial of {action.code} takes no values")
        if address.answer is None or not issubclass(address.answer, wire.TrialLines):
            raise BrokenPage(f"{code}: the trial of {action.code} does not answer lines")
        for key, value in _fields(address.body).items():
            if value.is_required() and key not in sent:
                raise BrokenPage(f"{code}: the trial of {action.code} needs “{key}”")


def _fields(model: type[BaseModel]) -> Mapping[str, Any]:
    return model.model_fields


def _row_model(answer: type[BaseModel]) -> type[BaseModel]:
    row = get_args(answer.model_fields["items"].annotation)[0]
    assert isinstance(row, type)
    assert issubclass(row, BaseModel)
    return row


def _address(route: APIRoute) -> Address:
    method = sorted(route.methods or ())[0]
    body = route.body_field.field_info.annotation if route.body_field else None
    answer = route.response_model
    return Address(
        method=method,
        path=route.path,
        permission=permission_of(route.dependant) or "",
        idempotent=bool(getattr(route.endpoint, "idempotent", False)),
        answer=answer if isinstance(answer, type) and issubclass(answer, BaseModel) else None,
        body=body if isinstance(body, type) and issubclass(body, BaseModel) else None,
    )


@dataclass(frozen=True)
class _Viewer:
    """Renders for one set of permissions and one language."""

    all: Pages
    permissions: frozenset[str]
    locale: str

    def label(self, key: str) -> str:
        return self.all._texts.label(key, self.locale)  # noqa: SLF001

    def may(self, route: Route) -> bool:
        return self.address(route).permission in self.permissions

    def address(self, route: Route) -> Address:
        return self.all._address(route)  # noqa: SLF001

    def maybe(self, key: str | None) -> str | None:
        return None if key is None else self.label(key)

    def menu_item(self, entry: MenuEntry) -> wire.MenuItem:
        return wire.MenuItem(
            code=entry.page or (entry.view or "").strip("/"),
            label=self.label(entry.label),
            icon=entry.icon,
            page=entry.page,
            view=entry.view,
            favorite=entry.favorite,
            children=[],
        )

    def options(self, choices: tuple[Choice, ...]) -> list[wire.Option]:
        return [
            wire.Option(value=choice.value.value, label=self.label(choice.label), tone=choice.tone)
            for choice in choices
        ]

    def column(self, column: pages.Column) -> wire.Column:
        return wire.Column(
            key=column.key,
            label=self.label(column.label),
            kind=column.kind,
            width=column.width,
            sortable=column.sortable,
            options=self.options(column.choices),
            unit=self.maybe(column.unit),
            unit_key=column.unit_key,
            note_key=column.note_key,
        )

    def table(self, page: TablePage) -> wire.Table:
        return wire.Table(
            shape="table",
            version=wire.VERSION,
            code=page.code,
            title=self.label(page.title),
            source=self.address(page.source).path,
            columns=[self.column(column) for column in page.columns],
            filters=[self.filter(item) for item in page.filters],
            views=[
                wire.View(
                    code=view.code,
                    label=self.label(view.label),
                    params=dict(view.params),
                    tone=view.tone,
                )
                for view in page.views
                if view.needs is None or self.may(view.needs)
            ],
            actions=self.actions(page.actions),
            detail=page.detail,
            opens=page.leads.path if page.leads and self.may(page.leads.needs) else None,
            sums=list(page.sums),
            sort=page.sort,
            export=f"/api/v1/ui/pages/{page.code}/export",
            imports=self.importing(page),
            empty=wire.Empty(title=self.label(page.empty[0]), hint=self.label(page.empty[1])),
        )

    def importing(self, page: TablePage) -> wire.Import | None:
        declared = page.imports
        if declared is None or declared.permission not in self.permissions:
            return None
        return wire.Import(
            title=self.label(declared.title),
            note=self.label(declared.note),
            path=f"/api/v1/ui/pages/{page.code}/import",
            columns=[
                wire.ImportColumn(label=self.label(column.label), required=column.required)
                for column in declared.columns
            ],
            options=[
                wire.ImportOption(key=option.key, label=self.label(option.label))
                for option in declared.options
            ],
        )

    def detail(self, page: DetailPage) -> wire.Detail:
        return wire.Detail(
            shape="detail",
            version=wire.VERSION,
            code=page.code,
            title=self.label(page.title),
            source=_row_path(self.address(page.source).path),
            number=page.number,
            subtitle=list(page.subtitle),
            tags=[self.column(column) for column in page.tags],
            figures=[self.column(column) for column in page.figures],
            progress=list(page.progress),
            sections=[
                wire.Section(
                    code=section.code,
                    title=self.label(section.title),
                    kind=section.kind,
                    key=section.key,
                    columns=[self.column(column) for column in section.columns],
                    note=self.maybe(section.note),
                )
                for section in page.sections
            ],
            actions=self.actions(page.actions),
            foot=self.maybe(page.foot),
        )

    def filter(self, item: pages.Filter) -> wire.Filter:
        return wire.Filter(
            key=item.key,
            label=self.label(item.label),
            kind=item.kind,
            options=self.options(item.choices),
            source=self.address(item.source).path if item.source else None,
        )

    def actions(self, declared: tuple[pages.Action, ...]) -> list[wire.Action]:
        return [
            self.action(action)
            for action in declared
            if self.may(action.call or action.needs)  # type: ignore[arg-type]
        ]

    def action(self, action: pages.Action) -> wire.Action:
        address = self.address(action.call or action.needs)  # type: ignore[arg-type]
        return wire.Action(
            code=action.code,
            label=self.label(action.label),
            method=address.method,
            path=_row_path(address.path),
            placement=action.placement,
            tone=action.tone,
            confirm=self.maybe(action.confirm),
            when={key: list(values) for key, values in action.when.items()},
            form=self.form(action) if action.form else None,
            idempotent=address.idempotent,
            done=self.label(action.done),
            opens=action.opens,
            shown_once=action.shown_once,
        )

    def form(self, action: pages.Action) -> wire.Form:
        assert action.form is not None
        return wire.Form(
            shape="form",
            version=wire.VERSION,
            code=action.code,
            title=self.label(action.form.title),
            note=self.maybe(action.form.note),
            fields=[self.field(item) for item in action.form.fields],
            given=dict(action.form.given),
            trial=self.trial(action.form) if action.form.trial else None,
            submit=self.label(action.form.submit),
        )

    def trial(self, form: pages.Form) -> wire.Trial | None:
        """None for who may not ask it: the form works without."""
        assert form.trial is not None
        if not self.may(form.trial):
            return None
        address = self.address(form.trial)
        assert address.body is not None
        sent = [item.key for item in form.fields] + list(form.given)
        known = _fields(address.body)
        return wire.Trial(
            path=_row_path(address.path),
            takes=[key for key in sent if key in known],
            needs=[key for key in sent if key in known and known[key].is_required()],
        )

    def field(self, item: pages.Field) -> wire.Field:
        return wire.Field(
            key=item.key,
            label=self.label(item.label),
            kind=item.kind,
            required=item.required,
            help=self.maybe(item.help),
            options=self.options(item.choices),
            source=self.address(item.source).path if item.source else None,
            default=item.default,
            start_key=item.start_key,
            unit=self.maybe(item.unit or UNITS.get(item.kind)),
            section=self.maybe(item.section),
            wide=item.wide,
            lines=[self.field(each) for each in item.lines],
            least=item.least,
        )


def _row_path(path: str) -> str:
    """A route's own key, the last `{…_id}` of its path, is the row's `id` on the wire."""
    head, brace, tail = path.rpartition("_id}")
    if not brace:
        return path
    start = head.rindex("{")
    name = head[start + 1 :]
    return path if name == "site" else f"{head[:start]}{{id}}{tail}"
