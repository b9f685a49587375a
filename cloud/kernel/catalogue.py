"""Plain lists as data: the entries of a dictionary (room types, relations) with one page each.

A Catalogue has no hooks, ever. The first rule that is not a column constraint ejects the list to a
`service.py` and an `api.py` of its own.

An entry belongs to the unit of whoever added it: HQ's are seen by all of the company, a project's
own only there. Entries that the platform brought are not changed. Nothing is deleted: a disabled
entry keeps its name on the records that use it and is offered no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import CheckConstraint, UniqueConstraint, case, func, or_, select
from sqlmodel import Field as ColumnField
from sqlmodel import col

from cloud.kernel import audit
from cloud.kernel.choices import Choices, Typed, fetch_choices
from cloud.kernel.context import Ctx
from cloud.kernel.db import Record, enum_column, one_of, scope_keys
from cloud.kernel.errors import Conflict, FieldError, NotFound
from cloud.kernel.http import allow
from cloud.kernel.listing import (
    ListedShared,
    Listing,
    Page,
    Sorting,
    Statement,
    contains,
    fetch_page,
)
from cloud.kernel.typed import empty_is
from cloud.kernel.ui.language import Kind, Tone
from cloud.kernel.ui.pages import Action, Choice, Column, Filter, Form, Route, TablePage, View
from cloud.kernel.ui.pages import Field as FormField


class EntryState(StrEnum):
    in_use = "in_use"
    disabled = "disabled"


class EntryOrigin(StrEnum):
    system = "system"
    custom = "custom"


class CatalogueEntry(Record, table=True):
    __tablename__ = "kernel_catalogue_entry"
    __table_args__ = (
        *scope_keys("kernel_catalogue_entry"),
        UniqueConstraint("org_id", "catalogue", "code", name="uq_kernel_catalogue_entry_code"),
        CheckConstraint("code <> '' AND name <> ''", name="code"),
        one_of("state", EntryState),
    )

    catalogue: str = ColumnField(max_length=60)
    code: str = ColumnField(max_length=40)
    name: str = ColumnField(max_length=60)
    rank: int = 0
    is_system: bool = False
    state: EntryState = enum_column(default=EntryState.in_use)


class EntryAlreadyThere(Conflict):
    message = "“{name}” ({code}) is in the list already. Change that entry, or use another code."


class EntryOfTheSystem(Conflict):
    message = "“{name}” came with the platform and is not changed. Add an entry of your own."


class EntryNotOffered(Conflict):
    message = "“{name}” is disabled. Choose another entry, or enable it again."


Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Rank = Annotated[int, Field(ge=0, le=9_999), empty_is(0)]


class EntryRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    rank: int
    origin: str
    state: str
    version: int


class EntryCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Code
    name: Name
    rank: Rank = 0


class EntryChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    name: Name
    rank: Rank = 0


class EntryChanged(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    state: str
    version: int


@dataclass(frozen=True)
class Catalogue:
    """A list by its code; `path` is that of its routes below the module's own.

    `add` and `change` are what its two forms are called: “Add a room type”. `none` and `first` are
    what it says while it is empty.
    """

    code: str
    title: str
    add: str
    change: str
    none: str
    first: str
    path: str
    read: StrEnum
    write: StrEnum

    @property
    def module(self) -> str:
        return self.code.partition(".")[0]


@dataclass(frozen=True)
class CatalogueRoutes:
    router: APIRouter
    entries: Route
    choices: Route
    add: Route
    change: Route
    disable: Route
    enable: Route


def routes_of(catalogue: Catalogue) -> CatalogueRoutes:
    router = APIRouter(prefix=f"/api/v1/{catalogue.module}", tags=[catalogue.module])
    name = catalogue.path.replace("-", "_")  # several lists of a module stay apart in OpenAPI
    reading, writing = allow(catalogue.read), allow(catalogue.write)
    path, code = f"/{catalogue.path}", catalogue.code

    @router.get(path, response_model=Page[EntryRead], name=f"list_{name}")
    async def list_entries(
        listing: ListedShared, state: EntryState | None = None, ctx: Ctx = reading
    ) -> dict[str, Any]:
        return await read_entries(ctx, code, listing, state=state)

    @router.get(f"{path}/choices", response_model=Choices, name=f"choose_{name}")
    async def choose_entry(q: Typed = "", ctx: Ctx = reading) -> Choices:
        return await entry_choices(ctx, code, q)

    @router.post(path, response_model=EntryChanged, status_code=201, name=f"add_{name}")
    async def add(wanted: EntryCreate, ctx: Ctx = writing) -> CatalogueEntry:
        return await add_entry(
            ctx, code, code=wanted.code, name=wanted.name, rank=wanted.rank, is_system=False
        )

    @router.patch(f"{path}/{{entry_id}}", response_model=EntryChanged, name=f"change_{name}")
    async def change(entry_id: UUID, wanted: EntryChange, ctx: Ctx = writing) -> CatalogueEntry:
        return await change_entry(
            ctx, code, entry_id, version=wanted.version, name=wanted.name, rank=wanted.rank
        )

    @router.post(
        f"{path}/{{entry_id}}/disable", response_model=EntryChanged, name=f"disable_{name}"
    )
    async def disable(entry_id: UUID, ctx: Ctx = writing) -> CatalogueEntry:
        return await set_entry_state(ctx, code, entry_id, state=EntryState.disabled)

    @router.post(f"{path}/{{entry_id}}/enable", response_model=EntryChanged, name=f"enable_{name}")
    async def enable(entry_id: UUID, ctx: Ctx = writing) -> CatalogueEntry:
        return await set_entry_state(ctx, code, entry_id, state=EntryState.in_use)

    return CatalogueRoutes(
        router=router,
        entries=list_entries,
        choices=choose_entry,
        add=add,
        change=change,
        disable=disable,
        enable=enable,
    )


STATES = (
    Choice(EntryState.in_use, "Offered", Tone.ok),
    Choice(EntryState.disabled, "Disabled", Tone.mute),
)
ORIGINS = (
    Choice(EntryOrigin.system, "Built in", Tone.mute),
    Choice(EntryOrigin.custom, "Own", Tone.info),
)
_NAME = FormField("name", "Name")
_RANK = FormField("rank", "Rank", Kind.whole, required=False, help="The lowest comes first.")


def page_of(catalogue: Catalogue, routes: CatalogueRoutes) -> TablePage:
    return TablePage(
        code=catalogue.code,
        title=catalogue.title,
        source=routes.entries,
        columns=(
            Column("name", "Name", width=200, sortable=True),
            Column("code", "Code", width=160, sortable=True),
            Column("rank", "Rank", Kind.whole, width=96, sortable=True),
            Column("origin", "Origin", Kind.tag, width=96, choices=ORIGINS),
            Column("state", "State", Kind.tag, width=96, choices=STATES),
        ),
        filters=(
            Filter("q", "Code or name", "search"),
            Filter("state", "State", "choice", choices=STATES),
        ),
        views=(View("all", "All"), View("offered", "Offered", {"state": "in_use"})),
        actions=(
            Action(
                "add",
                catalogue.add,
                call=routes.add,
                placement="primary",
                form=Form(
                    title=catalogue.add,
                    fields=(FormField("code", "Code"), _NAME, _RANK),
                    submit="Add",
                ),
                done="{name} added",
            ),
            Action(
                "change",
                "Change",
                call=routes.change,
                when={"origin": ("custom",)},
                form=Form(title=catalogue.change, fields=(_NAME, _RANK), submit="Save"),
            ),
            Action(
                "disable",
                "Disable",
                call=routes.disable,
                tone="bad",
                when={"state": ("in_use",)},
                confirm="Offer “{name}” no more? Records that use it keep it.",
            ),
            Action("enable", "Enable", call=routes.enable, when={"state": ("disabled",)}),
        ),
        sort="rank",
        empty=(catalogue.none, catalogue.first),
    )


async def read_entries(
    ctx: Ctx, catalogue: str, listing: Listing, *, state: EntryState | None
) -> dict[str, Any]:
    entry = CatalogueEntry
    origin = case((col(entry.is_system), EntryOrigin.system), else_=EntryOrigin.custom)
    statement: Statement = select(
        col(entry.id).label("id"),
        col(entry.code).label("code"),
        col(entry.name).label("name"),
        col(entry.rank).label("rank"),
        origin.label("origin"),
        col(entry.state).label("state"),
        col(entry.version).label("version"),
    ).where(col(entry.catalogue) == catalogue)
    if listing.q:
        wanted = contains(listing.q)
        statement = statement.where(or_(col(entry.name).like(wanted), col(entry.code).like(wanted)))
    if state is not None:
        statement = statement.where(col(entry.state) == state)
    sorting = Sorting(
        by={"rank": col(entry.rank), "code": col(entry.code), "name": col(entry.name)},
        default="rank",
        tie=col(entry.id),
    )
    return await fetch_page(ctx, statement, listing, sorting=sorting, row=EntryRead)


async def entry_choices(ctx: Ctx, catalogue: str, q: str) -> Choices:
    """The entries on offer as the choices of a form field."""
    entry = CatalogueEntry
    return await fetch_choices(
        ctx,
        select(col(entry.id), col(entry.name))
        .where(
            col(entry.catalogue) == catalogue,
            col(entry.state) == EntryState.in_use,
            col(entry.name).like(contains(q)),
        )
        .order_by(col(entry.rank), col(entry.id)),
    )


async def add_entry(
    ctx: Ctx, catalogue: str, *, code: str, name: str, rank: int, is_system: bool
) -> CatalogueEntry:
    """Raises EntryAlreadyThere, also for a code that a unit above uses."""
    taken = await ctx.session.execute(
        select(col(CatalogueEntry.name))
        .where(col(CatalogueEntry.catalogue) == catalogue, col(CatalogueEntry.code) == code)
        .limit(1)
    )
    existing = taken.scalar_one_or_none()
    if existing is not None:
        raise EntryAlreadyThere(
            name=existing, code=code, fields=(FieldError("code", "entry-already-there"),)
        )
    entry = CatalogueEntry(
        **ctx.stamp(ctx.principal.org_id),
        catalogue=catalogue,
        code=code,
        name=name,
        rank=rank,
        is_system=is_system,
    )
    ctx.session.add(entry)
    await _audit(ctx, entry, "added", after={"code": code, "name": name})
    return entry


async def change_entry(
    ctx: Ctx, catalogue: str, entry_id: UUID, *, version: int, name: str, rank: int
) -> CatalogueEntry:
    """Raises NotFound, StaleVersion and EntryOfTheSystem."""
    entry = await _own(ctx, catalogue, entry_id, version=version)
    if entry.is_system:
        raise EntryOfTheSystem(name=entry.name)
    before = {"name": entry.name, "rank": entry.rank}
    entry.name, entry.rank = name, rank
    entry.version += 1
    await _audit(ctx, entry, "changed", before=before, after={"name": name, "rank": rank})
    return entry


async def set_entry_state(
    ctx: Ctx, catalogue: str, entry_id: UUID, *, state: EntryState
) -> CatalogueEntry:
    """Raises NotFound. Setting the state that an entry has changes nothing."""
    entry = await _own(ctx, catalogue, entry_id)
    if entry.state == state:
        return entry
    entry.state = state
    entry.version += 1
    await _audit(ctx, entry, state.value, after={"name": entry.name})
    return entry


async def check_entry(ctx: Ctx, catalogue: str, entry_id: UUID | None) -> None:
    """Whether a record may take the entry. Raises NotFound and EntryNotOffered."""
    if entry_id is None:
        return
    entry = await ctx.find(CatalogueEntry, entry_id)
    if entry is None or entry.catalogue != catalogue:
        raise NotFound
    if entry.state != EntryState.in_use:
        raise EntryNotOffered(name=entry.name)


async def _own(
    ctx: Ctx, catalogue: str, entry_id: UUID, *, version: int | None = None
) -> CatalogueEntry:
    entry = await ctx.get(CatalogueEntry, entry_id, lock=True, version=version)
    if entry.catalogue != catalogue:
        raise NotFound
    return entry


async def _audit(
    ctx: Ctx,
    entry: CatalogueEntry,
    what: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    await audit.record(
        ctx,
        action=f"{entry.catalogue}.{what}",
        subject_kind="kernel.catalogue_entry",
        subject_id=entry.id,
        org_id=entry.org_id,
        before=before,
        after=after,
    )


def entry_name(entry_id: Any) -> Any:
    """The name of the entry whose id stands in a column of the surrounding query."""
    return (
        select(func.coalesce(col(CatalogueEntry.name), ""))
        .where(col(CatalogueEntry.id) == entry_id)
        .scalar_subquery()
    )
