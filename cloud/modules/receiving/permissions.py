"""What may be done at the counter."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class ReceivingPermission(StrEnum):
    counter_use = "receiving.counter:use"
    receipt_read = "receiving.receipt:read"
    receipt_take = "receiving.receipt:take"
    receipt_reverse = "receiving.receipt:reverse"
    shift_read = "receiving.shift:read"
    shift_close = "receiving.shift:close"
    held_read = "receiving.held:read"
    held_refund = "receiving.held:refund"
    deposit_deduct = "receiving.deposit:deduct"
    setup_read = "receiving.setup:read"
    setup_change = "receiving.setup:change"


UseCounter = Annotated[Ctx, allow(ReceivingPermission.counter_use)]
ReadReceipts = Annotated[Ctx, allow(ReceivingPermission.receipt_read)]
TakeReceipts = Annotated[Ctx, allow(ReceivingPermission.receipt_take)]
ReverseReceipts = Annotated[Ctx, allow(ReceivingPermission.receipt_reverse)]
ReadShifts = Annotated[Ctx, allow(ReceivingPermission.shift_read)]
CloseShifts = Annotated[Ctx, allow(ReceivingPermission.shift_close)]
ReadHeld = Annotated[Ctx, allow(ReceivingPermission.held_read)]
RefundHeld = Annotated[Ctx, allow(ReceivingPermission.held_refund)]
DeductDeposits = Annotated[Ctx, allow(ReceivingPermission.deposit_deduct)]
ReadSetup = Annotated[Ctx, allow(ReceivingPermission.setup_read)]
ChangeSetup = Annotated[Ctx, allow(ReceivingPermission.setup_change)]
