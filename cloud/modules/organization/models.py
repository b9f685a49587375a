"""The tree of units (company, regions, projects) and the legal entities that own the money."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from cloud.kernel.db import Record, enum_column, one_of, scope_keys, scoped_fk


class UnitKind(StrEnum):
    company = "company"
    region = "region"
    project = "project"


class Unit(Record, table=True):
    """A unit owns its own row (`org_id` = `id`). A site is the unit of kind project."""

    __tablename__ = "organization_unit"
    __table_args__ = (
        *scope_keys("organization_unit"),
        *scoped_fk("organization_unit", "parent_id", "organization_unit", within="company_id"),
        UniqueConstraint("company_id", "code", name="uq_organization_unit_code"),
        CheckConstraint("org_id = id", name="owns_itself"),
        CheckConstraint("(kind = 'company') = (parent_id IS NULL)", name="one_root"),
        one_of("kind", UnitKind),
    )

    kind: UnitKind = enum_column()
    parent_id: UUID | None = None
    code: str = Field(max_length=20)
    name: str = Field(max_length=60)
    city: str = Field(default="", max_length=60)
    time_zone: str = Field(default="Asia/Shanghai", max_length=40)


class LegalEntity(Record, table=True):
    """Who invoices and whose bank account is credited. Money never crosses legal entities."""

    __tablename__ = "organization_legal_entity"
    __table_args__ = (
        *scope_keys("organization_legal_entity"),
        UniqueConstraint("company_id", "tax_number", name="uq_organization_legal_entity_tax"),
    )

    name: str = Field(max_length=100)
    tax_number: str = Field(max_length=20)
