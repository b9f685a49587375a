"""What may be done with customers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class CustomersPermission(StrEnum):
    party_read = "customers.party:read"
    party_write = "customers.party:write"
    phone_reveal = "customers.phone:reveal"
    catalogue_write = "customers.catalogue:write"


ReadParties = Annotated[Ctx, allow(CustomersPermission.party_read)]
WriteParties = Annotated[Ctx, allow(CustomersPermission.party_write)]
RevealPhones = Annotated[Ctx, allow(CustomersPermission.phone_reveal)]
