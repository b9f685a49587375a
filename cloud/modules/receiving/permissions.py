"""What may be done at the counter."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow
from cloud.modules.customers.permissions import CustomersPermission


class ReceivingPermission(StrEnum):
    counter_use = "receiving.counter:use"
    receipt_read = "receiving.receipt:read"
    receipt_take = "receiving.receipt:take"
    receipt_reverse = "receiving.receipt:reverse"


UseCounter = Annotated[Ctx, allow(ReceivingPermission.counter_use)]
ReadReceipts = Annotated[Ctx, allow(ReceivingPermission.receipt_read)]
TakeReceipts = Annotated[Ctx, allow(ReceivingPermission.receipt_take)]
ReverseReceipts = Annotated[Ctx, allow(ReceivingPermission.receipt_reverse)]
RevealPhones = Annotated[Ctx, allow(CustomersPermission.phone_reveal)]
