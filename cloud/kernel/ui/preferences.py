"""What a person keeps of a page: the arrangement of its columns, and views of their own."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import Conflict, FieldError, NotFound
from cloud.kernel.records import PageLayout, SavedView

VIEWS_MAX = 20

Key = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Keys = Annotated[list[Key], Field(max_length=100)]
Value = Annotated[str, StringConstraints(max_length=200)]


class ViewNameTaken(Conflict):
    message = "You have a view called “{name}” on this page already. Choose another name."


class ViewsFull(Conflict):
    message = "You have {count} views on this page. Remove one before you save another."


class Layout(BaseModel):
    """Columns that are not named stand as declared, behind those that are."""

    model_config = ConfigDict(extra="forbid")

    order: Keys
    hidden: Keys
    height: Annotated[str, StringConstraints(pattern=r"^(compact|normal|loose)$")] = "normal"


class SavedViewRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    filters: dict[str, str]
    sort: str
    layout: Layout


class SavedViewCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30)]
    filters: Annotated[dict[Key, Value], Field(max_length=30)]
    sort: Annotated[str, StringConstraints(max_length=60)]
    layout: Layout


class Preferences(BaseModel):
    layout: Layout | None
    views: list[SavedViewRead]


async def read_preferences(ctx: Ctx, page: str) -> Preferences:
    layout = (
        await ctx.session.execute(
            select(col(PageLayout.layout)).where(
                col(PageLayout.principal_id) == ctx.principal.id, col(PageLayout.page) == page
            )
        )
    ).scalar_one_or_none()
    views = await ctx.session.execute(_own_views(ctx, page).order_by(col(SavedView.created_at)))
    return Preferences(
        layout=Layout.model_validate(layout) if layout else None,
        views=[SavedViewRead.model_validate(view) for view in views.scalars()],
    )


def _own_views(ctx: Ctx, page: str) -> Any:
    return select(SavedView).where(
        col(SavedView.principal_id) == ctx.principal.id, col(SavedView.page) == page
    )


async def keep_layout(ctx: Ctx, page: str, layout: Layout) -> Preferences:
    """The last one wins: it is one person's own."""
    kept = {"layout": layout.model_dump(), "changed_at": ctx.now}
    await ctx.session.execute(
        insert(PageLayout)
        .values(
            company_id=ctx.principal.company_id, principal_id=ctx.principal.id, page=page, **kept
        )
        .on_conflict_do_update(index_elements=["company_id", "principal_id", "page"], set_=kept)
    )
    return await read_preferences(ctx, page)


async def save_view(ctx: Ctx, page: str, wanted: SavedViewCreate) -> Preferences:
    """Raises ViewNameTaken and ViewsFull."""
    assert ctx.principal.id is not None
    views = (await ctx.session.execute(_own_views(ctx, page))).scalars().all()
    if any(view.name == wanted.name for view in views):
        raise ViewNameTaken(name=wanted.name, fields=(FieldError("name", "view-name-taken"),))
    if len(views) >= VIEWS_MAX:
        raise ViewsFull(count=len(views))
    ctx.session.add(
        SavedView(
            company_id=ctx.principal.company_id,
            principal_id=ctx.principal.id,
            page=page,
            created_at=ctx.now,
            **wanted.model_dump(),
        )
    )
    return await read_preferences(ctx, page)


async def remove_view(ctx: Ctx, page: str, view_id: UUID) -> Preferences:
    """Raises NotFound, also for another person's."""
    removed = await ctx.session.execute(
        delete(SavedView)
        .where(col(SavedView.id) == view_id, col(SavedView.principal_id) == ctx.principal.id)
        .returning(col(SavedView.id))
    )
    if removed.scalar_one_or_none() is None:
        raise NotFound
    return await read_preferences(ctx, page)
