"""What may be done with accounts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class AccountsPermission(StrEnum):
    user_read = "accounts.user:read"
    role_read = "accounts.role:read"


ReadUsers = Annotated[Ctx, allow(AccountsPermission.user_read)]
ReadRoles = Annotated[Ctx, allow(AccountsPermission.role_read)]
