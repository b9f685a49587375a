"""Parties, and who they are to a room over time."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, event, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field

from cloud.kernel.db import (
    Record,
    enum_column,
    one_of,
    quantity_column,
    scope_keys,
    scoped_fk,
)
from cloud.kernel.initials import initials


class PartyKind(StrEnum):
    person = "person"
    company = "company"


class RoomRole(StrEnum):
    owner = "owner"
    co_owner = "co_owner"
    tenant = "tenant"
    family = "family"
    occupant = "occupant"
    developer = "developer"
    agent = "agent"


class Arrears(StrEnum):
    """What becomes of a room's open bills when its owner changes."""

    settle = "settle"
    assume = "assume"


OWNERS = frozenset({RoomRole.owner, RoomRole.co_owner})


class Party(Record, table=True):
    """A person or a company that a site deals with. Phone and id number leave it masked."""

    __tablename__ = "customers_party"
    __table_args__ = (
        *scope_keys("customers_party"),
        Index(
            "ix_customers_party_org_id_name",
            "org_id",
            "name",
            postgresql_ops={"name": "varchar_pattern_ops"},
        ),
        Index(
            "ix_customers_party_org_id_phone",
            "org_id",
            "phone",
            postgresql_ops={"phone": "varchar_pattern_ops"},
        ),
        *(
            Index(
                f"ix_customers_party_company_id_{column}",
                "company_id",
                column,
                postgresql_ops={column: "varchar_pattern_ops"},
            )
            for column in ("name", "phone", "initials")
        ),
        *scoped_fk("customers_party", "type_id", "kernel_catalogue_entry", within="company_id"),
        one_of("kind", PartyKind),
    )

    name: str = Field(max_length=100)
    kind: PartyKind = enum_column()
    phone: str = Field(default="", max_length=20)
    note: str = Field(default="", max_length=200)
    initials: str = Field(default="", max_length=20, sa_column_kwargs={"server_default": ""})
    id_number: str = Field(default="", max_length=30, sa_column_kwargs={"server_default": ""})
    type_id: UUID | None = None
    is_closed: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


@event.listens_for(Party, "before_insert")
@event.listens_for(Party, "before_update")
def _keep_initials(_mapper: object, _connection: object, party: Party) -> None:
    """Whoever sets the name: a search by initials must find it."""
    party.initials = initials(party.name)


class RoomParty(Record, table=True):
    """A role of a party in a room, half-open in time. One of them at most pays at a date."""

    __tablename__ = "customers_room_party"
    __table_args__ = (
        *scope_keys("customers_room_party"),
        *scoped_fk("customers_room_party", "room_id", "resources_room"),
        *scoped_fk("customers_room_party", "party_id", "customers_party"),
        *scoped_fk(
            "customers_room_party", "relation_id", "kernel_catalogue_entry", within="company_id"
        ),
        ExcludeConstraint(
            (text("room_id"), "="),
            (func.daterange(text("valid_from"), text("valid_to")), "&&"),
            where=text("is_payer"),
            using="gist",
            name="ex_customers_room_party_payer",
        ),
        CheckConstraint("valid_to > valid_from", name="valid_to"),
        CheckConstraint("share > 0 AND share <= 100", name="share"),
        one_of("role", RoomRole),
    )

    room_id: UUID
    party_id: UUID
    role: RoomRole = enum_column()
    share: Decimal | None = quantity_column(default=None)
    valid_from: date
    valid_to: date | None = None
    is_payer: bool = False
    relation_id: UUID | None = None


class Transfer(Record, table=True):
    """A change of ownership of a room on a day, and what was agreed about its arrears."""

    __tablename__ = "customers_transfer"
    __table_args__ = (
        *scope_keys("customers_transfer"),
        *scoped_fk("customers_transfer", "room_id", "resources_room"),
        one_of("arrears", Arrears),
    )

    room_id: UUID
    transferred_on: date
    arrears: Arrears = enum_column()
    note: str = Field(default="", max_length=200)
