"""Nodes of the tree whose place is worked out, written in sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from cloud.kernel import audit
from cloud.kernel.bulk import insert_rows
from cloud.kernel.context import Ctx
from cloud.kernel.db import uuid7
from cloud.modules.resources.models import SpaceKind
from cloud.modules.resources.rules import floor_of, path_below, sort_key
from cloud.modules.resources.service.spaces import RoomFacts


class Above(Protocol):
    """What a node takes from the one that it stands in."""

    @property
    def id(self) -> UUID: ...
    @property
    def path(self) -> str: ...
    @property
    def full_name(self) -> str: ...


@dataclass(frozen=True)
class NewNode:
    """A node to add. `facts` are a room's."""

    id: UUID
    kind: SpaceKind
    parent_id: UUID | None
    code: str
    name: str
    path: str
    full_name: str
    facts: RoomFacts | None


def node_below(
    parent: Above | None, kind: SpaceKind, code: str, name: str, facts: RoomFacts | None = None
) -> NewNode:
    return NewNode(
        id=uuid7(),
        kind=kind,
        parent_id=parent.id if parent else None,
        code=code,
        name=name,
        path=path_below(parent.path if parent else None, code),
        full_name=f"{parent.full_name if parent else ''}{name}",
        facts=facts,
    )


async def add_nodes(ctx: Ctx, *, site_id: UUID, nodes: Sequence[NewNode]) -> None:
    """Add nodes of one site that the caller has checked, parents and children in any order.

    One that somebody else has added a moment ago raises the database's IntegrityError.
    """
    await insert_spaces(ctx, site_id, nodes, skip_known=False)
    await insert_rooms(ctx, site_id, nodes)
    for kind in SpaceKind:
        await audit.record_each(
            ctx,
            action=f"resources.{kind.value}.added",
            subject_kind="resources.space",
            org_id=site_id,
            added=[
                (node.id, {"path": node.path, "name": node.name})
                for node in nodes
                if node.kind is kind
            ],
        )


async def insert_spaces(
    ctx: Ctx, site_id: UUID, nodes: Sequence[NewNode], *, skip_known: bool
) -> int:
    stamp = ctx.stamp(site_id)
    return await insert_rows(
        ctx,
        "resources_space",
        [
            "id", *stamp, "version", "kind", "parent_id", "code", "name", "path", "full_name",
            "sort_key",
        ],
        [
            (
                node.id, *stamp.values(), 1, node.kind.value, node.parent_id, node.code, node.name,
                node.path, node.full_name, sort_key(node.path),
            )
            for node in nodes
        ],
        skip_known=skip_known,
    )  # fmt: skip


async def insert_rooms(ctx: Ctx, site_id: UUID, nodes: Sequence[NewNode]) -> None:
    """The rooms among `nodes`, whose spaces are there."""
    stamp = ctx.stamp(site_id)
    await insert_rows(
        ctx,
        "resources_room",
        [
            "id", *stamp, "version", "building_area", "inner_area", "chargeable_area",
            "coefficient", "usage", "state", "handover_on", "move_in_on", "room_type_id", "floor",
        ],
        [
            (
                node.id, *stamp.values(), 1, facts.building_area, facts.inner_area,
                facts.chargeable_area or facts.building_area, facts.coefficient,
                facts.usage.value, facts.state.value, facts.handover_on, facts.move_in_on,
                facts.room_type_id,
                facts.floor if facts.floor is not None else floor_of(node.code),
            )
            for node in nodes
            if (facts := node.facts) is not None
        ],
    )  # fmt: skip
