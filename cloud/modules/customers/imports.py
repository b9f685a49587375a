"""Owners and residents out of a workbook."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from cloud.kernel.context import Ctx
from cloud.kernel.errors import FieldError, Unprocessable
from cloud.kernel.ui.language import Kind
from cloud.kernel.ui.pages import Choice, Import, ImportColumn
from cloud.modules.customers import queries, service
from cloud.modules.customers.models import OWNERS, PartyKind, RoomRole
from cloud.modules.customers.permissions import CustomersPermission
from cloud.modules.customers.rules import ROLE_LABELS
from cloud.modules.customers.service import Tenure
from cloud.modules.organization import queries as organization
from cloud.modules.resources import queries as resources

_KINDS = (
    Choice(PartyKind.person, "Person"),
    Choice(PartyKind.company, "Business"),
)
_ROLES = tuple(Choice(role, *shown) for role, shown in ROLE_LABELS.items())


class RoomUnknown(Unprocessable):
    message = "There is no room {path} in this community. Write it like 3-1-1202."


@dataclass
class _People:
    site_id: UUID
    rooms: dict[str, UUID]
    parties: dict[tuple[str, str], UUID]


async def _prepare(
    ctx: Ctx, *, site_id: UUID, rows: list[dict[str, Any]], options: frozenset[str]
) -> _People:
    del options
    site = await organization.get_site(ctx, site_id)
    return _People(
        site_id=site.id,
        rooms=await resources.rooms_by_path(ctx, site.id, {row["room"] for row in rows}),
        parties=await queries.parties_by_name(ctx, site.id, {row["name"] for row in rows}),
    )


async def _add(ctx: Ctx, row: dict[str, Any], people: _People) -> None:
    """A party of the same name and phone is the same one: they may have several rooms."""
    room_id = people.rooms.get(row["room"])
    if room_id is None:
        raise RoomUnknown(path=row["room"], fields=(FieldError("room", "room-unknown"),))
    key = (row["name"], row["phone"] or "")
    party_id = people.parties.get(key)
    if party_id is None:
        party = await service.add_party(
            ctx,
            site_id=people.site_id,
            name=row["name"],
            kind=row["kind"] or PartyKind.person,
            phone=row["phone"] or "",
            note=row["note"] or "",
        )
        await ctx.session.flush()  # the role points at it
        party_id = party.id
    role = row["role"] or RoomRole.owner
    tenure = Tenure(
        role=role,
        valid_from=row["valid_from"],
        share=row["share"],
        is_payer=role in OWNERS if row["is_payer"] is None else row["is_payer"],
    )
    await service.attach_party(ctx, room_id=room_id, party_id=party_id, tenure=tenure)
    people.parties[key] = party_id


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
    prepare=_prepare,
    add=_add,
)
