"""What may be done with the organization."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class OrganizationPermission(StrEnum):
    unit_read = "organization.unit:read"
    legal_entity_read = "organization.legal_entity:read"


ReadUnits = Annotated[Ctx, allow(OrganizationPermission.unit_read)]
ReadLegalEntities = Annotated[Ctx, allow(OrganizationPermission.legal_entity_read)]
