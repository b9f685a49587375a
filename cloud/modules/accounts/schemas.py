"""Login, and accounts and roles over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from cloud.kernel.ui.language import MenuItem
from cloud.modules.organization.models import UnitKind


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    login: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class LocaleChoice(BaseModel):
    model_config = ConfigDict(extra="forbid")

    locale: Literal["zh-CN", "en"]


class UserOfSession(BaseModel):
    id: UUID
    name: str
    post: str
    login: str
    locale: str


class UnitOfSession(BaseModel):
    id: UUID
    parent_id: UUID | None
    kind: UnitKind
    name: str
    code: str
    city: str


class Boot(BaseModel):
    """What the office needs to draw its first page."""

    csrf: str
    user: UserOfSession
    permissions: list[str]
    units: list[UnitOfSession]
    menu: list[MenuItem]
    time_zone: str


class PublicFacts(BaseModel):
    demo: bool
    version: str
    logged_in: bool


class UserRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    login: str
    name: str
    post: str
    unit_name: str
    roles: str
    state: str


class RoleRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    permissions: int
    people: int
