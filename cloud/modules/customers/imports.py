"""Owners and residents out of a workbook."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.kernel.errors import AppError, FieldError, Unprocessable
from cloud.kernel.imports.rows import good, reasons, tried
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Choice, Import, ImportColumn
from cloud.modules.customers import queries, service
from cloud.modules.customers.models import OWNERS, Party, PartyKind, RoomParty, RoomRole
from cloud.modules.customers.permissions import CustomersPermission
from cloud.modules.customers.rules import ROLE_LABELS
from cloud.modules.customers.service import RolesOfRoom, Tenure
from cloud.modules.organization import queries as organization
from cloud.modules.resources import queries as resources

_KINDS = (
    Choice(PartyKind.person, "Person"),
    Choice(PartyKind.company, "Business"),
)
_ROLES = tuple(Choice(role, *shown) for role, shown in ROLE_LABELS.items())


class RoomUnknown(Unprocessable):
    message = "There is no room {path} in this community. Write it like 3-1-1202."


async def _add(
    ctx: Ctx, *, site_id: UUID, rows: Sequence[dict[str, Any]], options: frozenset[str]
) -> list[AppError | None]:
    del options
    site = await organization.get_site(ctx, site_id)
    rooms = await resources.rooms_by_path(ctx, site.id, {row["room"] for row in rows})
    people = _People(
        ctx=ctx,
        site_id=site.id,
        rooms=rooms,
        roles=await service.roles_of_rooms(ctx, rooms.values()),
        parties=await queries.parties_by_name(ctx, site.id, {row["name"] for row in rows}),
    )
    told = await to_thread(tried, rows, people.take)  # other requests do not wait
    await service.keep_parties(ctx, site_id=site.id, parties=people.new)
    await service.keep_roles(ctx, site_id=site.id, roles=good(told))
    return reasons(told)


@dataclass
class _People:
    """Who is there, with those whom the rows add: `new` among the parties."""

    ctx: Ctx
    site_id: UUID
    rooms: dict[str, UUID]
    roles: dict[UUID, RolesOfRoom]
    parties: dict[tuple[str, str], Party]
    new: list[Party] = field(default_factory=list)

    def take(self, row: dict[str, Any]) -> RoomParty:
        """A party of the same name and phone is the same one: they may have several rooms."""
        room_id = self.rooms.get(row["room"])
        if room_id is None:
            raise RoomUnknown(path=row["room"], fields=(FieldError("room", "room-unknown"),))
        key = (row["name"], row["phone"] or "")
        known = self.parties.get(key)
        party = known or self._party(row)
        role = row["role"] or RoomRole.owner
        tenure = Tenure(
            role=role,
            valid_from=row["valid_from"],
            share=row["share"],
            is_payer=role in OWNERS if row["is_payer"] is None else row["is_payer"],
        )
        held = self.roles[room_id].give(self.ctx, party, tenure)
        if known is None:
            self.parties[key] = party
            self.new.append(party)
        return held

    def _party(self, row: dict[str, Any]) -> Party:
        return Party(
            **self.ctx.stamp(self.site_id),
            name=row["name"],
            kind=row["kind"] or PartyKind.person,
            phone=row["phone"] or "",
            note=row["note"] or "",
        )


OWNERS_AND_RESIDENTS = Import(
    title="Import owners and residents",
    note="Somebody with the same name and phone is taken as the same person.",
    permission=CustomersPermission.party_write,
    columns=(
        ImportColumn("room", "Room number", required=True, example="3-1-1202"),
        ImportColumn("name", "Full name", required=True, example="张伟"),
        ImportColumn("phone", "Phone", example="13800005512", length=20),
        ImportColumn("kind", "Kind", Kind.tag, choices=_KINDS),
        ImportColumn("role", "Role", Kind.tag, choices=_ROLES),
        ImportColumn(
            "share",
            "Share in %",
            Kind.quantity,
            help="Of owners only; leave all blank or let them sum to 100.",
            least=Decimal("0.0001"),
        ),
        ImportColumn("valid_from", "From", Kind.date, required=True, example="2024-06-30"),
        ImportColumn("is_payer", "Pays for the room", Kind.flag, help="Owners pay when empty."),
        ImportColumn("note", "Note", length=200),
    ),
    add=_add,
)
