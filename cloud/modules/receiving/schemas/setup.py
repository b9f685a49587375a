"""Payment methods and kinds of deposits."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cloud.kernel.typed import Reason
from cloud.modules.receiving.models import MethodKind
from cloud.modules.receiving.schemas.typed import Amount

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class ActiveState(StrEnum):
    active = "active"
    disabled = "disabled"


class Switch(BaseModel):
    """The state that is wanted, so that two people who disable do not enable again."""

    model_config = ConfigDict(extra="forbid")

    state: ActiveState
    reason: Reason


class MethodCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Code
    name: Name
    kind: MethodKind
    account: Annotated[str, Field(min_length=1, max_length=15)]
    rank: Annotated[int, Field(ge=1, le=999)] = 100


class MethodChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    name: Name
    account: Annotated[str, Field(min_length=1, max_length=15)]
    rank: Annotated[int, Field(ge=1, le=999)]


class MethodRead(BaseModel):
    id: UUID
    version: int
    code: str
    name: str
    kind: str
    account: str
    account_name: str
    rank: int
    state: str


class DepositItemCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Code
    name: Name
    legal_entity_id: UUID
    usual_amount: Amount | None = None


class DepositItemChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    name: Name
    usual_amount: Amount | None = None


class DepositItemRead(BaseModel):
    id: UUID
    version: int
    code: str
    name: str
    legal_entity_name: str
    usual_amount: Decimal | None
    state: str


class Changed(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
