"""The room grid (楼盘图): the buildings of a site, and the rooms of one with what they owe.

It stands in receiving because this is the lowest module that may see rooms, people and bills.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from cloud.kernel.context import Ctx
from cloud.kernel.errors import NotFound
from cloud.kernel.listing import Statement
from cloud.kernel.money import ZERO
from cloud.modules.charging.models import Bill, Settlement
from cloud.modules.customers.models import Party, RoomParty
from cloud.modules.customers.queries import phone_masked
from cloud.modules.organization import queries as organization
from cloud.modules.receiving.rules import look_of, months_overdue
from cloud.modules.receiving.schemas import (
    BuildingGrid,
    BuildingOnGrid,
    BuildingsOnGrid,
    Cell,
    Shown,
)
from cloud.modules.resources.models import (
    PATH_SEPARATOR,
    Room,
    RoomState,
    RoomUsage,
    Space,
    SpaceKind,
)
from cloud.modules.resources.rules import STATE_LABELS, USAGE_LABELS

CELLS_MAX = 5_000
BUILDINGS_MAX = 1_000
RATE = Decimal("0.0001")

_OPEN = col(Settlement.amount) - col(Settlement.paid)


def _building_of(space: Any) -> Any:
    return func.split_part(col(space.path), PATH_SEPARATOR, 1)


async def list_grid(ctx: Ctx, *, site_id: UUID) -> BuildingsOnGrid:
    """Each building with its rooms and its arrears, in one statement. Raises ProjectNotYours."""
    orgs = await organization.scope_of(ctx, site_id)
    building = aliased(Space)
    owed: Statement = (
        select(
            col(Bill.org_id).label("org_id"),
            col(Bill.room_id).label("room_id"),
            func.sum(col(Settlement.amount)).label("due"),
            func.sum(_OPEN).label("overdue"),
        )
        .join(Settlement, col(Settlement.id) == col(Bill.id))
        .where(col(Bill.due_on) < ctx.business_on)
        .group_by(col(Bill.org_id), col(Bill.room_id))
    )
    if orgs is not None:
        owed = owed.where(col(Bill.org_id).in_(orgs))
    debt = owed.subquery("debt")
    statement = (
        select(
            col(building.id),
            col(building.code),
            col(building.name),
            func.count(col(Space.id)).label("rooms"),
            func.count().filter(debt.c.overdue > ZERO).label("in_arrears"),
            func.coalesce(func.sum(debt.c.due), ZERO).label("due"),
            func.coalesce(func.sum(debt.c.overdue), ZERO).label("overdue"),
        )
        .select_from(building)
        .outerjoin(
            Space,
            and_(
                col(Space.org_id) == col(building.org_id),
                col(Space.kind) == SpaceKind.room,
                _building_of(Space) == col(building.path),
            ),
        )
        .outerjoin(debt, and_(debt.c.org_id == col(Space.org_id), debt.c.room_id == col(Space.id)))
        .where(col(building.kind) == SpaceKind.building)
        .group_by(col(building.id), col(building.code), col(building.name), col(building.sort_key))
        .order_by(col(building.sort_key), col(building.id))
        .limit(BUILDINGS_MAX)
    )
    if orgs is not None:
        statement = statement.where(col(building.org_id).in_(orgs))
    return BuildingsOnGrid(
        items=[
            BuildingOnGrid(
                id=row.id,
                code=row.code,
                name=row.name,
                rooms=row.rooms,
                in_arrears=row.in_arrears,
                overdue=row.overdue,
                arrears_rate=(row.overdue / row.due).quantize(RATE) if row.due else None,
            )
            for row in await ctx.session.execute(statement)
        ]
    )


async def read_grid(ctx: Ctx, building_id: UUID) -> BuildingGrid:
    """The rooms of a building, in one statement after its own. Raises NotFound."""
    building = await ctx.get(Space, building_id)
    if building.kind != SpaceKind.building:
        raise NotFound
    found = await ctx.session.execute(_cells(ctx, building))
    cells = [_cell(ctx, row) for row in found.mappings()]
    return BuildingGrid(
        id=building.id,
        code=building.code,
        name=building.name,
        open=sum((cell.open for cell in cells), ZERO),
        cells=cells,
    )


def _cells(ctx: Ctx, building: Space) -> Any:
    unit, today = aliased(Space), ctx.business_on
    is_late = col(Bill.due_on) < today
    debt = (
        select(
            col(Bill.room_id).label("room_id"),
            func.sum(_OPEN).label("open"),
            func.coalesce(func.sum(_OPEN).filter(is_late), ZERO).label("overdue"),
            func.min(case((is_late, col(Bill.due_on)))).label("oldest"),
        )
        .join(Settlement, col(Settlement.id) == col(Bill.id))
        .where(
            col(Bill.org_id) == building.org_id,
            col(Settlement.org_id) == building.org_id,
            col(Settlement.paid) < col(Settlement.amount),
        )
        .group_by(col(Bill.room_id))
        .subquery("debt")
    )
    return (
        select(
            col(Room.id).label("id"),
            col(Space.path).label("code"),
            col(Space.name).label("name"),
            col(Space.full_name).label("full_name"),
            func.coalesce(col(unit.name), "").label("unit"),
            col(Room.floor).label("floor"),
            col(Room.chargeable_area).label("area"),
            col(Room.usage).label("usage"),
            col(Room.state).label("state"),
            func.coalesce(debt.c.open, ZERO).label("open"),
            func.coalesce(debt.c.overdue, ZERO).label("overdue"),
            debt.c.oldest.label("oldest"),
            func.coalesce(col(Party.name), "").label("payer_name"),
            case((col(Party.id).is_(None), ""), else_=phone_masked()).label("phone_masked"),
        )
        .select_from(Room)
        .join(Space, and_(col(Space.org_id) == col(Room.org_id), col(Space.id) == col(Room.id)))
        .outerjoin(unit, and_(col(unit.id) == col(Space.parent_id), col(unit.kind) == "unit"))
        .outerjoin(debt, debt.c.room_id == col(Room.id))
        .outerjoin(
            RoomParty,
            and_(
                col(RoomParty.org_id) == col(Room.org_id),
                col(RoomParty.room_id) == col(Room.id),
                col(RoomParty.is_payer),
                col(RoomParty.valid_from) <= today,
                or_(col(RoomParty.valid_to).is_(None), col(RoomParty.valid_to) > today),
            ),
        )
        .outerjoin(
            Party,
            and_(
                col(Party.org_id) == col(RoomParty.org_id), col(Party.id) == col(RoomParty.party_id)
            ),
        )
        .where(col(Room.org_id) == building.org_id, _building_of(Space) == building.path)
        .order_by(col(Space.sort_key), col(Room.id))
        .limit(CELLS_MAX)
    )


def _cell(ctx: Ctx, row: Any) -> Cell:
    state = RoomState(row["state"])
    label, tone = STATE_LABELS[state]
    months = months_overdue(row["oldest"], ctx.business_on)
    return Cell.model_validate(
        {
            **row,
            "usage": ctx.say(USAGE_LABELS[RoomUsage(row["usage"])][0]),
            "state": Shown(value=state.value, label=ctx.say(label), tone=tone),
            "look": look_of(state, months).value,
            "months": months,
        }
    )
