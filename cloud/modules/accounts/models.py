"""People who log in, their roles, and where each role holds.

`accounts_credential`, `accounts_session` and `accounts_attempt` have no policy and no grants: they
are reached only by the functions of the migration, and are no models here.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field

from cloud.kernel.db import Record, instant_column, scope_keys, scoped_fk


class User(Record, table=True):
    """An account. `org_id` is the unit the person belongs to; what they see comes from grants."""

    __tablename__ = "accounts_user"
    __table_args__ = (
        *scope_keys("accounts_user"),
        *(
            Index(
                f"ix_accounts_user_company_id_{column}",
                "company_id",
                column,
                postgresql_ops={column: "varchar_pattern_ops"},
            )
            for column in ("name", "login", "phone")
        ),
        *scoped_fk(
            "accounts_user", "department_id", "organization_department", within="company_id"
        ),
        UniqueConstraint("login", name="uq_accounts_user_login"),
    )

    login: str = Field(max_length=60)
    name: str = Field(max_length=60)
    post: str = Field(default="", max_length=60)
    phone: str = Field(default="", max_length=20)
    department_id: UUID | None = None
    locale: str = Field(default="zh-CN", max_length=10)
    disabled_at: datetime | None = instant_column(default=None)
    password_due: bool = False


class Role(Record, table=True):
    """`offered` is null for a role of the company's own. A built-in one follows the releases: it
    lists the permissions that it got from them, whether or not it still has them."""

    __tablename__ = "accounts_role"
    __table_args__ = (
        *scope_keys("accounts_role"),
        UniqueConstraint("company_id", "code", name="uq_accounts_role_code"),
    )

    code: str = Field(max_length=40)
    name: str = Field(max_length=60)
    note: str = Field(default="", max_length=200)
    closed_on: date | None = None
    offered: list[str] | None = Field(default=None, sa_type=ARRAY(String()))


class RolePermission(Record, table=True):
    __tablename__ = "accounts_role_permission"
    __table_args__ = (
        *scoped_fk(
            "accounts_role_permission",
            "role_id",
            "accounts_role",
            within="company_id",
            ondelete="CASCADE",
        ),
        UniqueConstraint("role_id", "permission", name="uq_accounts_role_permission"),
    )

    role_id: UUID
    permission: str = Field(max_length=80)


class Grant(Record, table=True):
    """A role of a person, holding in a unit and everything below it."""

    __tablename__ = "accounts_grant"
    __table_args__ = (
        *scoped_fk("accounts_grant", "user_id", "accounts_user", within="company_id"),
        *scoped_fk("accounts_grant", "role_id", "accounts_role", within="company_id"),
        *scoped_fk("accounts_grant", "unit_id", "organization_unit", within="company_id"),
        UniqueConstraint("user_id", "role_id", "unit_id", name="uq_accounts_grant"),
    )

    user_id: UUID
    role_id: UUID
    unit_id: UUID
