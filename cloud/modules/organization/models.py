"""The tree of units (company, regions, projects), their departments, and the legal entities that
own the money."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from cloud.kernel.db import Record, enum_column, one_of, scope_keys, scoped_fk


class UnitKind(StrEnum):
    company = "company"
    region = "region"
    project = "project"


class UnitState(StrEnum):
    """A project is prepared, managed and given back; the other units are open or closed."""

    preparing = "preparing"
    active = "active"
    closed = "closed"


class Unit(Record, table=True):
    """A unit owns its own row (`org_id` = `id`). A site is the unit of kind project."""

    __tablename__ = "organization_unit"
    __table_args__ = (
        *scope_keys("organization_unit"),
        *scoped_fk("organization_unit", "parent_id", "organization_unit", within="company_id"),
        UniqueConstraint("company_id", "code", name="uq_organization_unit_code"),
        CheckConstraint("org_id = id", name="owns_itself"),
        CheckConstraint("(kind = 'company') = (parent_id IS NULL)", name="one_root"),
        CheckConstraint("(state = 'closed') = (closed_on IS NOT NULL)", name="closed_on"),
        one_of("kind", UnitKind),
        one_of("state", UnitState),
    )

    kind: UnitKind = enum_column()
    state: UnitState = enum_column(default=UnitState.active)
    opened_on: date | None = None
    closed_on: date | None = None
    parent_id: UUID | None = None
    code: str = Field(max_length=20)
    name: str = Field(max_length=60)
    city: str = Field(default="", max_length=60)
    time_zone: str = Field(default="Asia/Shanghai", max_length=40)


class Placement(Record, table=True):
    """Below which unit a unit stood, half-open in time. The open one repeats `Unit.parent_id`."""

    __tablename__ = "organization_placement"
    __table_args__ = (
        *scoped_fk("organization_placement", "unit_id", "organization_unit"),
        *scoped_fk("organization_placement", "parent_id", "organization_unit", within="company_id"),
        Index(
            "uq_organization_placement_open",
            "org_id",
            "unit_id",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
        ),
        CheckConstraint("valid_to > valid_from", name="valid_to"),
    )

    unit_id: UUID
    parent_id: UUID
    valid_from: date
    valid_to: date | None = None


class Department(Record, table=True):
    """A department of a unit. It owns no rows: people belong to it, and lists filter by it."""

    __tablename__ = "organization_department"
    __table_args__ = (
        *scope_keys("organization_department"),
        UniqueConstraint("org_id", "code", name="uq_organization_department_code"),
    )

    code: str = Field(max_length=20)
    name: str = Field(max_length=60)
    leader: str = Field(default="", max_length=60)
    closed_on: date | None = None


class LegalEntity(Record, table=True):
    """Who invoices and whose bank account is credited. Money never crosses legal entities."""

    __tablename__ = "organization_legal_entity"
    __table_args__ = (
        *scope_keys("organization_legal_entity"),
        UniqueConstraint("company_id", "tax_number", name="uq_organization_legal_entity_tax"),
    )

    name: str = Field(max_length=100)
    tax_number: str = Field(max_length=20)
