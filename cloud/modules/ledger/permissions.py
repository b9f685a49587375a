"""What may be done with the books."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class LedgerPermission(StrEnum):
    account_read = "ledger.account:read"
    entry_read = "ledger.entry:read"
    month_read = "ledger.month:read"
    month_close = "ledger.month:close"
    month_reopen = "ledger.month:reopen"
    number_rule_read = "ledger.number_rule:read"
    number_rule_change = "ledger.number_rule:change"


ReadAccounts = Annotated[Ctx, allow(LedgerPermission.account_read)]
ReadEntries = Annotated[Ctx, allow(LedgerPermission.entry_read)]
ReadMonths = Annotated[Ctx, allow(LedgerPermission.month_read)]
CloseMonths = Annotated[Ctx, allow(LedgerPermission.month_close)]
ReopenMonths = Annotated[Ctx, allow(LedgerPermission.month_reopen)]
ReadNumberRules = Annotated[Ctx, allow(LedgerPermission.number_rule_read)]
ChangeNumberRules = Annotated[Ctx, allow(LedgerPermission.number_rule_change)]
