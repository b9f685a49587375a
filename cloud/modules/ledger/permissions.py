"""What may be done with the books."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class LedgerPermission(StrEnum):
    account_read = "ledger.account:read"
    entry_read = "ledger.entry:read"


ReadAccounts = Annotated[Ctx, allow(LedgerPermission.account_read)]
ReadEntries = Annotated[Ctx, allow(LedgerPermission.entry_read)]
