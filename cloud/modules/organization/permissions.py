"""What may be done with the organization."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from cloud.kernel.context import Ctx
from cloud.kernel.http import allow


class OrganizationPermission(StrEnum):
    unit_read = "organization.unit:read"
    unit_write = "organization.unit:write"
    department_read = "organization.department:read"
    department_write = "organization.department:write"
    legal_entity_read = "organization.legal_entity:read"
    legal_entity_write = "organization.legal_entity:write"


ReadUnits = Annotated[Ctx, allow(OrganizationPermission.unit_read)]
WriteUnits = Annotated[Ctx, allow(OrganizationPermission.unit_write)]
ReadDepartments = Annotated[Ctx, allow(OrganizationPermission.department_read)]
WriteDepartments = Annotated[Ctx, allow(OrganizationPermission.department_write)]
ReadLegalEntities = Annotated[Ctx, allow(OrganizationPermission.legal_entity_read)]
WriteLegalEntities = Annotated[Ctx, allow(OrganizationPermission.legal_entity_write)]
