"""Login, and accounts and roles over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.kernel.typed import Reason
from cloud.kernel.ui.language import MenuItem
from cloud.modules.accounts.rules import Place
from cloud.modules.organization.models import UnitKind, UnitState
from cloud.modules.organization.schemas import Name, ShortText

Login = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._-]{1,60}$", to_lower=True),
]
PhoneNumber = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9][0-9 -]{4,18}$")
]
RoleCode = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z][a-z0-9_]{0,39}$")
]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


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
    password_due: bool  # only the own password can be changed until then


class UnitOfSession(BaseModel):
    id: UUID
    parent_id: UUID | None
    kind: UnitKind
    state: UnitState
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


class OwnPassword(BaseModel):
    model_config = ConfigDict(extra="forbid")

    present: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class UserRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    login: str
    name: str
    post: str
    phone_masked: str
    org_id: UUID
    unit_name: str
    department_id: UUID | None
    department_name: str
    roles: str
    role_ids: list[UUID]
    units: str
    unit_ids: list[UUID]
    state: str
    version: int


class _Person(BaseModel):
    """`unit_ids` are the units that each of the roles holds in, with all that is below."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    post: ShortText | None = None
    phone: PhoneNumber | None = None
    org_id: UUID
    department_id: UUID | None = None
    role_ids: Annotated[list[UUID], Field(max_length=50)]
    unit_ids: Annotated[list[UUID], Field(max_length=200)]

    def place(self) -> Place:
        return Place(
            org_id=self.org_id,
            department_id=self.department_id,
            role_ids=frozenset(self.role_ids),
            unit_ids=frozenset(self.unit_ids),
        )


class UserCreate(_Person):
    login: Login


class UserChange(_Person):
    version: int


class RoleGrant(BaseModel):
    """One role more, in one unit and below."""

    model_config = ConfigDict(extra="forbid")

    role_id: UUID
    unit_id: UUID


class UserKept(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    login: str
    name: str
    version: int


class FirstPassword(UserKept):
    """Answered once: only its hash is kept."""

    password: str


class RoleRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    note: str
    permissions: int
    people: int
    state: str
    version: int


class RoleCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: RoleCode
    name: Name
    note: Note | None = None


class RoleCopy(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: RoleCode
    name: Name


class RoleChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    name: Name
    note: Note | None = None


class RolePermissions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    permissions: Annotated[list[str], Field(max_length=1000)]


class RoleKept(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    version: int


class RoleMember(BaseModel):
    id: UUID
    login: str
    name: str
    unit_name: str
    state: str


class RoleDetail(BaseModel):
    """`members` are those that the viewer may see, `people` counts everybody."""

    id: UUID
    code: str
    name: str
    note: str
    state: str
    version: int
    people: int
    permissions: list[str]
    members: list[RoleMember]


class PermissionRead(BaseModel):
    code: str
    label: str
    held: bool  # by the viewer: what one does not hold one cannot give


class SubjectRead(BaseModel):
    code: str
    label: str
    permissions: list[PermissionRead]


class ModuleRead(BaseModel):
    code: str
    label: str
    subjects: list[SubjectRead]


class PermissionCatalog(BaseModel):
    modules: list[ModuleRead]


class DisableUser(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class CloseRole(DisableUser):
    pass
