"""What may be done with accounts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class AccountsPermission(StrEnum):
    user_read = "accounts.user:read"
    user_write = "accounts.user:write"
    role_read = "accounts.role:read"
    role_write = "accounts.role:write"


ReadUsers = Annotated[Ctx, allow(AccountsPermission.user_read)]
WriteUsers = Annotated[Ctx, allow(AccountsPermission.user_write)]
ReadRoles = Annotated[Ctx, allow(AccountsPermission.role_read)]
WriteRoles = Annotated[Ctx, allow(AccountsPermission.role_write)]
